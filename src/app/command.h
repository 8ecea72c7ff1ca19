/* The program's commands, one file each; main.c lists them. */
#ifndef DBCONN_APP_COMMAND_H
#define DBCONN_APP_COMMAND_H

#define EXIT_OK 0
#define EXIT_NOT_DONE 1 /* the investigation, or a check, failed */
#define EXIT_USAGE 2    /* usage or configuration */

struct app_command {
    const char *name;
    const char *summary;               /* a line in `dbconn --help` */
    const char *help;                  /* the whole text of `dbconn NAME --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; gives the exit code */
};

extern const struct app_command command_check;
extern const struct app_command command_run;
extern const struct app_command command_serve;

/*
 * Reads the options that every command has (--config FILE, --help) out of argv. Gives the number
 * of arguments that are left in argv[1..], or -1 when *exit_code says how to end.
 */
struct common_options {
    const char *config_path;
};
int common_options_read(const struct app_command *command, int argc, char **argv,
                        struct common_options *ret, int *exit_code);

struct config;
/* Loads the configuration and sets the log level; prints what is wrong. NULL: end with EXIT_USAGE.
 */
struct config *load_config(const struct common_options *options);

#endif
