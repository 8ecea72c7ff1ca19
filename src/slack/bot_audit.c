/*
 * The keeper of the log, on a timer:
 *
 *   entries that are new in the store (from all replicas) -> lines of the file -> how far it is,
 *   into the store, for the next start: a rotation may have taken the lines away by then
 *   from time to time: the newest one's hash to the program's log; entries past their age away
 */
#include "bot_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bot_press.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"
#include "dbconn/queue/audit.h"

#define LOOK_MS (5 * SECOND_MS)
#define HEAD_MS (10 * MINUTE_MS)
#define EXPIRE_MS HOUR_MS
#define PAGE 500
#define LAST_LINE 16384 /* bytes at the file's end in which its last line is looked for */

struct bot_audit {
    struct bot *bot;
    struct loop_timer *timer;
    int fd;                             /* of the file, or -1 */
    bool failed;                        /* the file could not be written the last time */
    bool placed;                        /* the store has said how far the file was */
    int64_t kept_seq;                   /* that; 0: it knows nothing of this file */
    int64_t seq;                        /* the last one seen; -1: none yet */
    int64_t head_due_ms, expire_due_ms; /* monotonic */
    struct queue_call *list, *expire;
};

/* ---- entries ---- */

bool bot_audit_waits(const struct request *r)
{
    if (r->press)
        return r->press->action == BUTTON_RERUN;
    if (r->way == ACCESS_ALERT)
        return true;
    return r->way != ACCESS_HOME && (r->kind == COMMAND_HELP || r->kind == COMMAND_INVALID ||
                                     r->kind == COMMAND_INVESTIGATE);
}

static const char *what_is_wanted(const struct request *r)
{
    static const char *const kinds[] = {
        [COMMAND_HELP] = "help",     [COMMAND_INVALID] = "invalid",
        [COMMAND_STATUS] = "status", [COMMAND_HISTORY] = "history",
        [COMMAND_CANCEL] = "cancel", [COMMAND_INVESTIGATE] = "investigate",
    };

    if (r->press)
        return button_action_id(r->press->action);
    return r->way == ACCESS_HOME ? "home" : r->way == ACCESS_ALERT ? "investigate" : kinds[r->kind];
}

static void put_known(cJSON *doc, const char *name, const char *value)
{
    if (value && *value)
        json_put_str(doc, name, value);
}

char *bot_audit_payload(const struct request *r, const char *why)
{
    if (!r->bot->audit)
        return NULL;
    cJSON *doc = cJSON_CreateObject();
    json_put_str(doc, "event", request_way_names[r->way]);
    json_put_str(doc, "what", what_is_wanted(r));
    put_known(doc, "who", r->user);
    put_known(doc, "workspace", r->team);
    put_known(doc, "channel", r->channel);
    put_known(doc, "subject", r->argument);
    if (r->press)
        json_put_str(doc, "of_job", r->press->job_id);
    put_known(doc, "why", why);
    char *text = json_print(doc);
    cJSON_Delete(doc);
    return text;
}

static void on_appended(void *user, const struct queue_reply *reply, const struct error *err)
{
    (void)user;
    (void)reply;
    if (err)
        LOG(ERROR, "audit.append", F_STR("why", error_text(err)));
}

/* Takes the payload. */
static void append(struct bot *bot, char *payload, const char *outcome, const char *job)
{
    struct error err = ERROR_INIT;
    char *text = audit_payload_add(payload, outcome, job);

    if (!queue_audit_append(bot->queue, text, audit_hash, (void *)(uintptr_t)bot->o.audit_key,
                            on_appended, NULL, &err))
        on_appended(NULL, NULL, &err);
    error_clear(&err);
    free(text);
    free(payload);
}

void bot_audit_request(const struct request *r, const char *outcome, const char *why)
{
    if (r->bot->audit)
        append(r->bot, bot_audit_payload(r, why), outcome, NULL);
}

/* Whom a step asks. */
static const char *source_of(const char *collector)
{
    return text_same(collector, "code_change")  ? "github"
           : text_same(collector, "log_search") ? "elasticsearch"
                                                : "sentry";
}

static void add_source(cJSON *sources, const char *name)
{
    for (const cJSON *s = json_first(sources); s; s = s->next)
        if (text_same(cJSON_GetStringValue(s), name))
            return;
    cJSON_AddItemToArray(sources, cJSON_CreateString(name));
}

