/*
 * A question that needs the store waits for it, others are answered at once:
 *
 *   /metrics -> count the jobs (at most every 5 s) -> collect -> text
 *   /readyz  -> a small write  (at most every 5 s) -> judge   -> JSON
 */
#include "monitor.h"

#include "credentials.h"
#include "dbconn/app/readiness.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/net/http.h"
#include "dbconn/net/http_server.h"
#include "dbconn/slack/bot.h"
#include "process_metrics.h"

#define KEEP_MS (5 * SECOND_MS)
#define PLAIN "text/plain; charset=utf-8"
/* prometheus.io/docs/instrumenting/exposition_formats, "Text-based format" */
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"

struct question {
    struct monitor *monitor;
    struct question *prev, *next;
    struct http_exchange *x;
    struct queue_call *call;
    void (*answer)(struct question *q);
};

struct monitor {
    struct monitor_options o;
    struct http_server *server;
    struct credentials *credentials;
    struct question *questions;
    int64_t started_ms;

    struct store_counts counts;
    int64_t counted_ms; /* monotonic; 0: not known */
    enum tristate commits;
    char *store_why;
    int64_t probed_ms; /* monotonic; 0: never */
};

/* ---- questions that wait for the store ---- */

static struct question *question_new(struct monitor *m, struct http_exchange *x,
                                     void (*answer)(struct question *))
{
    struct question *q = xcalloc(1, sizeof(*q));

    q->monitor = m;
    q->x = x;
    q->answer = answer;
    q->next = m->questions;
    if (q->next)
        q->next->prev = q;
    m->questions = q;
    return q;
}

static void question_free(struct question *q)
{
    queue_cancel_call(q->call);
    if (q->prev)
        q->prev->next = q->next;
    else
        q->monitor->questions = q->next;
    if (q->next)
        q->next->prev = q->prev;
    free(q);
}

static bool is_fresh(int64_t at_ms)
{
    return at_ms && clock_mono_ms() - at_ms < KEEP_MS;
}

/* ---- /metrics ---- */

static void set_info(struct monitor *m)
{
    static const struct metric_def build = { "dbconn_build_info", METRIC_GAUGE,
                                             "Always 1; the version is a label.", NULL, 0 };
    static const struct metric_def playbook = { "dbconn_playbook_info", METRIC_GAUGE,
                                                "Always 1; the playbook is in the labels.", NULL,
                                                0 };
    const struct playbook *p = m->o.playbook;
    char *hash = xstrndup(p->hash, 12);

    metric_set(
        metrics_get(m->o.metrics, &build, (const char *[]){ "version", DBCONN_VERSION, NULL }), 1);
    metrics_forget(m->o.metrics, &playbook);
    metric_set(
        metrics_get(m->o.metrics, &playbook, (const char *[]){ "id", p->id, "hash", hash, NULL }),
        1);
    free(hash);
}

static void set_credentials(struct monitor *m)
{
    static const struct metric_def good = {
        "dbconn_credential_good", METRIC_GAUGE,
        "1: the service accepts the credential; 0: it refuses it. Absent: not known.", NULL, 0
    };
    struct bot_status bot;

    metrics_forget(m->o.metrics, &good);
    bot_status(m->o.bot, &bot);
    if (bot.token_known)
        metric_set(metrics_get(m->o.metrics, &good, (const char *[]){ "service", "slack", NULL }),
                   bot.token_good);
    for (size_t i = 0; i < CREDENTIALS; i++) {
        struct credential_state state;
        credentials_get(m->credentials, (enum credential)i, &state);
        if (state.configured && state.good != UNKNOWN)
            metric_set(metrics_get(m->o.metrics, &good,
                                   (const char *[]){ "service", credential_name((enum credential)i),
                                                     NULL }),
                       state.good == YES);
    }
}

static void answer_metrics(struct question *q)
{
    struct monitor *m = q->monitor;
    struct http_exchange *x = q->x;
    struct buf text = BUF_INIT;

    set_info(m);
    set_credentials(m);
    bot_collect_metrics(m->o.bot, is_fresh(m->counted_ms) ? &m->counts : NULL);
    http_collect_metrics(m->o.http);
    process_metrics_collect(m->o.metrics, m->started_ms);
    metrics_write(m->o.metrics, &text);
    question_free(q);
    http_exchange_reply(x, 200, PROMETHEUS, &text);
}

static void on_counts(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct question *q = user;

    q->call = NULL;
    if (!err) {
        q->monitor->counts = *reply->counts;
        q->monitor->counted_ms = clock_mono_ms();
    }
    q->answer(q);
}

static void ask_counts(struct question *q)
{
    struct error err = ERROR_INIT;

    if (!is_fresh(q->monitor->counted_ms))
        q->call = queue_counts(bot_queue(q->monitor->o.bot), on_counts, q, &err);
    if (!q->call) /* the last counts are good enough, or the store takes nothing any more */
        q->answer(q);
    error_clear(&err);
}

/* ---- /readyz ---- */

static int64_t since(int64_t mono_ms)
{
    return mono_ms ? clock_mono_ms() - mono_ms : TIME_UNKNOWN;
}

