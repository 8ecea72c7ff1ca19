/* The configuration: any text gives a configuration or a sentence that says what is wrong. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/access_config.h"
#include "dbconn/app/config.h"
#include "dbconn/base/redact.h"
#include "fuzz.h"

static char *no_environment(const char *name)
{
    (void)name;
    return NULL;
}

static void read_all(const struct config *c)
{
    struct error err = ERROR_INIT;
    struct access *access = NULL;

    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        FUZZ_CHECK(o->type != CONFIG_NUMBER || config_num(c, o->key) >= 0);
        FUZZ_CHECK(config_source(c, o->key));
    }
    if (access_from_config(c, &access, &err) == 0)
        access_free(access);
    else
        FUZZ_CHECK(err.code == ERR_CONFIG && *error_text(&err));
    error_clear(&err);
}

void fuzz_config(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct config *c = NULL;
    char path[64];
    int fd;

    /* A key such as sentry.auth_token_file would read whatever file the input names. */
    if (memmem(data, size, "_file", 5) || (fd = memfd_create("config", MFD_CLOEXEC)) < 0)
        return;
    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (config_load(path, no_environment, &c, &err) == 0)
        read_all(c);
    else
        FUZZ_CHECK(err.code == ERR_CONFIG && *error_text(&err));
    error_clear(&err);
    config_free(c);
    redact_forget_all();
    close(fd);
}
