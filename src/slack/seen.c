#include "seen.h"

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/report/wording.h"

static char *verdict_of(const struct job *job)
{
    enum confidence confidence;
    enum cause cause;

    if (!cause_parse(job->cause, &cause))
        return NULL;
    if (!confidence_from_name(job->confidence, &confidence))
        return xstrdup(word_cause(cause));
    return xasprintf("%s (confidence: %s)", word_cause(cause), word_confidence(confidence));
}

static const char *judged(int64_t right, int64_t wrong)
{
    return right > wrong ? "right" : wrong > right ? "wrong" : NULL;
}

/* The strings into the view that lends them. */
static void lend(struct seen *seen)
{
    seen->before.issue = seen->issue;
    seen->before.verdict = seen->verdict;
    seen->before.permalink = seen->permalink;
}

void seen_read(const struct store_seen *found, const struct reader *reader, struct seen *ret)
{
    const struct job *job = found ? &found->job : NULL;
    bool visible = job && job_visible(job, reader);

    *ret = (struct seen){ .known = false };
    if (!job || (!visible && found->by != SEEN_BY_ISSUE))
        return;
    ret->verdict = verdict_of(job);
    ret->known = ret->verdict != NULL;
    ret->issue = xstrdup(job->issue_short_id ? job->issue_short_id : job->issue_ref);
    ret->permalink = visible ? job_thread_link(job) : NULL;
    ret->before.at_ms = job->finished_ms;
    ret->before.judged = judged(found->right, found->wrong);
    lend(ret);
}

void seen_clear(struct seen *seen)
{
    free(seen->issue);
    free(seen->verdict);
    free(seen->permalink);
    *seen = (struct seen){ .known = false };
}

cJSON *seen_to_json(const struct seen *seen)
{
    cJSON *json = cJSON_CreateObject();

    json_put_time(json, "at", seen->before.at_ms);
    json_put_str(json, "issue", seen->issue);
    json_put_str(json, "verdict", seen->verdict);
    json_put_str(json, "judged", seen->before.judged);
    json_put_str(json, "permalink", seen->permalink);
    return json;
}

void seen_from_json(const cJSON *json, struct seen *ret)
{
    const char *word = json_str(json, "judged");

    *ret = (struct seen){ .known = json_str(json, "verdict") != NULL };
    ret->issue = xstrdup(json_str(json, "issue"));
    ret->verdict = xstrdup(json_str(json, "verdict"));
    ret->permalink = xstrdup(json_str(json, "permalink"));
    ret->before.at_ms = json_time(json, "at");
    ret->before.judged = text_same(word, "right")   ? "right"
                         : text_same(word, "wrong") ? "wrong"
                                                    : NULL;
    lend(ret);
}

void opinions_read(const struct job_feedback_list *feedback, struct opinions *ret)
{
    enum cause cause;

    *ret = (struct opinions){ 0 };
    for (size_t i = 0; feedback && i < feedback->n; i++) {
        const struct job_feedback *f = &feedback->items[i];
        ret->right += text_same(f->verdict, "right");
        ret->wrong += text_same(f->verdict, "wrong");
        if (cause_parse(f->real_cause, &cause))
            xreplace(&ret->real_cause, word_cause(cause));
    }
}

void opinions_clear(struct opinions *o)
{
    free(o->real_cause);
    *o = (struct opinions){ 0 };
}
