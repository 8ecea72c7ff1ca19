/*
 * state_dir - where the queue's store is, the same for every command.
 *
 * database.url when it is set; else sqlite:STATE/dbconn.db, where STATE is the service manager's
 * state directory (STATE_DIRECTORY, systemd.exec(5)), $XDG_STATE_HOME/dbconn, or
 * ~/.local/state/dbconn (XDG Base Directory Specification). Main thread.
 */
#ifndef DBCONN_APP_STATE_DIR_H
#define DBCONN_APP_STATE_DIR_H

#include <stdbool.h>

#include "dbconn/base/error.h"

struct config;
struct store;

/* The store's URL; heap. With `make`, the default directory is made when it is not there (mode
 * 0700). NULL with ERR_CONFIG when nothing says where it is, or it cannot be made. */
char *state_dir_store_url(const struct config *config, bool make, struct error *err) MUST_CHECK;

/* The path of a file in the default directory; heap. `make` and errors as above. */
char *state_dir_file(const char *name, bool make, struct error *err) MUST_CHECK;

/* Is a SQLite URL's file missing? A PostgreSQL URL never is. */
bool state_dir_store_missing(const char *url);

/*
 * Opens the store for a command that looks at what a bot has kept: one that is not there is an
 * error, not a new empty file.
 * The caller ends *ret with store_close(). Errors: those of store_open(), ERR_CONFIG.
 */
int state_dir_open_store(const struct config *config, struct store **ret,
                         struct error *err) MUST_CHECK;

#endif
