/* Subcommands and options of the program's commands. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"
#include "dbconn/report/report_json.h"

static void list_names(const struct app_subcommand *subcommands, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s%s", i ? ", " : "", subcommands[i].name);
}

int subcommand_run(const struct app_command *command, const struct app_subcommand *subcommands,
                   size_t n, int argc, char **argv)
{
    struct common_options options;
    int exit_code, left = common_options_read(command, argc, argv, &options, &exit_code);

    if (left < 0)
        return exit_code;
    for (size_t i = 0; left > 0 && i < n; i++)
        if (text_same(argv[1], subcommands[i].name))
            return subcommands[i].run(&options, left, argv + 1);
    if (left > 0)
        fprintf(stderr, "dbconn %s: there is no \"%s\"; it is one of: ", command->name, argv[1]);
    else
        fprintf(stderr, "dbconn %s: what? One of: ", command->name);
    list_names(subcommands, n);
    fprintf(stderr, ". See dbconn %s --help\n", command->name);
    return EXIT_USAGE;
}

/* ---- options ---- */

static int refuse(const char *who, const char *what, const char *why)
{
    size_t len = strcspn(who, " ");

    fprintf(stderr, "dbconn %s: %s %s; see dbconn %.*s --help\n", who, what, why, (int)len, who);
    return -1;
}

/* Is `arg` this option, alone or with "=VALUE" behind it? */
static bool is_option(const char *arg, const struct app_option *o)
{
    size_t len = strlen(o->name);

    return strncmp(arg, o->name, len) == 0 && (arg[len] == '\0' || arg[len] == '=');
}

/* Reads argv[*i] and moves *i over the value. */
static int take(const char *who, const struct app_option *o, int argc, char **argv, int *i)
{
    const char *equals = strchr(argv[*i], '=');

    if (o->flag) {
        if (equals)
            return refuse(who, o->name, "takes no value");
        *o->flag = true;
        return 0;
    }
    if (!equals && *i + 1 >= argc)
        return refuse(who, o->name, "needs a value");
    *o->value = equals ? equals + 1 : argv[++*i];
    return 0;
}

static const struct app_option *find(const struct app_option *options, size_t n, const char *arg)
{
    for (size_t i = 0; i < n; i++)
        if (is_option(arg, &options[i]))
            return &options[i];
    return NULL;
}

int app_options_read(const char *who, const struct app_option *options, size_t n, int argc,
                     char **argv, int max)
{
    bool only_arguments = false;
    int kept = 1;

    for (int i = 1; i < argc; i++) {
        const struct app_option *o = only_arguments ? NULL : find(options, n, argv[i]);
        if (o) {
            if (take(who, o, argc, argv, &i) < 0)
                return -1;
        } else if (!only_arguments && text_same(argv[i], "--")) {
            only_arguments = true;
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1]) {
            return refuse(who, argv[i], "is no option of it");
        } else if (kept > max) {
            return refuse(who, argv[i], "was not expected");
        } else {
            argv[kept++] = argv[i];
        }
    }
    return kept - 1;
}

/* ---- values ---- */

bool count_parse(const char *text, int64_t *ret)
{
    char *end;

    if (!text || *text < '1' || *text > '9')
        return false;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || *end)
        return false;
    *ret = number;
    return true;
}

bool age_parse(const char *text, int64_t *ret_ms)
{
    size_t len = text ? strlen(text) : 0;
    char *digits = len ? xstrndup(text, len - 1) : NULL;
    int64_t unit = !len                   ? 0
                   : text[len - 1] == 'm' ? MINUTE_MS
                   : text[len - 1] == 'h' ? HOUR_MS
                   : text[len - 1] == 'd' ? DAY_MS
                                          : 0;
    int64_t number;
    bool ok = unit && count_parse(digits, &number) && number <= INT64_C(100000) * DAY_MS / unit;

    if (ok)
        *ret_ms = number * unit;
    free(digits);
    return ok;
}

/* ---- results ---- */

int command_failed(struct error *err, bool json, const char *source)
{
    int exit_code = err->code == ERR_CONFIG || err->code == ERR_USAGE ? EXIT_USAGE : EXIT_NOT_DONE;

    fprintf(stderr, "dbconn: %s\n", error_text(err));
    if (json) {
        char *text = report_error_print(err, source);
        puts(text);
        free(text);
    }
    error_clear(err);
    return exit_code;
}

int terminal_width(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 0;
}
