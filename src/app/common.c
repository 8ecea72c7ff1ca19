#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/app/config.h"
#include "dbconn/base/log.h"

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

struct config *load_config(const struct common_options *options)
{
    struct error err = ERROR_INIT;
    struct config *config = NULL;
    enum log_level level = LOG_INFO;

    if (config_load(options->config_path, getenv, &config, &err) < 0) {
        fprintf(stderr, "dbconn: %s\n", error_text(&err));
        error_clear(&err);
        return NULL;
    }
    (void)log_parse_level(config_str(config, "log.level"), &level); /* config_load() checked it */
    log_set_level(level);
    return config;
}

struct config *load_config_quietly(const struct common_options *options)
{
    struct config *config = load_config(options);

    if (config && strcmp(config_source(config, "log.level"), "default") == 0)
        log_set_level(LOG_ERROR);
    return config;
}
