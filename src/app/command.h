/* The program's commands, one file each; main.c lists them. */
#ifndef DBCONN_APP_COMMAND_H
#define DBCONN_APP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/alloc.h"

#define EXIT_OK 0
#define EXIT_NOT_DONE 1 /* the investigation, or a check, failed */
#define EXIT_USAGE 2    /* usage or configuration */

struct app_command {
    const char *name;
    const char *summary;               /* a line in `dbconn --help` */
    const char *help;                  /* the whole text of `dbconn NAME --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; gives the exit code */
};

extern const struct app_command command_audit;
extern const struct app_command command_check;
extern const struct app_command command_config;
extern const struct app_command command_feedback;
extern const struct app_command command_jobs;
extern const struct app_command command_manifest;
extern const struct app_command command_playbook;
extern const struct app_command command_replay;
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
void log_use_level(const struct config *config);
/* Loads the configuration and sets the log up; prints what is wrong. NULL: end with EXIT_USAGE.
 */
struct config *load_config(const struct common_options *options);
/* The same for commands whose output people read: only errors are logged unless log.level is set.
 */
struct config *load_config_quietly(const struct common_options *options);

/* One of several commands under a common name: `dbconn jobs list`. */
struct app_subcommand {
    const char *name;
    /* argv[0] is the subcommand's name; the common options are taken out already. */
    int (*run)(const struct common_options *common, int argc, char **argv);
};

/* Reads the common options and runs the subcommand that the first argument names. */
int subcommand_run(const struct app_command *command, const struct app_subcommand *subcommands,
                   size_t n, int argc, char **argv);

/* A command's own options. Exactly one of `flag` and `value` is set. */
struct app_option {
    const char *name;   /* "--json" */
    bool *flag;         /* set to true when it is given */
    const char **value; /* what follows it, or stands behind "=" */
};
/*
 * Takes the options out of argv and gives the number of other arguments, which are then argv[1..];
 * at most `max` may be left. -1 with a line on stderr that names what was wrong: end with
 * EXIT_USAGE. `who` is the command for that line: "jobs list".
 */
int app_options_read(const char *who, const struct app_option *options, size_t n, int argc,
                     char **argv, int max);

/* "90m", "36h", "30d" as ms; false for anything else. */
bool age_parse(const char *text, int64_t *ret_ms);
/* A whole number of 1 or more; false for anything else. */
bool count_parse(const char *text, int64_t *ret);

struct error;
/* What went wrong, on stderr, or with `json` as report_error_print()'s document on stdout too.
 * Clears `err`. Gives EXIT_USAGE for a wrong configuration, else EXIT_NOT_DONE. */
int command_failed(struct error *err, bool json, const char *source);

int terminal_width(void); /* of standard output; 0 when it is no terminal */

#endif
