#include "dbconn/app/state_dir.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbconn/app/config.h"
#include "dbconn/base/text.h"
#include "dbconn/queue/store.h"

#define SQLITE "sqlite:"
#define COMMAND_BUSY_MS 5000 /* a bot that commits in groups holds the lock for less */

/* systemd gives several directories separated by colons; the first is ours. */
static char *default_dir(void)
{
    const char *systemd = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME"),
               *home = getenv("HOME");

    if (systemd && *systemd)
        return xstrndup(systemd, strcspn(systemd, ":"));
    if (xdg && *xdg)
        return xasprintf("%s/dbconn", xdg);
    return home && *home ? xasprintf("%s/.local/state/dbconn", home) : NULL;
}

static int make_dir(char *dir, struct error *err)
{
    for (char *p = dir + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        (void)mkdir(dir, 0755); /* exists, or the last one fails and says why */
        *p = '/';
    }
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return error_set(err, ERR_CONFIG, "cannot make the state directory %s: %s", dir,
                         strerror(errno));
    return 0;
}

char *state_dir_file(const char *name, bool make, struct error *err)
{
    char *dir = default_dir(), *ret = NULL;

    if (!dir)
        error_set(err, ERR_CONFIG,
                  "there is no state directory for %s (STATE_DIRECTORY, "
                  "XDG_STATE_HOME or HOME)",
                  name);
    else if (!make || make_dir(dir, err) == 0)
        ret = xasprintf("%s/%s", dir, name);
    free(dir);
    return ret;
}

char *state_dir_store_url(const struct config *config, bool make, struct error *err)
{
    const char *url = config_str(config, "database.url");
    char *dir, *ret = NULL;

    if (url)
        return xstrdup(url);
    dir = default_dir();
    if (!dir)
        error_set(err, ERR_CONFIG,
                  "database.url is not set and there is no state directory (STATE_DIRECTORY, "
                  "XDG_STATE_HOME or HOME)");
    else if (!make || make_dir(dir, err) == 0)
        ret = xasprintf(SQLITE "%s/dbconn.db", dir);
    free(dir);
    return ret;
}

bool state_dir_store_missing(const char *url)
{
    return text_starts(url, SQLITE) && access(url + strlen(SQLITE), F_OK) < 0 && errno == ENOENT;
}

int state_dir_open_store(const struct config *config, struct store **ret, struct error *err)
{
    struct store_options options = { .busy_ms = COMMAND_BUSY_MS };
    char *url = state_dir_store_url(config, false, err);
    int rc = -1;

    if (!url)
        return -1;
    if (state_dir_store_missing(url))
        error_set(err, ERR_CONFIG,
                  "there is no store at %s: no dbconn serve has run with it yet. Where the bot "
                  "keeps its jobs is said by database.url (%s here), DBCONN_DATABASE_URL or "
                  "STATE_DIRECTORY",
                  url + strlen(SQLITE),
                  config_str(config, "database.url") ? config_source(config, "database.url")
                                                     : "not set");
    else
        rc = store_open(url, &options, ret, err);
    free(url);
    return rc;
}
