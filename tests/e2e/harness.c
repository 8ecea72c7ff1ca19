#include "harness.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define POLL_MS 10
#define RUN_LIMIT_S 120 /* for a command to end */

/* ---- processes ---- */

static void pause_ms(int ms)
{
    struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

    nanosleep(&ts, NULL);
}

static const char *program(const char *variable, const char *fallback)
{
    const char *path = getenv(variable);

    return path && *path ? path : fallback;
}

static int open_log(const struct stage *s, const char *name)
{
    char *path = xasprintf("%s/%s", s->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    free(path);
    return fd;
}

static void child_exec(const char *const *argv, const char *const *env, int in, int out, int err)
{
    /* A test that fails jumps out of its stage: what it started ends with the test program. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
    _exit(127);
}

/* Waits for a process to end; -1 when it does not in time. */
static int wait_for_exit(pid_t pid, int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (clock_mono_ms() > until)
            return -1;
        pause_ms(POLL_MS);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void put_back_environment(const struct stage *s, struct buf *kept)
{
    static const char *const names[] = {
        "PATH", "LANG", "TZ", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"
    };

    (void)s;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (value) {
            char *pair = xasprintf("%s=%s", names[i], value);
            buf_add(kept, &pair, sizeof(pair));
        }
    }
}

/* ---- the sandbox ---- */

static char *read_line(int fd)
{
    struct buf line = BUF_INIT;
    int64_t until = clock_mono_ms() + DEADLINE_MS;
    char c;

    while (clock_mono_ms() < until) {
        ssize_t n = read(fd, &c, 1);
        if (n == 0 || (n == 1 && c == '\n'))
            break;
        if (n == 1)
            buf_addc(&line, c);
    }
    return buf_take(&line);
}

static void spawn_sandbox(struct stage *s, const struct stage_options *options)
{
    const char *name = options->scenario ? options->scenario : "deployment-config-change";
    char *file =
        strchr(name, '/') ? xstrdup(name) : xasprintf("contrib/sandbox/scenarios/%s.json", name);
    const char *argv[32] = { program("SANDBOX", "build/dbconn-sandbox"), "--stdin" };
    size_t n = 2;
    int in[2], out[2], err = open_log(s, "sandbox.log");

    for (size_t i = 0; options->sandbox_args && options->sandbox_args[i] && n < 30; i++)
        argv[n++] = options->sandbox_args[i];
    argv[n] = file;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    s->sandbox = fork();
    assert_true(s->sandbox >= 0);
    if (s->sandbox == 0)
        child_exec(argv, (const char *const *)environ, in[0], out[1], err);
    close(in[0]);
    close(out[1]);
    close(err);
    s->sandbox_in = in[1];
    char *line = read_line(out[0]);
    close(out[0]);
    free(file);
    s->start = cJSON_Parse(line);
    if (!s->start)
        fail_msg("the sandbox did not start: \"%s\"", line);
    free(line);
    s->control = xstrdup(json_str(s->start, "control"));
    s->short_id = xstrdup(json_str(s->start, "short_id"));
}

/* ---- the bot ---- */

static void put_env(cJSON *env, const char *name, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(env, name);
    json_put_str(env, name, value);
}

static void make_environment(struct stage *s, const struct stage_options *options)
{
    char *url = xasprintf("sqlite:%s/dbconn.db", s->dir);

    s->env = cJSON_Duplicate(json_get(s->start, "env"), true);
    put_env(s->env, "DBCONN_DATABASE_URL", url);
    put_env(s->env, "XDG_STATE_HOME", s->dir);
    put_env(s->env, "HOME", s->dir);
    for (size_t i = 0; options->bot_env && options->bot_env[i]; i++) {
        const char *equals = strchr(options->bot_env[i], '=');
        char *name = xstrndup(options->bot_env[i], (size_t)(equals - options->bot_env[i]));
        put_env(s->env, name, equals + 1);
        free(name);
    }
    free(url);
}

static char **environment_of(const struct stage *s, size_t *ret_n)
{
    struct buf list = BUF_INIT;
    char *end = NULL;

    put_back_environment(s, &list);
    for (const cJSON *e = s->env->child; e; e = e->next) {
        char *pair = xasprintf("%s=%s", e->string, e->valuestring);
        buf_add(&list, &pair, sizeof(pair));
    }
    *ret_n = list.len / sizeof(char *);
    buf_add(&list, &end, sizeof(end));
    return (char **)(void *)buf_take(&list);
}

void stage_spawn_bot(struct stage *s)
{
    const char *argv[] = { program("DBCONN", "build/dbconn"), "serve",
                           s->config ? "--config" : NULL, s->config, NULL };
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), log = open_log(s, "bot.log");
    size_t n;
    char **env = environment_of(s, &n);

    s->bot = fork();
    assert_true(s->bot >= 0);
    if (s->bot == 0)
        child_exec(argv, (const char *const *)env, null, log, log);
    close(null);
    close(log);
    for (size_t i = 0; i < n; i++)
        free(env[i]);
    free(env);
}

static char *read_all(int fd)
{
    struct buf out = BUF_INIT;
    char bytes[8192];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        buf_add(&out, bytes, (size_t)n);
    close(fd);
    return buf_take(&out);
}

char *stage_run(struct stage *s, const char *const *args, int *ret_code)
{
    const char *argv[16] = { program("DBCONN", "build/dbconn") };
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), log = open_log(s, "run.log"), out[2];
    size_t n, n_env;
    char **env = environment_of(s, &n_env), *text;

    for (n = 0; args[n] && n + 2 < ARRAY_LEN(argv); n++)
        argv[n + 1] = args[n];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(RUN_LIMIT_S); /* it stays over execve(): whoever hangs ends by SIGALRM */
        child_exec(argv, (const char *const *)env, null, out[1], log);
    }
    close(out[1]);
    close(null);
    close(log);
    text = read_all(out[0]);
    *ret_code = wait_for_exit(pid, DEADLINE_MS);
    for (size_t i = 0; i < n_env; i++)
        free(env[i]);
    free(env);
    return text;
}

