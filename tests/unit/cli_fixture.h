/*
 * cli_fixture - runs the built program as a person would, and keeps what it printed.
 *
 * The program is $DBCONN, or the one that stands beside the folder of the tests. It sees only the
 * environment that the test gives it.
 */
#ifndef DBCONN_TESTS_CLI_FIXTURE_H
#define DBCONN_TESTS_CLI_FIXTURE_H

#include "store_fixture.h"

#include <libgen.h>
#include <signal.h>

#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"

#define CLI_MAX_ENV 16

struct cli {
    char *program, *folder;
    char *env[CLI_MAX_ENV]; /* "NAME=VALUE" */
    int code;               /* of the last run; -1: it crashed */
    struct buf out, err;
};

static inline void cli_open(struct cli *c, const char *test_program)
{
    const char *given = getenv("DBCONN");
    char *own = xstrdup(test_program);

    *c = (struct cli){ .folder = make_folder() };
    c->program = given ? xstrdup(given) : xasprintf("%s/../dbconn", dirname(own));
    if (access(c->program, X_OK) != 0)
        fail_msg("%s is not there: build it first, or set DBCONN", c->program);
    free(own);
}

/* Sets, replaces or (NULL) removes one variable of the program's environment. */
static inline void cli_env(struct cli *c, const char *name, const char *value)
{
    size_t len = strlen(name), free_slot = CLI_MAX_ENV;

    for (size_t i = 0; i < CLI_MAX_ENV; i++) {
        if (c->env[i] && strncmp(c->env[i], name, len) == 0 && c->env[i][len] == '=') {
            free(c->env[i]);
            c->env[i] = NULL;
        }
        if (!c->env[i] && free_slot == CLI_MAX_ENV)
            free_slot = i;
    }
    assert_true(free_slot < CLI_MAX_ENV);
    if (value)
        c->env[free_slot] = xasprintf("%s=%s", name, value);
}

static inline void cli_child(const struct cli *c, char *const *argv, int out, int err)
{
    static const char *const kept[] = { "PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS",
                                        "LSAN_OPTIONS" };
    char *env[CLI_MAX_ENV + ARRAY_LEN(kept) + 1];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (getenv(kept[i]))
            env[n++] = xasprintf("%s=%s", kept[i], getenv(kept[i]));
    for (size_t i = 0; i < CLI_MAX_ENV; i++)
        if (c->env[i])
            env[n++] = c->env[i];
    env[n] = NULL;
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    (void)signal(SIGXFSZ, SIG_DFL); /* what a test ignores the program would inherit */
    execve(c->program, argv, env);
    _exit(127);
}

static inline void cli_take(int fd, struct buf *to)
{
    char chunk[8192];
    ssize_t n;

    buf_clear(to);
    for (off_t at = 0; (n = pread(fd, chunk, sizeof(chunk), at)) > 0; at += n)
        buf_add(to, chunk, (size_t)n);
    close(fd);
}

static inline int cli_capture(const struct cli *c)
{
    char *path = xasprintf("%s/capture-XXXXXX", c->folder);
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    free(path);
    return fd;
}

/* Runs `dbconn ARGS...` (NULL at the end) and gives its exit code. */
static inline int cli_run(struct cli *c, const char *const *args)
{
    char *argv[32] = { c->program };
    int out = cli_capture(c), err = cli_capture(c), status = 0;

    for (size_t i = 0; args[i]; i++) {
        assert_true(i + 2 < ARRAY_LEN(argv));
        argv[i + 1] = (char *)(uintptr_t)args[i];
    }
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        cli_child(c, argv, out, err);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    cli_take(out, &c->out);
    cli_take(err, &c->err);
    c->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return c->code;
}

#define CLI(c, ...) cli_run((c), (const char *const[]){ __VA_ARGS__, NULL })

/* The exit code, with everything that was printed when it is another one. */
#define ASSERT_EXIT(expected, c, ...)                                                              \
    do {                                                                                           \
        if (CLI(c, __VA_ARGS__) != (expected))                                                     \
            fail_msg("exit code %d, expected %d\n--- stdout\n%s\n--- stderr\n%s", (c)->code,       \
                     (expected), buf_str(&(c)->out), buf_str(&(c)->err));                          \
    } while (0)

static inline void assert_said(const struct buf *text, const char *part)
{
    if (!strstr(buf_str(text), part))
        fail_msg("\"%s\" is not in:\n%s", part, buf_str(text));
}

static inline void assert_not_said(const struct buf *text, const char *part)
{
    if (strstr(buf_str(text), part))
        fail_msg("\"%s\" is in:\n%s", part, buf_str(text));
}

static inline char *cli_path(const struct cli *c, const char *name)
{
    return xasprintf("%s/%s", c->folder, name);
}

/* Writes a file into the fixture's folder; its path, heap. */
static inline char *cli_write(const struct cli *c, const char *name, const char *text)
{
    char *path = cli_path(c, name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

static inline void cli_close(struct cli *c)
{
    for (size_t i = 0; i < CLI_MAX_ENV; i++)
        free(c->env[i]);
    buf_clear(&c->out);
    buf_clear(&c->err);
    remove_folder(c->folder);
    free(c->folder);
    free(c->program);
}

/* For tests that need no more than this; the first state of a test is its program's argv[0]. */
#define CLI_TEST(name, argv0)                                                                      \
    cmocka_unit_test_prestate_setup_teardown(name, cli_setup, cli_teardown, argv0)

static inline int cli_setup(void **state)
{
    struct cli *c = xcalloc(1, sizeof(*c));

    cli_open(c, *state);
    *state = c;
    return 0;
}

static inline int cli_teardown(void **state)
{
    cli_close(*state);
    free(*state);
    return 0;
}

/* ---- what was printed, and what is read beside it ---- */

static inline cJSON *cli_json(const struct cli *c)
{
    struct error err = ERROR_INIT;
    cJSON *doc = NULL;

    if (json_parse(buf_str(&c->out), c->out.len, "stdout", &doc, &err) < 0)
        fail_msg("%s: %s", error_text(&err), buf_str(&c->out));
    return doc;
}

static inline char *cli_read_file(const char *path)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;

    if (file_read(path, 4u << 20, &text, &err) < 0)
        fail_msg("%s", error_text(&err));
    return buf_take(&text);
}

#endif
