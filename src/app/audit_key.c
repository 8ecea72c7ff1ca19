#include "audit_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbconn/app/state_dir.h"
#include "dbconn/base/text.h"

#define SUFFIX ".audit-key"
#define SQLITE "sqlite:"
#define KEY_CHARS (2 * AUDIT_KEY_BYTES)

/* Beside a SQLite file; a PostgreSQL store has its place in the state directory. */
static char *key_path(const char *store_url, bool make, struct error *err)
{
    if (strncmp(store_url, SQLITE, strlen(SQLITE)) == 0)
        return xasprintf("%s" SUFFIX, store_url + strlen(SQLITE));
    return state_dir_file("dbconn" SUFFIX, make, err);
}

/* Two processes may begin at once: the whole file appears under its name, or the other's does. */
static int put_in_place(const char *draft, const char *path, bool written, struct error *err)
{
    bool done = written && (link(draft, path) == 0 || errno == EEXIST);
    int why = errno;

    unlink(draft);
    return done ? 0
                : error_set(err, ERR_CONFIG, "cannot make the audit log's key %s: %s", path,
                            strerror(why));
}

static int make_file(const char *path, struct error *err)
{
    unsigned char bytes[AUDIT_KEY_BYTES];
    char text[KEY_CHARS + 1], *draft;
    int fd;

    if (access(path, F_OK) == 0)
        return 0;
    draft = xasprintf("%s.XXXXXX", path);
    fd = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        abort(); /* no randomness: nothing here is safe */
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    bool written = fd >= 0 && write(fd, text, KEY_CHARS) == KEY_CHARS && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    explicit_bzero(bytes, sizeof(bytes));
    explicit_bzero(text, sizeof(text));
    int rc = put_in_place(draft, path, written, err);
    free(draft);
    return rc;
}

static int read_file(const char *path, struct audit_key *ret, struct error *err)
{
    char text[KEY_CHARS + 1] = "";
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0) {
        error_set(err, ERR_CONFIG, "cannot read the audit log's key %s: %s", path, strerror(errno));
    } else if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        error_set(err, ERR_CONFIG, "others may read the audit log's key %s: chmod 600 it", path);
    } else if (read(fd, text, KEY_CHARS) != KEY_CHARS) {
        error_set(err, ERR_CONFIG,
                  "%s is no whole key; without the right one the audit log cannot be verified: set "
                  "audit.key, or remove the file for a new one",
                  path);
    } else {
        audit_key_from(text, ret);
        explicit_bzero(text, sizeof(text));
        close(fd);
        return 0;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

int audit_key_load(const struct config *config, const char *store_url, bool make,
                   struct audit_key *ret, struct error *err)
{
    const char *secret = config_str(config, "audit.key");
    char *path;
    int rc = -1;

    if (secret) {
        audit_key_from(secret, ret);
        return 0;
    }
    path = key_path(store_url, make, err);
    if (path && (!make || make_file(path, err) == 0))
        rc = read_file(path, ret, err);
    free(path);
    return rc;
}