static void put_sources(cJSON *doc, const struct playbook *playbook, const struct casefile *c)
{
    cJSON *sources = json_put_array(doc, "sources");

    for (size_t i = 0; c && i < c->n_steps; i++) {
        const struct step_record *s = &c->steps[i];
        bool asked = s->status == STEP_COMPLETE || s->status == STEP_PARTIAL ||
                     s->status == STEP_FAILED || s->status == STEP_RUNNING;
        for (size_t k = 0; asked && k < playbook->n_steps; k++)
            if (text_same(playbook->steps[k].id, s->id))
                add_source(sources, source_of(playbook->steps[k].collector));
    }
}

void bot_audit_end(struct bot *bot, const struct job *job, const struct casefile *c,
                   const char *outcome)
{
    if (!bot->audit)
        return;
    cJSON *doc = cJSON_CreateObject();
    json_put_str(doc, "event", "investigation");
    put_known(doc, "who", job->requester);
    put_known(doc, "workspace", job->workspace);
    put_known(doc, "channel", job->channel);
    json_put_str(doc, "subject", job->issue_short_id ? job->issue_short_id : job->issue_ref);
    put_sources(doc, bot->o.playbook, c);
    if (c && c->diagnosis.reached)
        json_put_str(doc, "cause", cause_name(c->diagnosis.cause));
    append(bot, json_print(doc), outcome, job->id);
    cJSON_Delete(doc);
}

/* ---- the file ---- */

/* Said once for as long as it lasts. */
static void file_failed(struct bot_audit *a, const char *why)
{
    if (!a->failed)
        LOG(ERROR, "audit.file", F_STR("path", a->bot->o.audit_file), F_STR("why", why));
    a->failed = true;
}

/* The number of the last entry that the file holds; 0 when it is empty. */
static int64_t last_in_file(int fd)
{
    char bytes[LAST_LINE + 1];
    off_t end = lseek(fd, 0, SEEK_END), from = end > LAST_LINE ? end - LAST_LINE : 0;
    ssize_t n = pread(fd, bytes, LAST_LINE, from);
    const char *last = NULL;

    bytes[n > 0 ? n : 0] = '\0';
    for (const char *p = bytes; (p = strstr(p, "{\"seq\":")); p++)
        if (p == bytes || p[-1] == '\n')
            last = p;
    return last ? strtoll(last + strlen("{\"seq\":"), NULL, 10) : 0;
}

/* What the file holds may be ahead of what the store was told, after a kill; and behind it, or
 * nothing, after a rotation. */
static void find_place(struct bot_audit *a)
{
    int64_t last = last_in_file(a->fd);

    a->seq = last > a->kept_seq ? last : a->kept_seq;
}

static void open_file(struct bot_audit *a)
{
    a->fd = open(a->bot->o.audit_file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (a->fd < 0)
        file_failed(a, strerror(errno));
    else if (a->seq < 0)
        find_place(a);
}

/* A rotation may have moved it away, or it could not be opened before. */
static bool file_is_open(struct bot_audit *a)
{
    struct stat open_one, named;

    if (a->fd >= 0 && fstat(a->fd, &open_one) == 0 &&
        (stat(a->bot->o.audit_file, &named) < 0 || named.st_ino != open_one.st_ino ||
         named.st_dev != open_one.st_dev)) {
        close(a->fd);
        a->fd = -1;
    }
    if (a->fd < 0)
        open_file(a);
    return a->fd >= 0;
}

/* All of them, or none: what was not written is tried again. */
static bool write_lines(struct bot_audit *a, const struct audit_list *list)
{
    struct buf lines = BUF_INIT;
    bool is_late = a->seq < 0; /* only the newest was asked for: the file could not be opened */

    if (!a->bot->o.audit_file)
        return true;
    if (!file_is_open(a) || is_late)
        return false;
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].seq > a->seq)
            audit_line(&list->items[i], &lines);
    off_t end = lseek(a->fd, 0, SEEK_END);
    ssize_t n = lines.len ? write(a->fd, lines.data, lines.len) : 0;
    bool done = n >= 0 && (size_t)n == lines.len;
    if (!done) {
        file_failed(a, n < 0 ? strerror(errno) : "the disk is full");
        if (n > 0 && ftruncate(a->fd, end) < 0)
            LOG(ERROR, "audit.file", F_STR("why", "a line is cut"));
    }
    a->failed = !done;
    buf_clear(&lines);
    return done;
}

/* ---- how far the file is ---- */

/* Replicas have a file each, which may have the same name on each machine. */
static char *place_name(const struct bot_audit *a)
{
    char host[256] = "";

    (void)gethostname(host, sizeof(host) - 1);
    return xasprintf("audit.file %s:%s", host, a->bot->o.audit_file);
}

