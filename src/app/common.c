#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dbconn/app/config.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"

int common_options_read(const struct app_command *command, int argc, char **argv,
                        struct common_options *ret, int *exit_code)
{
    int kept = 1;

    *ret = (struct common_options){ 0 };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(command->help, stdout);
            *exit_code = EXIT_OK;
            return -1;
        }
        if (strncmp(argv[i], "--config=", 9) == 0 && argv[i][9]) {
            ret->config_path = argv[i] + 9;
            continue;
        }
        if (strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "--config=") == 0) {
            if (i + 1 == argc) {
                fprintf(stderr, "dbconn: --config needs a file\n");
                *exit_code = EXIT_USAGE;
                return -1;
            }
            ret->config_path = argv[++i];
            continue;
        }
        argv[kept++] = argv[i];
    }
    return kept - 1;
}

void log_use_level(const struct config *config)
{
    enum log_level level = LOG_INFO;

    (void)log_parse_level(config_str(config, "log.level"), &level); /* config_load() checked it */
    log_set_level(level);
}

static void configure_log(const struct config *config)
{
    const char *format = config_str(config, "log.format");
    bool journal =
        strcmp(format, "auto") == 0 && log_is_journal(getenv("JOURNAL_STREAM"), STDERR_FILENO);

    redact_people(config_bool(config, "redact.emails"), config_bool(config, "redact.addresses"));
    log_use_level(config);
    log_set_format(strcmp(format, "json") == 0 ? LOG_JSON : LOG_LOGFMT);
    if (!log_to_journal(journal ? LOG_JOURNAL_SOCKET : NULL))
        LOG(WARN, "log.journal", F_STR("why", "its socket does not answer"),
            F_STR("effect", "lines go to standard error"));
}

struct config *load_config(const struct common_options *options)
{
    struct error err = ERROR_INIT;
    struct config *config = NULL;

    if (config_load(options->config_path, getenv, &config, &err) < 0) {
        fprintf(stderr, "dbconn: %s\n", error_text(&err));
        error_clear(&err);
        return NULL;
    }
    configure_log(config);
    return config;
}

struct config *load_config_quietly(const struct common_options *options)
{
    struct config *config = load_config(options);

    if (config && strcmp(config_source(config, "log.level"), "default") == 0)
        log_set_level(LOG_ERROR);
    return config;
}
