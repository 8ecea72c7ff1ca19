/* What is counted of the bot's work. */
#include "bot_private.h"

#include "dbconn/base/clock.h"
#include "dbconn/base/metrics.h"
#include "dbconn/slack/webapi.h"

/* ---- as it happens ---- */

void bot_count_step(const struct bot *bot, const struct step_record *step)
{
    static const struct metric_def steps = {
        "dbconn_step_duration_seconds", METRIC_HISTOGRAM,
        "Steps of investigations that ended here, by their id in the playbook and outcome.",
        metric_seconds_bounds, METRIC_N_SECONDS_BOUNDS
    };

    metric_observe(metrics_get(bot->o.metrics, &steps,
                               (const char *[]){ "step", step->id, "status",
                                                 step_status_name(step->status), NULL }),
                   (double)step->duration_ms / SECOND_MS);
}

void bot_count_start(const struct bot *bot, const struct job *job)
{
    static const struct metric_def waits = {
        "dbconn_job_wait_seconds", METRIC_HISTOGRAM,
        "From the commit of a job to its first start, by how it was asked for.",
        metric_seconds_bounds, METRIC_N_SECONDS_BOUNDS
    };
    int64_t waited_ms = clock_wall_ms() - job->created_ms;

    if (job->attempts_total <= 1)
        metric_observe(
            metrics_get(bot->o.metrics, &waits, (const char *[]){ "source", job->source, NULL }),
            waited_ms > 0 ? (double)waited_ms / SECOND_MS : 0);
}

void bot_count_end(const struct bot *bot, const struct job *job, enum job_state state,
                   int64_t began_ms, const struct diagnosis *diagnosis)
{
    static const struct metric_def jobs = {
        "dbconn_job_duration_seconds", METRIC_HISTOGRAM,
        "Jobs that ended here, from their last start to their end in the store and in the thread.",
        metric_seconds_bounds, METRIC_N_SECONDS_BOUNDS
    };
    static const struct metric_def diagnoses = { "dbconn_diagnoses_total", METRIC_COUNTER,
                                                 "Diagnoses reached here.", NULL, 0 };

    metric_observe(metrics_get(bot->o.metrics, &jobs,
                               (const char *[]){ "state", job_state_name(state), "source",
                                                 job->source, NULL }),
                   (double)(clock_mono_ms() - began_ms) / SECOND_MS);
    if (diagnosis)
        metric_add(
            metrics_get(bot->o.metrics, &diagnoses,
                        (const char *[]){ "cause", cause_name(diagnosis->cause), "confidence",
                                          confidence_name(diagnosis->confidence), NULL }),
            1);
}

/* ---- when somebody asks ---- */

void bot_status(const struct bot *bot, struct bot_status *ret)
{
    struct webapi_stats api;
    struct queue_stats queue;

    webapi_stats(bot->api, &api);
    queue_get_stats(bot->queue, &queue);
    *ret = (struct bot_status){ .token_known = api.answered,
                                .token_good = !api.unauthorized,
                                .store_away_since_ms = queue.away_since_ms,
                                .running = scheduler_running(bot->scheduler),
                                .stopping = bot->stopping || bot->finish_timer };
    slack_socket_status(bot->socket, &ret->socket);
}

struct queue *bot_queue(const struct bot *bot)
{
    return bot->queue;
}

enum figure {
    SLACK_CONNECTIONS,
    SLACK_WANTED,
    SLACK_APP_CONNECTIONS,
    SLACK_HELLOS,
    SLACK_RECONNECTS,
    SLACK_FAILURES,
    SLACK_LAST_HELLO,
    SLACK_LAST_HEARD,
    SLACK_ENVELOPES,
    SLACK_DUPLICATES,
    SLACK_UNACKNOWLEDGED,
    SLACK_LIMIT_WAITING,
    JOBS_RUNNING,
    STORE_UP,
    STORE_CALLS,
    STORE_FAILURES,
    STORE_WAITING,
};