void stage_start_bot(struct stage *s)
{
    stage_spawn_bot(s);
    wait_until(s, is_connected, NULL, "the bot's connection");
}

void stage_show_log(const struct stage *s)
{
    char *log = stage_bot_log(s);
    size_t n = strlen(log);

    print_message("---- the bot's log ----\n%s---- end ----\n", n > 6000 ? log + n - 6000 : log);
    free(log);
}

int stage_wait_bot(struct stage *s)
{
    int code = wait_for_exit(s->bot, DEADLINE_MS);

    if (code < 0) {
        stage_show_log(s);
        fail_msg("dbconn serve did not end within %d ms", DEADLINE_MS);
    }
    s->bot = 0;
    s->bot_exit = code;
    return code;
}

void stage_stop_bot(struct stage *s)
{
    kill(s->bot, SIGTERM);
    if (stage_wait_bot(s) != 0) {
        stage_show_log(s);
        fail_msg("dbconn serve ended with %d after SIGTERM", s->bot_exit);
    }
}

void stage_kill_bot(struct stage *s)
{
    kill(s->bot, SIGKILL);
    (void)stage_wait_bot(s);
}

static char *read_log(const struct stage *s, const char *name)
{
    char *path = xasprintf("%s/%s", s->dir, name), bytes[8192];
    struct buf text = BUF_INIT;
    FILE *file = fopen(path, "rb");
    size_t n;

    while (file && (n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(&text, bytes, n);
    if (file)
        fclose(file);
    free(path);
    return buf_take(&text);
}

char *stage_bot_log(const struct stage *s)
{
    return read_log(s, "bot.log");
}

bool stage_log_has(const struct stage *s, const char *what)
{
    char *log = stage_bot_log(s);
    bool has = strstr(log, what) != NULL;

    free(log);
    return has;
}

/* ---- the stage ---- */

void stage_open(struct stage *s, const struct stage_options *options)
{
    const char *tmp = getenv("TMPDIR");

    *s = (struct stage){ .sandbox_in = -1 };
    s->dir = xasprintf("%s/dbconn-e2e-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(s->dir));
    s->curl = curl_easy_init();
    assert_non_null(s->curl);
    spawn_sandbox(s, options);
    make_environment(s, options);
    if (!options->no_bot)
        stage_start_bot(s);
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char *inner;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        inner = xasprintf("%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR)
            remove_tree(inner);
        else
            unlink(inner);
        free(inner);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

void stage_close(struct stage *s)
{
    int sandbox_code;

    if (s->bot > 0)
        stage_stop_bot(s);
    close(s->sandbox_in);
    sandbox_code = wait_for_exit(s->sandbox, DEADLINE_MS);
    if (sandbox_code < 0)
        kill(s->sandbox, SIGKILL);
    if (sandbox_code != 0) {
        char *log = read_log(s, "sandbox.log");
        print_message("---- the sandbox's log ----\n%s---- end ----\n", log);
        free(log);
    }
    curl_easy_cleanup(s->curl);
    remove_tree(s->dir);
    free(s->dir);
    free(s->control);
    free(s->short_id);
    free(s->config);
    cJSON_Delete(s->start);
    cJSON_Delete(s->env);
    assert_int_equal(sandbox_code, 0);
}

/* ---- the control port ---- */

static size_t take_bytes(char *bytes, size_t size, size_t n, void *user)
{
    buf_add(user, bytes, size * n);
    return size * n;
}

static long ask(struct stage *s, const char *path, const char *body, struct buf *reply)
{
    char *url = xasprintf("%s%s", s->control, path);
    long status = 0;

    curl_easy_reset(s->curl);
    curl_easy_setopt(s->curl, CURLOPT_URL, url);
    curl_easy_setopt(s->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, (long)DEADLINE_MS);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, reply);
    if (body)
        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, body);
    if (curl_easy_perform(s->curl) == CURLE_OK)
        curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    free(url);
    return status;
}

char *control_text(struct stage *s, const char *path)
{
    struct buf reply = BUF_INIT;
    long status = ask(s, path, NULL, &reply);

    if (status != 200)
        fail_msg("%s: the sandbox answered %ld %s", path, status, buf_str(&reply));
    return buf_take(&reply);
}

cJSON *control(struct stage *s, const char *path, const char *body)
{
    struct buf reply = BUF_INIT;
    long status = ask(s, path, body, &reply);
    cJSON *tree = cJSON_Parse(buf_str(&reply));

    if (status != 200 || !tree)
        fail_msg("%s: the sandbox answered %ld %s", path, status, buf_str(&reply));
    buf_clear(&reply);
    return tree;
}

char *type_command(struct stage *s, const char *channel, const char *text)
{
    cJSON *spec = cJSON_CreateObject(), *reply;
    char *body, *id;

    json_put_str(spec, "channel", channel);
    json_put_str(spec, "text", text);
    body = json_print(spec);
    reply = control(s, "/command", body);
    id = xstrdup(json_str(reply, "envelope_id"));
    cJSON_Delete(reply);
    cJSON_Delete(spec);
    free(body);
    if (!id)
        fail_msg("the command was not delivered: no connection");
    return id;
}

/* ---- waiting ---- */

void wait_until(struct stage *s, condition_fn *condition, const void *arg, const char *what)
{
    int64_t until = clock_mono_ms() + DEADLINE_MS;

    while (!condition(s, arg)) {
        if (clock_mono_ms() > until) {
            char *shown = control_text(s, "/transcript");
            stage_show_log(s);
            print_message("---- the channel ----\n%s---- end ----\n", shown);
            free(shown);
            fail_msg("not within %d ms: %s", DEADLINE_MS, what);
        }
        pause_ms(POLL_MS);
    }
}

static int size_and_free(cJSON *tree)
{
    int n = cJSON_GetArraySize(tree);

    cJSON_Delete(tree);
    return n;
}

bool is_connected(struct stage *s, const void *arg)
{
    (void)arg;
    return size_and_free(control(s, "/sockets", NULL)) > 0;
}

bool is_acknowledged(struct stage *s, const void *arg)
{
    char *path = xasprintf("/envelopes?id=%s", (const char *)arg);
    cJSON *list = control(s, path, NULL);
    bool yes = cJSON_IsTrue(json_get(json_first(list), "acknowledged"));

    cJSON_Delete(list);
    free(path);
    return yes;
}

bool transcript_has(struct stage *s, const void *arg)
{
    char *text = control_text(s, "/transcript");
    bool has = strstr(text, arg) != NULL;

    free(text);
    return has;
}

bool log_has(struct stage *s, const void *arg)
{
    return stage_log_has(s, arg);
}

int count_in_log(const struct stage *s, const char *what)
{
    char *log = stage_bot_log(s);
    int n = 0;

    for (const char *p = log; (p = strstr(p, what)); p++)
        n++;
    free(log);
    return n;
}

bool jobs_have_ended(struct stage *s, const void *arg)
{
    return count_in_log(s, "event=job.end ") >= *(const int *)arg;
}

bool diagnosis_is_reached(struct stage *s, const void *arg)
{
    (void)arg;
    return stage_log_has(s, "event=job.diagnosis ");
}

bool job_has_ended(struct stage *s, const void *arg)
{
    static const int one = 1;

    (void)arg;
    return jobs_have_ended(s, &one);
}
