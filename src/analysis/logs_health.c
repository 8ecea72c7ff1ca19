/* What the server's own lines prove: that clients were served, that a process lives, or nothing. */
#include <string.h>
#include <strings.h>

#include "logs_reading.h"

#define STEADY_LINES 6 /* lines in the hour before that make silence tell */
#define PARTS 3        /* of the errors' time: a line in each leaves no room for an outage */

/* Lines that only a served client brings about. */
static bool shows_client(const char *message)
{
    static const char *const signs[] = {
        /* PostgreSQL: log_connections, log_statement, log_min_duration_statement, failed
         * statements, lock waits, and the same in the languages of its catalogues */
        "connection received", "connection auth",
        "session time:", "statement:", "STATEMENT:", "duration:", "ERROR:", "still waiting for",
        "temporary file:", "deadlock detected", "Verbindung autorisiert", "Verbindung empfangen",
        "Sitzungszeit:", "Anweisung:", "Dauer:", "connexion autorisée", "connexion reçue",
        "durée de la session", "instruction :", "durée :", "conexión autorizada",
        "conexión recibida",
        "duración de sesión:", "sentencia:", "duración:", "connessione autorizzata",
        "connessione ricevuta",
        "tempo della sessione:", "istruzione:", "durata:", "подключение авторизовано",
        "принято подключение",
        "время сеанса:", "оператор:", "продолжительность:", "підключення авторизовано",
        "час сеансу:", "anslutning auktoriserad", "sessionstid:", "接続の認証完了",
        "接続を受け付けました",
        "セッション時間:", "연결 인증:", "접속 수락:", "세션 시간:", "连接已授权", "已接收到连接",
        "会话时长:", "連線已授權", "連線已接收",
        /* MySQL: general and slow log, and who left without a word */
        "\tConnect\t", "\tQuery\t", "\tExecute\t",
        "Query_time:", "User@Host:", "Aborted connection",
        /* SQL Server's login audit, Oracle's listener */
        "Login succeeded", "* establish *",
        /* MongoDB (the context of a line is a connection's), Redis (keys do not change by
         * themselves), Cassandra (the thread) */
        "onnection accepted", "onnection ended", "\"ctx\":\"conn", "[conn", "Slow query",
        "Accepted ", "Client closed connection", " changes in ", "Native-Transport-Requests",
        /* ClickHouse, Elasticsearch's slow log */
        "executeQuery", "TCP Request. Address", "HTTP Request for", "(for query)", "Processed in ",
        "], took["
    };

    for (size_t i = 0; message && i < ARRAY_LEN(signs); i++)
        if (strstr(message, signs[i]))
            return true;
    return false;
}

/* A server that nobody reaches goes on with its own business. */
static bool is_background_work(const char *message)
{
    static const char *const chores[] = {
        "checkpoint",        "Checkpoint",
        "restartpoint",      "vacuum",
        "automatic analyze", "background saving",
        "page_cleaner",      "WAL",
        "wal segment",       "Background saving",
        "archived",          "Compacted",
        "Compaction",        "merge",
        "WiredTiger",        "purge",
    };

    for (size_t i = 0; message && i < ARRAY_LEN(chores); i++)
        if (strstr(message, chores[i]))
            return true;
    return false;
}

/* What the machine's lines within the errors amount to. */
struct signs_of_life {
    size_t before;      /* lines of its own in the hour before the onset */
    bool after_onset;   /* any line later than the onset and the clocks' skew */
    bool client;        /* a client was served, or turned away by a server that runs */
    bool chore;         /* a process at its own business */
    bool unread[PARTS]; /* a line that no rule reads, in this part of the errors' time */
    bool spoken[PARTS]; /* any line at all */
};

static size_t part_of(const struct log_window *w, int64_t at)
{
    int64_t part =
        w->end_ms > w->onset_ms ? (at - w->onset_ms) * PARTS / (w->end_ms - w->onset_ms) : 0;

    return part < PARTS ? (size_t)part : PARTS - 1;
}

