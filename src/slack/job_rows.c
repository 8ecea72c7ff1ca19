#include "job_rows.h"

#include <ctype.h>
#include <inttypes.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

char *job_extra_write(const struct job_extra *extra)
{
    cJSON *doc = cJSON_CreateObject();
    char *text;

    json_put_str(doc, "user_name", extra->user_name);
    json_put_bool(doc, "public", extra->is_public);
    json_put_bool(doc, "in_thread", extra->in_thread);
    text = json_print(doc);
    cJSON_Delete(doc);
    return text;
}

void job_extra_read(const struct job *job, struct job_extra *ret)
{
    cJSON *doc = cJSON_Parse(job->request ? job->request : "{}");

    *ret = (struct job_extra){ .user_name = xstrdup(json_str(doc, "user_name")) };
    (void)json_bool(doc, "public", &ret->is_public); /* not said: not public */
    (void)json_bool(doc, "in_thread", &ret->in_thread);
    cJSON_Delete(doc);
}

void job_extra_clear(struct job_extra *extra)
{
    free(extra->user_name);
    *extra = (struct job_extra){ 0 };
}

char *job_thread_link(const struct job *job)
{
    struct buf link = BUF_INIT;

    if (!job->thread_ts || !job->channel)
        return NULL;
    buf_addf(&link, "https://slack.com/archives/%s/p", job->channel);
    for (const char *p = job->thread_ts; *p; p++)
        if (*p != '.')
            buf_addc(&link, *p);
    return buf_take(&link);
}

bool job_visible(const struct job *job, const struct reader *reader)
{
    struct job_extra extra;

    job_extra_read(job, &extra);
    struct access_line line = { .channel = job->channel,
                                .requester = job->requester,
                                .is_public = extra.is_public };
    bool visible = access_line_visible(reader->access, &line, reader->channel, reader->user);
    job_extra_clear(&extra);
    return visible;
}

static const char *keep(struct job_rows *rows, char *text)
{
    if (text)
        *VEC_ADD(rows->kept, rows->n_kept, rows->cap_kept) = text;
    return text;
}

static int64_t since(const struct job *job)
{
    if (job->finished_ms != TIME_UNKNOWN && job_state_is_final(job->state))
        return job->finished_ms;
    return job->started_ms != TIME_UNKNOWN ? job->started_ms : job->created_ms;
}

static void describe(struct job_rows *rows, const struct job *job, struct job_row *row)
{
    struct job_extra extra;

    job_extra_read(job, &extra);
    row->issue = keep(rows, xstrdup(job->issue_short_id ? job->issue_short_id : job->issue_ref));
    row->issue_url = keep(rows, xstrdup(job->issue_url));
    row->detail = keep(rows, xstrdup(job->summary ? job->summary : job->error));
    row->permalink = keep(rows, job_thread_link(job));
    row->asker = keep(rows, extra.user_name);
}

void job_rows_add(struct job_rows *rows, const struct job_list *jobs, const struct reader *reader,
                  bool keep_hidden)
{
    for (size_t i = 0; i < jobs->n; i++) {
        const struct job *job = &jobs->items[i];
        bool visible = job_visible(job, reader);

        rows->hidden += !visible;
        if (!visible && !keep_hidden)
            continue;
        struct job_row *row = VEC_ADD(rows->items, rows->n, rows->cap);
        row->state = job->state == JOB_QUEUED ? "waiting" : job_state_name(job->state);
        row->since_ms = since(job);
        if (visible)
            describe(rows, job, row);
        else
            row->issue = "an issue in another conversation";
    }
}

void job_rows_clear(struct job_rows *rows)
{
    for (size_t i = 0; i < rows->n_kept; i++)
        free(rows->kept[i]);
    free(rows->kept);
    free(rows->items);
    *rows = (struct job_rows){ 0 };
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits: tells texts apart, protects nothing. */
static uint64_t mix(uint64_t hash, char c)
{
    return (hash ^ (unsigned char)c) * UINT64_C(1099511628211);
}

static uint64_t mix_text(uint64_t hash, const char *s)
{
    for (; s && *s; s++)
        hash = mix(hash, *s);
    return mix(hash, '\n');
}

/* Numbers, addresses and ids differ from event to event and between machines: every word with a
 * digit in it counts as the same word. */
static uint64_t mix_line(uint64_t hash, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, " \t,;()[]{}'\"=");
        bool numbered = strcspn(s, "0123456789") < n;

        for (size_t i = 0; i < n; i++)
            hash = numbered ? hash : mix(hash, (char)tolower((unsigned char)s[i]));
        hash = mix(hash, numbered ? '#' : ' ');
        s += n + (s[n] != '\0');
    }
    return hash;
}

void job_fingerprint(const struct casefile *c, struct buf *out)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    if (!c->issue.error_line || !*c->issue.error_line)
        return;
    hash = mix_text(hash, c->target.engine);
    hash = mix_text(hash, c->target.failure);
    hash = mix_text(hash, c->target.host ? c->target.host : c->issue.project);
    hash = mix_line(hash, c->issue.error_line);
    buf_addf(out, "%016" PRIx64, hash);
}
