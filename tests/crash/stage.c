#include "stage.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define START_MS 20000
#define STOP_MS 15000
#define USUAL_EDITS 45 /* a minute */
#define NO_LIMIT 1000000

/* ---- the control port ---- */

static size_t take_bytes(char *bytes, size_t size, size_t n, void *user)
{
    buf_add(user, bytes, size * n);
    return size * n;
}

static cJSON *ask(struct stage *s, const char *path, const char *body)
{
    struct buf answer = BUF_INIT;
    char *url = xasprintf("%s%s", s->control, path);
    long status = 0;
    cJSON *tree = NULL;

    curl_easy_reset(s->curl);
    curl_easy_setopt(s->curl, CURLOPT_URL, url);
    curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(s->curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(s->curl, CURLOPT_NOPROXY, "*");
    if (body)
        curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, body);
    CURLcode rc = curl_easy_perform(s->curl);
    if (rc != CURLE_OK)
        die("%s: %s", url, curl_easy_strerror(rc));
    curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200)
        (void)!json_parse(buf_str(&answer), answer.len, "the sandbox's answer", &tree, NULL);
    buf_clear(&answer);
    free(url);
    return tree;
}

cJSON *stage_get(struct stage *s, const char *path)
{
    return ask(s, path, NULL);
}

cJSON *stage_post(struct stage *s, const char *path, const cJSON *body)
{
    char *text = body ? json_print(body) : xstrdup("{}");
    cJSON *answer = ask(s, path, text);

    free(text);
    return answer;
}

void stage_faults(struct stage *s, const char *json)
{
    cJSON *answer = ask(s, "/faults", json);

    if (!answer)
        die("the sandbox does not take the faults %s", json);
    cJSON_Delete(answer);
}

bool stage_try_command(struct stage *s, size_t channel, const char *text)
{
    cJSON *body = cJSON_CreateObject(), *answer;
    char *id = world_channel(channel);
    bool delivered = false;

    json_put_str(body, "text", text);
    json_put_str(body, "channel", id);
    answer = stage_post(s, "/command", body);
    (void)json_bool(answer, "delivered", &delivered);
    cJSON_Delete(answer);
    cJSON_Delete(body);
    free(id);
    return delivered;
}

void stage_command(struct stage *s, size_t channel, const char *text)
{
    if (!stage_try_command(s, channel, text))
        die("the command \"%s\" could not be delivered", text);
}

/* Until that count of the sandbox's is 0. */
static void wait_for_none(struct stage *s, const char *part, const char *count)
{
    int64_t until = clock_mono_ms() + START_MS, n = 1;

    while (n > 0 && clock_mono_ms() < until) {
        cJSON *counts = stage_get(s, "/counts");
        if (!json_i64(json_get(counts, part), count, &n))
            n = 0;
        cJSON_Delete(counts);
        sleep_ms(10);
    }
}

void stage_wait_acknowledged(struct stage *s)
{
    wait_for_none(s, "socket", "waiting");
}

void stage_wait_landed(struct stage *s)
{
    wait_for_none(s, "slack", "under_way");
}

int64_t stage_last_request(struct stage *s)
{
    cJSON *log = stage_get(s, "/log");
    int64_t seq = 0;

    (void)json_i64(cJSON_GetArrayItem(log, cJSON_GetArraySize(log) - 1), "seq", &seq);
    cJSON_Delete(log);
    return seq;
}

/* ---- starting and ending ---- */

static const char *program(const char *variable, const char *usual)
{
    const char *path = getenv(variable);

    return path ? path : usual;
}

static void write_config(struct stage *s, const struct stage_options *o)
{
    FILE *out;

    s->config = xasprintf("%s/dbconn.json", s->folder);
    out = fopen(s->config, "w");
    if (!out)
        die("%s: %s", s->config, strerror(errno));
    /* Every kill is an attempt: with the usual limit the third one would be the job's end. */
    fprintf(out,
            "{\"queue\": {\"max_attempts\": 100, \"lease_seconds\": %d, \"max_running\": %d, "
            "\"max_waiting\": %d}, \"slack\": {\"edits_per_minute\": %d}}\n",
            o->lease_s ? o->lease_s : 15, o->max_running ? o->max_running : 8,
            o->max_waiting ? o->max_waiting : 100, o->lift_limits ? NO_LIMIT : USUAL_EDITS);
    fclose(out);
}

static char *read_line(int fd)
{
    struct buf line = BUF_INIT;
    char c;

    while (read(fd, &c, 1) == 1 && c != '\n')
        buf_addc(&line, c);
    close(fd);
    return buf_take(&line);
}

static void start_sandbox(struct stage *s, const struct stage_options *o, const char *scenario)
{
    char *log = xasprintf("%s/sandbox.log", s->folder), *line;
    const char *argv[] = { program("SANDBOX", "build/dbconn-sandbox"), "--allow-kill", scenario,
                           o->lift_limits ? "--lift-limits" : NULL, NULL };
    struct environment none = { 0 };
    cJSON *start;
    int out;

    environment_put(&none, "PATH", "/usr/bin:/bin");
    s->sandbox = process_start(argv, &none, log, &out);
    line = read_line(out);
    start = cJSON_Parse(line ? line : "");
    if (!start)
        die("the sandbox did not start: see %s", log);
    s->control = xstrdup(json_str(start, "control"));
    for (const cJSON *e = json_get(start, "env")->child; e; e = e->next)
        environment_put(&s->env, e->string, e->valuestring);
    cJSON_Delete(start);
    environment_clear(&none);
    free(line);
    free(log);
}