static void on_place_kept(void *user, const struct queue_reply *reply, const struct error *err)
{
    (void)user;
    (void)reply;
    if (err)
        LOG(WARN, "audit.place", F_STR("why", error_text(err)),
            F_STR("effect", "after a rotation and a restart the file may repeat entries"));
}

static void keep_place(const struct bot_audit *a)
{
    char *name = place_name(a), *value = xasprintf("%lld", (long long)a->seq);
    struct error err = ERROR_INIT;

    if (!queue_setting_put(a->bot->queue, "", name, value, on_place_kept, NULL, &err))
        on_place_kept(NULL, NULL, &err);
    error_clear(&err);
    free(name);
    free(value);
}

static void on_place(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct bot_audit *a = user;

    a->list = NULL;
    if (err) { /* not a line is written before this is known */
        LOG(WARN, "audit.place", F_STR("why", error_text(err)));
        loop_timer_start(a->timer, LOOK_MS);
        return;
    }
    a->placed = true;
    if (reply->outcome == STORE_OK)
        a->kept_seq = strtoll(reply->value, NULL, 10);
    open_file(a);
    if (a->seq > a->kept_seq) /* of a version that did not keep it, or after a kill */
        keep_place(a);
    loop_timer_start(a->timer, 0);
}

/* Null: the queue takes nothing now. */
static struct queue_call *ask_for_place(struct bot_audit *a, struct error *err)
{
    char *name = place_name(a);
    struct queue_call *call = queue_setting_get(a->bot->queue, "", name, on_place, a, err);

    free(name);
    return call;
}

/* ---- the timer ---- */

static void log_head(struct bot_audit *a, const struct audit_entry *newest)
{
    LOG(INFO, "audit.head", F_INT("seq", newest->seq), F_STR("hash", newest->hash));
    a->head_due_ms = clock_mono_ms() + HEAD_MS;
}

static void on_listed(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct bot_audit *a = user;
    bool more = false;

    a->list = NULL;
    if (err) {
        LOG(WARN, "audit.read", F_STR("why", error_text(err)));
    } else if (reply->audit->n) {
        const struct audit_entry *newest = &reply->audit->items[reply->audit->n - 1];
        if (write_lines(a, reply->audit)) {
            a->seq = newest->seq;
            if (a->bot->o.audit_file)
                keep_place(a);
            more = reply->audit->n >= PAGE;
        }
        if (!more && clock_mono_ms() >= a->head_due_ms)
            log_head(a, newest);
    }
    loop_timer_start(a->timer, more ? 0 : LOOK_MS);
}

static void on_expired(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct bot_audit *a = user;

    a->expire = NULL;
    if (err)
        LOG(WARN, "audit.purge", F_STR("why", error_text(err)));
    else if (reply->number)
        LOG(INFO, "audit.purge", F_INT("entries", reply->number));
}

static void on_timer(void *user)
{
    struct bot_audit *a = user;
    struct queue *q = a->bot->queue;
    struct error err = ERROR_INIT;

    if (a->bot->o.audit_retention_ms > 0 && !a->expire && clock_mono_ms() >= a->expire_due_ms) {
        a->expire_due_ms = clock_mono_ms() + EXPIRE_MS;
        a->expire = queue_audit_expire(q, queue_now_ms(q) - a->bot->o.audit_retention_ms,
                                       on_expired, a, &err);
    }
    error_clear(&err);
    a->list = a->placed
                  ? queue_audit_list(q, a->seq < 0 ? -1 : a->seq + 1, PAGE, on_listed, a, &err)
                  : ask_for_place(a, &err);
    if (!a->list)
        loop_timer_start(a->timer, LOOK_MS);
    error_clear(&err);
}

void bot_audit_start(struct bot *bot)
{
    struct bot_audit *a;

    if (!bot->o.audit_key)
        return;
    a = xcalloc(1, sizeof(*a));
    a->bot = bot;
    a->fd = -1;
    a->seq = -1;
    a->placed = !bot->o.audit_file;
    a->timer = loop_timer_new(bot->o.loop, on_timer, a);
    loop_timer_start(a->timer, 0);
    bot->audit = a;
}

void bot_audit_free(struct bot *bot)
{
    struct bot_audit *a = bot->audit;

    if (!a)
        return;
    queue_cancel_call(a->list);
    queue_cancel_call(a->expire);
    loop_timer_free(a->timer);
    if (a->fd >= 0)
        close(a->fd);
    free(a);
    bot->audit = NULL;
}