static const struct metric_def figures[] = {
    [SLACK_CONNECTIONS] = { "dbconn_slack_connections", METRIC_GAUGE,
                            "Socket Mode connections that have said hello.", NULL, 0 },
    [SLACK_WANTED] = { "dbconn_slack_connections_wanted", METRIC_GAUGE,
                       "Socket Mode connections that this process keeps open.", NULL, 0 },
    [SLACK_APP_CONNECTIONS] = { "dbconn_slack_app_connections", METRIC_GAUGE,
                                "Connections of the whole app, as Slack last counted them.", NULL,
                                0 },
    [SLACK_HELLOS] = { "dbconn_slack_hellos_total", METRIC_COUNTER, "Connections that said hello.",
                       NULL, 0 },
    [SLACK_RECONNECTS] = { "dbconn_slack_reconnects_total", METRIC_COUNTER,
                           "Connections that took the place of an earlier one.", NULL, 0 },
    [SLACK_FAILURES] = { "dbconn_slack_connect_failures_total", METRIC_COUNTER,
                         "Attempts to connect that failed, and connections cut soon after hello.",
                         NULL, 0 },
    [SLACK_LAST_HELLO] = { "dbconn_slack_last_hello_timestamp_seconds", METRIC_GAUGE,
                           "When a connection last said hello.", NULL, 0 },
    [SLACK_LAST_HEARD] = { "dbconn_slack_last_heard_timestamp_seconds", METRIC_GAUGE,
                           "When data or a PONG last came on any connection.", NULL, 0 },
    [SLACK_ENVELOPES] = { "dbconn_slack_envelopes_total", METRIC_COUNTER,
                          "Commands, presses and events that Slack delivered.", NULL, 0 },
    [SLACK_DUPLICATES] = { "dbconn_slack_duplicate_envelopes_total", METRIC_COUNTER,
                           "Deliveries of what had been delivered before.", NULL, 0 },
    [SLACK_UNACKNOWLEDGED] = { "dbconn_slack_unacknowledged_envelopes_total", METRIC_COUNTER,
                               "Envelopes given up without an acknowledgement.", NULL, 0 },
    [SLACK_LIMIT_WAITING] = { "dbconn_slack_limit_waiting", METRIC_GAUGE,
                              "Web API calls that wait for one of Slack's limits.", NULL, 0 },
    [JOBS_RUNNING] = { "dbconn_jobs_running", METRIC_GAUGE, "Investigations running here.", NULL,
                       0 },
    [STORE_UP] = { "dbconn_store_up", METRIC_GAUGE, "1: the store works; 0: it is away.", NULL, 0 },
    [STORE_CALLS] = { "dbconn_store_calls_total", METRIC_COUNTER, "Requests to the store answered.",
                      NULL, 0 },
    [STORE_FAILURES] = { "dbconn_store_call_failures_total", METRIC_COUNTER,
                         "Requests to the store that failed.", NULL, 0 },
    [STORE_WAITING] = { "dbconn_store_calls_waiting", METRIC_GAUGE,
                        "Requests that wait for the store's thread.", NULL, 0 },
};

static void set(const struct bot *bot, enum figure figure, double value)
{
    metric_set(metrics_get(bot->o.metrics, &figures[figure], NULL), value);
}

/* A monotonic time as seconds since 1970; nothing for "never". */
static void set_time(const struct bot *bot, enum figure figure, int64_t mono_ms)
{
    if (mono_ms)
        set(bot, figure, (double)(clock_wall_ms() - (clock_mono_ms() - mono_ms)) / SECOND_MS);
}

static void collect_slack(const struct bot *bot)
{
    struct slack_socket_status s;
    struct webapi_stats api;

    slack_socket_status(bot->socket, &s);
    webapi_stats(bot->api, &api);
    set(bot, SLACK_CONNECTIONS, s.open);
    set(bot, SLACK_WANTED, s.wanted);
    set(bot, SLACK_APP_CONNECTIONS, (double)s.num_connections);
    set(bot, SLACK_HELLOS, (double)s.connects);
    set(bot, SLACK_RECONNECTS, (double)s.reconnects);
    set(bot, SLACK_FAILURES, (double)s.failures);
    set_time(bot, SLACK_LAST_HELLO, s.last_hello_ms);
    set_time(bot, SLACK_LAST_HEARD, s.last_heard_ms);
    set(bot, SLACK_ENVELOPES, (double)s.envelopes);
    set(bot, SLACK_DUPLICATES, (double)s.duplicates);
    set(bot, SLACK_UNACKNOWLEDGED, (double)s.unacknowledged);
    set(bot, SLACK_LIMIT_WAITING, (double)api.waiting);
}

static void collect_store(const struct bot *bot)
{
    static const double bounds[] = { 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2 };
    _Static_assert(ARRAY_LEN(bounds) == QUEUE_COMMIT_BUCKETS, "those of the queue, in seconds");
    static const struct metric_def commits = {
        "dbconn_store_commit_duration_seconds", METRIC_HISTOGRAM,
        "Groups of requests to the store: their statements and the one commit.", bounds,
        QUEUE_COMMIT_BUCKETS
    };
    struct queue_stats stats;

    queue_get_stats(bot->queue, &stats);
    set(bot, STORE_UP, stats.away_since_ms == TIME_UNKNOWN);
    set(bot, STORE_CALLS, (double)stats.calls);
    set(bot, STORE_FAILURES, (double)stats.failures);
    set(bot, STORE_WAITING, (double)stats.waiting);
    metric_load(metrics_get(bot->o.metrics, &commits, NULL), stats.commit_buckets, stats.commits,
                stats.commit_seconds_sum);
}

static void collect_counts(const struct bot *bot, const struct store_counts *counts)
{
    static const struct metric_def jobs = { "dbconn_queue_jobs", METRIC_GAUGE,
                                            "Jobs in the store, by state.", NULL, 0 };
    static const struct metric_def oldest = { "dbconn_queue_oldest_waiting_age_seconds",
                                              METRIC_GAUGE,
                                              "Since when the oldest job waits; 0: none does.",
                                              NULL, 0 };
    int64_t age_ms =
        counts->oldest_queued_ms == TIME_UNKNOWN ? 0 : clock_wall_ms() - counts->oldest_queued_ms;

    for (int i = 0; i < JOB_STATE_COUNT; i++)
        metric_set(
            metrics_get(bot->o.metrics, &jobs,
                        (const char *[]){ "state", job_state_name((enum job_state)i), NULL }),
            (double)counts->by_state[i]);
    metric_set(metrics_get(bot->o.metrics, &oldest, NULL),
               age_ms > 0 ? (double)age_ms / SECOND_MS : 0);
}

void bot_collect_metrics(const struct bot *bot, const struct store_counts *counts)
{
    collect_slack(bot);
    set(bot, JOBS_RUNNING, scheduler_running(bot->scheduler));
    collect_store(bot);
    if (counts)
        collect_counts(bot, counts);
}