static void read_credentials(const struct monitor *m, const struct bot_status *bot,
                             struct ready_credential ret[CREDENTIALS + 2])
{
    ret[0] = (struct ready_credential){ .service = "slack",
                                        .configured = true,
                                        .required = true,
                                        .good = !bot->token_known ? UNKNOWN
                                                : bot->token_good ? YES
                                                                  : NO,
                                        .why = bot->token_known ? "Slack refuses a token"
                                                                : "Slack has not answered yet" };
    for (size_t i = 0; i < CREDENTIALS; i++) {
        struct credential_state state;
        credentials_get(m->credentials, (enum credential)i, &state);
        ret[i + 1] = (struct ready_credential){ .service = credential_name((enum credential)i),
                                                .configured = state.configured,
                                                .required = i == CREDENTIAL_SENTRY,
                                                .good = state.good,
                                                .why = state.why };
    }
    ret[CREDENTIALS + 1] = (struct ready_credential){ .service = NULL };
}

static void answer_ready(struct question *q)
{
    const struct monitor *m = q->monitor;
    struct http_exchange *x = q->x;
    struct ready_credential credentials[CREDENTIALS + 2];
    struct bot_status bot;
    struct buf body = BUF_INIT;
    cJSON *doc;

    bot_status(m->o.bot, &bot);
    read_credentials(m, &bot, credentials);
    const struct ready_state state = { .stopping = bot.stopping,
                                       .connections = bot.socket.open,
                                       .wanted = bot.socket.wanted,
                                       .app_connections = bot.socket.num_connections,
                                       .since_hello_ms = since(bot.socket.last_hello_ms),
                                       .since_heard_ms = since(bot.socket.last_heard_ms),
                                       .trouble = bot.socket.trouble,
                                       .store_commits = m->commits,
                                       .store_why = m->store_why,
                                       .credentials = credentials };
    bool ready = readiness_judge(&state, &doc);
    char *text = json_print(doc);
    buf_addf(&body, "%s\n", text);
    free(text);
    cJSON_Delete(doc);
    question_free(q);
    http_exchange_reply(x, ready ? 200 : 503, "application/json", &body);
}

static void note_probe(struct monitor *m, const struct error *err)
{
    m->commits = err ? NO : YES;
    xreplace(&m->store_why, err ? error_text(err) : NULL);
    m->probed_ms = clock_mono_ms();
}

static void on_probed(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct question *q = user;

    (void)reply;
    q->call = NULL;
    note_probe(q->monitor, err);
    q->answer(q);
}

static void probe_store(struct question *q)
{
    struct monitor *m = q->monitor;
    struct error err = ERROR_INIT;
    struct buf now = BUF_INIT;

    if (is_fresh(m->probed_ms)) {
        q->answer(q);
        return;
    }
    time_format_iso(clock_wall_ms(), &now);
    q->call = queue_setting_put(bot_queue(m->o.bot), "", "monitor.probe", buf_str(&now), on_probed,
                                q, &err);
    if (!q->call) {
        note_probe(m, &err);
        q->answer(q);
    }
    error_clear(&err);
    buf_clear(&now);
}

/* ---- the server ---- */

static void reply_text(struct http_exchange *x, int status, const char *text)
{
    struct buf body = BUF_INIT;

    buf_adds(&body, text);
    http_exchange_reply(x, status, PLAIN, &body);
}

static void serve(void *user, struct http_exchange *x, const char *path)
{
    struct monitor *m = user;

    if (text_same(path, "/healthz"))
        reply_text(x, 200, "ok\n");
    else if (text_same(path, "/readyz"))
        probe_store(question_new(m, x, answer_ready));
    else if (text_same(path, "/metrics"))
        ask_counts(question_new(m, x, answer_metrics));
    else
        reply_text(x, 404, "there is /metrics, /healthz and /readyz\n");
}

int monitor_start(const struct monitor_options *options, struct monitor **ret, struct error *err)
{
    struct monitor *m = xcalloc(1, sizeof(*m));

    m->o = *options;
    m->started_ms = clock_wall_ms();
    m->commits = UNKNOWN;
    if (http_server_new(options->sockets, options->listen, serve, m, &m->server, err) < 0) {
        free(m);
        return error_context(err, "metrics.listen");
    }
    m->credentials = credentials_new(options->loop, options->sources);
    LOG(INFO, "metrics.listen", F_STR("address", http_server_address(m->server)),
        F_INT("port", http_server_port(m->server)));
    monitor_reloaded(m, true); /* the first reading */
    *ret = m;
    return 0;
}

void monitor_free(struct monitor *m)
{
    if (!m)
        return;
    while (m->questions)
        question_free(m->questions);
    credentials_free(m->credentials);
    http_server_free(m->server);
    free(m->store_why);
    free(m);
}

void monitor_use(struct monitor *m, const struct sources *sources, const struct playbook *playbook)
{
    if (!m)
        return;
    m->o.sources = sources;
    m->o.playbook = playbook;
    credentials_use(m->credentials, sources);
}

void monitor_reloaded(struct monitor *m, bool good)
{
    static const struct metric_def successful = {
        "dbconn_config_last_reload_successful", METRIC_GAUGE,
        "0: the last reload was refused, and an older configuration is in force.", NULL, 0
    };
    static const struct metric_def at = { "dbconn_config_last_reload_success_timestamp_seconds",
                                          METRIC_GAUGE, "When the configuration in force was read.",
                                          NULL, 0 };

    if (!m)
        return;
    metric_set(metrics_get(m->o.metrics, &successful, NULL), good);
    if (good)
        metric_set(metrics_get(m->o.metrics, &at, NULL), (double)clock_wall_ms() / SECOND_MS);
}