void stage_open(struct stage *s, const struct stage_options *o)
{
    char *scenario;

    *s = (struct stage){ .folder = make_tree("crash"), .curl = curl_easy_init() };
    scenario = xasprintf("%s/scenario.json", s->folder);
    world_write(scenario, &o->world);
    write_config(s, o);
    environment_put(&s->env, "PATH", "/usr/bin:/bin");
    environment_put(&s->env, "HOME", s->folder);
    for (const char *const *name = (const char *const[]){ "ASAN_OPTIONS", "UBSAN_OPTIONS", NULL };
         *name; name++)
        if (getenv(*name))
            environment_put(&s->env, *name, getenv(*name));
    start_sandbox(s, o, scenario);
    s->store_url =
        o->store_url ? xstrdup(o->store_url) : xasprintf("sqlite:%s/queue.db", s->folder);
    environment_put(&s->env, "DBCONN_DATABASE_URL", s->store_url);
    free(scenario);
}

void stage_close(struct stage *s, bool keep)
{
    for (int i = 0; i < STAGE_BOTS; i++)
        process_kill(s->bots[i]);
    process_kill(s->sandbox);
    curl_easy_cleanup(s->curl);
    if (!keep)
        remove_tree(s->folder);
    free(s->folder);
    free(s->store_url);
    free(s->config);
    free(s->control);
    environment_clear(&s->env);
    *s = (struct stage){ 0 };
}

/* ---- the bots ---- */

void stage_start_bot(struct stage *s, int which, const struct environment *extra)
{
    char *log = xasprintf("%s/bot-%d.log", s->folder, which);
    const char *const argv[] = { program("DBCONN", "build/dbconn"), "serve", "--config", s->config,
                                 NULL };
    struct environment env;

    environment_copy(&env, &s->env);
    /* What is preloaded comes before the sanitizer's library, where there is one. */
    if (extra && extra->n > 0)
        environment_put(&env, "ASAN_OPTIONS", "verify_asan_link_order=0");
    for (size_t i = 0; extra && i + 1 < extra->n; i++) {
        char *name = xstrndup(extra->items[i], strcspn(extra->items[i], "="));
        environment_put(&env, name, extra->items[i] + strlen(name) + 1);
        free(name);
    }
    s->bots[which] = process_start(argv, &env, log, NULL);
    environment_clear(&env);
    free(log);
}

void stage_kill_bot(struct stage *s, int which)
{
    process_kill(s->bots[which]);
    s->bots[which] = 0;
}

int64_t stage_stop_bot(struct stage *s, int which, int *ret_status)
{
    int64_t began = clock_mono_ms();

    kill(s->bots[which], SIGTERM);
    if (!process_wait(s->bots[which], STOP_MS, ret_status))
        return -1;
    s->bots[which] = 0;
    return clock_mono_ms() - began;
}

bool stage_bot_died(struct stage *s, int which)
{
    if (s->bots[which] > 0 && process_wait(s->bots[which], 0, NULL))
        s->bots[which] = 0;
    return s->bots[which] == 0;
}

bool stage_is_connected(struct stage *s, int connections)
{
    cJSON *list = stage_get(s, "/sockets");
    int n = cJSON_GetArraySize(list);

    cJSON_Delete(list);
    return n >= connections;
}

void stage_wait_connected(struct stage *s, int connections)
{
    int64_t until = clock_mono_ms() + START_MS;

    while (!stage_is_connected(s, connections)) {
        if (clock_mono_ms() > until)
            die("dbconn did not connect: see %s", s->folder);
        sleep_ms(10);
    }
}

/* ---- the store ---- */

struct store *stage_store(struct stage *s)
{
    struct error err = ERROR_INIT;
    struct store *st = NULL;

    if (store_open(s->store_url, NULL, &st, &err) < 0)
        st = NULL; /* it may be away just now: the caller comes back */
    error_clear(&err);
    return st;
}

int64_t stage_count_jobs(struct stage *s, unsigned states)
{
    struct store *st = stage_store(s);
    struct store_counts counts;
    int64_t n = -1;

    if (!st)
        return -1;
    if (store_counts(st, &counts, NULL) == STORE_OK) {
        n = 0;
        for (int i = 0; i < JOB_STATE_COUNT; i++)
            n += states == 0 || states & 1u << i ? counts.by_state[i] : 0;
    }
    store_close(st);
    return n;
}

bool stage_wait_ended(struct stage *s, int64_t jobs, int64_t timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;

    while (stage_count_jobs(s, STATES_ENDED) < jobs) {
        if (clock_mono_ms() > until)
            return false;
        sleep_ms(100);
    }
    return true;
}