static void add_line(const struct reading *r, size_t i, struct signs_of_life *s)
{
    const struct log_window *w = r->a.window;
    enum log_kind kind = r->a.events[i].kind;
    const char *message = r->a.records[i].message;
    int64_t at = reading_time(r, i);
    bool work = kind == LOG_ORDINARY_WORK_EVENT;

    s->before += at < w->onset_ms && at >= w->onset_ms - HOUR_MS;
    s->after_onset = s->after_onset || at > w->onset_ms + LOGS_CLOCK_SKEW_MS;
    if (at < w->onset_ms || at > r->to)
        return;
    s->client = s->client || kind == LOG_SLOTS_EXHAUSTED_EVENT || kind == LOG_AUTH_REJECTED_EVENT ||
                (work && shows_client(message));
    s->chore = s->chore || (work && is_background_work(message));
    if (at > w->end_ms)
        return;
    s->spoken[part_of(w, at)] = true;
    if (work && !shows_client(message) && !is_background_work(message))
        s->unread[part_of(w, at)] = true;
}

static bool in_each_part(const bool *parts)
{
    for (size_t i = 0; i < PARTS; i++)
        if (!parts[i])
            return false;
    return true;
}

/*
 * Silent in the middle of the errors, and when it speaks again, at their end, then in words that no
 * rule reads: in a language of its own a server may have told that it went down and came back, and
 * whom it serves then proves nothing.
 */
static bool may_tell_of_return(const struct signs_of_life *s)
{
    return s->unread[PARTS - 1] && !s->spoken[PARTS / 2];
}

static struct signs_of_life read_signs(const struct reading *r)
{
    struct signs_of_life s = { .before = 0 };

    for (size_t i = 0; i < r->a.n; i++)
        if (is_about_machine(&r->a, i) && reading_time(r, i) != TIME_UNKNOWN)
            add_line(r, i, &s);
    return s;
}

int64_t reading_last_elsewhere(const struct reading *r)
{
    int64_t last = TIME_UNKNOWN;

    for (size_t i = 0; i < r->a.n; i++)
        if (!is_about_machine(&r->a, i) && reading_time(r, i) > last)
            last = reading_time(r, i);
    return last;
}

/* Lines that no rule reads prove that it worked only where they leave no room for an outage. */
static void count_work(struct reading *r, bool unread_proves)
{
    const struct log_window *w = r->a.window;

    for (size_t i = 0; i < r->a.n; i++) {
        const char *message = r->a.records[i].message;
        int64_t at = reading_time(r, i);
        if (r->a.events[i].kind != LOG_ORDINARY_WORK_EVENT || !is_about_machine(&r->a, i) ||
            at < w->onset_ms || at > w->end_ms)
            continue;
        if (shows_client(message) || (unread_proves && !is_background_work(message)))
            reading_count(r, &r->f->work_during, i);
    }
}

/* As many lines as in the hour before would be due: silence then tells something. */
static bool is_silent(const struct reading *r, const struct signs_of_life *s)
{
    int64_t seen = reading_last_elsewhere(r), watched = 0;

    if (seen != TIME_UNKNOWN)
        watched = (r->a.window->now_ms > seen ? seen : r->a.window->now_ms) - r->a.window->onset_ms;
    return s->before >= STEADY_LINES && !s->after_onset &&
           watched > 3 * HOUR_MS / (int64_t)s->before && watched > 5 * MINUTE_MS;
}

void reading_health(struct reading *r)
{
    struct log_findings *f = r->f;
    struct signs_of_life s = read_signs(r);
    bool inside = false, steady = in_each_part(s.unread), doubt = may_tell_of_return(&s);

    for (size_t i = 0; i < f->n_outages; i++)
        inside = inside || f->outages[i].inside;
    if (!doubt)
        count_work(r, steady);
    if (inside)
        f->healthy = NO;
    else if (f->work_during.n > 0)
        f->healthy = YES;
    /* Lines before and after the onset, and none that tells of going down: it did not, unless it
     * told so in words that are not read. */
    if (f->went_down == UNKNOWN && !doubt &&
        (s.client || s.chore || steady || (s.after_onset && s.before > 0)))
        f->went_down = NO;
    f->silent = is_silent(r, &s) ? YES : s.after_onset ? NO : UNKNOWN;
}
