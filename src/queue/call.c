/* A request's memory: its copied arguments and its result. */
#include "queue_priv.h"

#include "call.h"

struct kept_text {
    struct kept_text *next;
    char text[];
};

char *call_keep(struct queue_call *c, const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    struct kept_text *k = xmalloc(sizeof(*k) + size);
    memcpy(k->text, text, size);
    k->next = c->kept;
    c->kept = k;
    return k->text;
}

struct job_ref call_keep_ref(struct queue_call *c, struct job_ref ref)
{
    return (struct job_ref){ call_keep(c, ref.id), ref.fence };
}

void call_result_clear(struct call_result *out)
{
    job_clear(&out->job);
    job_message_clear(&out->message);
    job_list_clear(&out->jobs);
    job_step_list_clear(&out->steps);
    job_message_list_clear(&out->messages);
    job_attempt_list_clear(&out->attempts);
    job_feedback_list_clear(&out->feedback);
    audit_list_clear(&out->audit);
    store_seen_clear(&out->seen);
    free(out->report);
    free(out->evidence);
    free(out->value);
    *out = (struct call_result){ 0 };
}

void call_fill_reply(const struct queue_call *c, struct queue_reply *ret)
{
    const struct call_result *out = &c->out;

    *ret = (struct queue_reply){
        .outcome = (enum store_outcome)c->outcome,
        .id = out->id[0] ? out->id : NULL,
        .job = out->job.id ? &out->job : NULL,
        .cancel = out->cancel,
        .message = out->message.part ? &out->message : NULL,
        .jobs = &out->jobs,
        .steps = &out->steps,
        .messages = &out->messages,
        .attempts = &out->attempts,
        .feedback = &out->feedback,
        .audit = &out->audit,
        .counts = &out->counts,
        .seen = out->seen.job.id ? &out->seen : NULL,
        .report = out->report,
        .evidence = out->evidence,
        .value = out->value,
        .number = out->number,
    };
}

void call_free(struct queue_call *c)
{
    while (c->kept) {
        struct kept_text *next = c->kept->next;
        free(c->kept);
        c->kept = next;
    }
    call_result_clear(&c->out);
    error_clear(&c->err);
    free(c);
}

/* ---- lists ---- */

void calls_add(struct call_list *list, struct queue_call *c)
{
    c->queue = (struct call_links){ list->last, NULL };
    if (list->last)
        list->last->queue.next = c;
    else
        list->first = c;
    list->last = c;
    list->n++;
}

void calls_remove(struct call_list *list, struct queue_call *c)
{
    if (c->queue.prev)
        c->queue.prev->queue.next = c->queue.next;
    else
        list->first = c->queue.next;
    if (c->queue.next)
        c->queue.next->queue.prev = c->queue.prev;
    else
        list->last = c->queue.prev;
    c->queue = (struct call_links){ NULL, NULL };
    list->n--;
}

struct queue_call *calls_shift(struct call_list *list)
{
    struct queue_call *c = list->first;

    if (c)
        calls_remove(list, c);
    return c;
}

void calls_prepend(struct call_list *list, struct call_list *front)
{
    if (!front->first)
        return;
    front->last->queue.next = list->first;
    if (list->first)
        list->first->queue.prev = front->last;
    else
        list->last = front->last;
    list->first = front->first;
    list->n += front->n;
    *front = (struct call_list){ 0 };
}
