/* What is counted of the calls to a service. */
#include "dbconn/base/clock.h"
#include "dbconn/base/metrics.h"
#include "http_internal.h"

/* Mostly 0: only calls that had to wait for a place, a rate or a pause take time here. */
static const double wait_bounds[] = { 0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60 };

static const struct metric_def waits = {
    "dbconn_service_wait_seconds", METRIC_HISTOGRAM,
    "How long requests waited for their turn: for a place among those in flight, for the rate that "
    "we keep to, or because the service asked for a pause.",
    wait_bounds, ARRAY_LEN(wait_bounds)
};
static const struct metric_def requests = { "dbconn_service_requests_total", METRIC_COUNTER,
                                            "Requests sent to a service, retries included.", NULL,
                                            0 };
static const struct metric_def retries = { "dbconn_service_retries_total", METRIC_COUNTER,
                                           "Requests sent once more after a passing fault.", NULL,
                                           0 };
static const struct metric_def limited = {
    "dbconn_service_rate_limited_total", METRIC_COUNTER,
    "Answers in which a service said that it was asked too often.", NULL, 0
};
static const struct metric_def in_flight = { "dbconn_service_in_flight", METRIC_GAUGE,
                                             "Requests on the wire.", NULL, 0 };
static const struct metric_def waiting = { "dbconn_service_waiting", METRIC_GAUGE,
                                           "Requests that wait for their turn.", NULL, 0 };

static struct metric *of_service(const struct http_service *service, const struct metric_def *def)
{
    return metrics_get(service->http->metrics, def,
                       (const char *[]){ "service", service->name, NULL });
}

static const char *outcome_of_status(int status)
{
    return status == 429                    ? "rate_limited"
           : status == 401 || status == 403 ? "refused"
           : status >= 500                  ? "server_error"
           : status >= 400                  ? "client_error"
                                            : "ok";
}

static const char *outcome_of(const struct http_call *call)
{
    switch (call->err.code) {
    case ERR_NONE:
        return outcome_of_status(call->reply.status);
    case ERR_RATE_LIMITED:
        return "rate_limited";
    case ERR_TIMEOUT:
        return "timeout";
    case ERR_NETWORK:
        return "network";
    case ERR_CANCELLED:
        return "cancelled";
    default:
        return "other";
    }
}

void http_count_end(const struct http_call *call)
{
    static const struct metric_def calls = {
        "dbconn_service_call_duration_seconds", METRIC_HISTOGRAM,
        "Calls of a service by outcome, from the wish to the answer: with waits and retries.",
        metric_seconds_bounds, METRIC_N_SECONDS_BOUNDS
    };
    const struct http *http = call->service->http;

    if (!http->metrics)
        return;
    metric_observe(metrics_get(http->metrics, &calls,
                               (const char *[]){ "service", call->service->name, "outcome",
                                                 outcome_of(call), NULL }),
                   (double)(clock_mono_ms() - call->began_ms) / SECOND_MS);
}

void http_count_wait(const struct http_call *call)
{
    const struct http_service *service = call->service;

    metric_observe(of_service(service, &waits),
                   (double)(clock_mono_ms() - call->waits_since_ms) / SECOND_MS);
}

void http_set_metrics(struct http *http, struct metrics *metrics)
{
    http->metrics = metrics;
}

static void collect_memory(struct http *http)
{
    static const struct metric_def held = { "dbconn_answers_memory_bytes", METRIC_GAUGE,
                                            "What the answers on their way take.", NULL, 0 };
    static const struct metric_def peak = { "dbconn_answers_memory_peak_bytes", METRIC_GAUGE,
                                            "What they took at most since the start.", NULL, 0 };
    static const struct metric_def pauses = {
        "dbconn_answers_paused_total", METRIC_COUNTER,
        "Answers that waited on the wire because limits.memory_mb was used up.", NULL, 0
    };

    metric_set(metrics_get(http->metrics, &held, NULL), (double)http->memory.held);
    metric_set(metrics_get(http->metrics, &peak, NULL), (double)http->memory.peak);
    metric_set(metrics_get(http->metrics, &pauses, NULL), (double)http->memory.pauses);
}

void http_collect_metrics(struct http *http)
{
    collect_memory(http);
    for (const struct http_service *s = http->services; s; s = s->next) {
        metric_set(of_service(s, &requests), (double)s->stats.requests);
        metric_set(of_service(s, &retries), (double)s->stats.retries);
        metric_set(of_service(s, &limited), (double)s->stats.limited);
        metric_set(of_service(s, &in_flight), s->stats.in_flight);
        metric_set(of_service(s, &waiting), s->stats.waiting);
    }
}
