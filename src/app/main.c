#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "command.h"

static const struct app_command *const commands[] = {
    &command_serve, &command_run,    &command_check,    &command_jobs,   &command_feedback,
    &command_audit, &command_replay, &command_playbook, &command_config, &command_manifest
};
static const size_t n_commands = sizeof(commands) / sizeof(commands[0]);

static void print_help(FILE *out)
{
    fputs("dbconn - finds out why the database refuses connections\n\n"
          "Usage: dbconn COMMAND [OPTIONS]\n\n",
          out);
    for (size_t i = 0; i < n_commands; i++)
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n  --help     this text; dbconn COMMAND --help tells more\n"
          "  --version  the version\n",
          out);
}

/* Files are nobody else's business, and no crash leaves tokens on the disk. */
static void keep_to_ourselves(void)
{
    (void)umask(077);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
#ifndef __SANITIZE_ADDRESS__ /* its search for leaks traces the process */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

int main(int argc, char **argv)
{
    /* Writing past a file-size limit is an error to report, not a reason to die. */
    (void)signal(SIGXFSZ, SIG_IGN);
    keep_to_ourselves();
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("dbconn " DBCONN_VERSION);
        return EXIT_OK;
    }
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            return commands[i]->run(argc - 1, argv + 1);
    fprintf(stderr, "dbconn: there is no command \"%s\"\n\n", argv[1]);
    print_help(stderr);
    return EXIT_USAGE;
}
