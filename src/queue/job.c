#include "dbconn/queue/job.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "dbconn/base/alloc.h"
#include "dbconn/queue/store.h"
#include "job_fields.h"

#define ID_TIME_CHARS 9
static const char crockford[] = "0123456789abcdefghjkmnpqrstvwxyz";

static const char *const state_names[] = {
#define X(name, text) [JOB_##name] = text,
    JOB_STATE_LIST(X)
#undef X
};

const char *job_state_name(enum job_state state)
{
    return state_names[state];
}

bool job_state_parse(const char *name, enum job_state *ret)
{
    for (int i = 0; name && i < JOB_STATE_COUNT; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *ret = (enum job_state)i;
            return true;
        }
    }
    return false;
}

bool job_state_is_final(enum job_state state)
{
    return state != JOB_QUEUED && state != JOB_RUNNING;
}

const char *message_state_name(enum message_state state)
{
    static const char *const names[] = {
        [MESSAGE_INTENDED] = "intended",
        [MESSAGE_SENT] = "sent",
        [MESSAGE_UNKNOWN] = "unknown",
        [MESSAGE_ABSENT] = "absent",
    };
    return names[state];
}

const char *store_outcome_name(enum store_outcome outcome)
{
    static const char *const names[] = {
        [STORE_OK] = "ok",
        [STORE_NONE] = "none",
        [STORE_EXISTS] = "exists",
        [STORE_FULL] = "full",
        [STORE_LEASE_LOST] = "lease_lost",
        [STORE_UNRESOLVED] = "unresolved",
        [STORE_REFUSED] = "refused",
    };
    return names[outcome];
}

void job_id_make(int64_t now_ms, char *out)
{
    uint64_t when = (uint64_t)now_ms, chance = 0;

    /* Never short for so few bytes once the kernel's pool is up (getrandom(2)). */
    while (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
        continue;
    for (int i = ID_TIME_CHARS - 1; i >= 0; i--, when >>= 5)
        out[i] = crockford[when & 31];
    for (int i = ID_TIME_CHARS; i < JOB_ID_LEN; i++, chance >>= 5)
        out[i] = crockford[chance & 31];
    out[JOB_ID_LEN] = '\0';
}

bool job_id_is_valid(const char *text)
{
    return text && strlen(text) == JOB_ID_LEN && strspn(text, crockford) == JOB_ID_LEN;
}

/* Where the texts of a job are. */
static const size_t job_texts[] = {
#define IF_TEXT(name) offsetof(struct job, name),
#define IF_INT(name)
#define IF_TIME(name)
#define IF_STATE(name)
#define X(kind, name) IF_##kind(name)
    offsetof(struct job, id), offsetof(struct job, response_url), JOB_FIELDS(X)
#undef X
};

static char **job_text(struct job *job, size_t i)
{
    return (char **)(void *)((char *)job + job_texts[i]);
}

void job_clear(struct job *job)
{
    for (size_t i = 0; i < ARRAY_LEN(job_texts); i++)
        free(*job_text(job, i));
    *job = (struct job){ 0 };
}

void job_copy(struct job *to, const struct job *from)
{
    *to = *from;
    for (size_t i = 0; i < ARRAY_LEN(job_texts); i++)
        *job_text(to, i) = xstrdup(*job_text(to, i));
}

void job_list_clear(struct job_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        job_clear(&list->items[i]);
    free(list->items);
    *list = (struct job_list){ 0 };
}

void job_step_list_clear(struct job_step_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].step_id);
        free(list->items[i].status);
        free(list->items[i].data);
    }
    free(list->items);
    *list = (struct job_step_list){ 0 };
}

void job_message_clear(struct job_message *message)
{
    free(message->part);
    free(message->channel);
    free(message->thread_ts);
    free(message->ts);
    free(message->hash);
    *message = (struct job_message){ 0 };
}

void job_message_list_clear(struct job_message_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        job_message_clear(&list->items[i]);
    free(list->items);
    *list = (struct job_message_list){ 0 };
}

void job_attempt_list_clear(struct job_attempt_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].owner);
        free(list->items[i].outcome);
        free(list->items[i].note);
    }
    free(list->items);
    *list = (struct job_attempt_list){ 0 };
}

void job_feedback_clear(struct job_feedback *feedback)
{
    free(feedback->job_id);
    free(feedback->workspace);
    free(feedback->person);
    free(feedback->verdict);
    free(feedback->real_cause);
    free(feedback->note);
    free(feedback->cause);
    free(feedback->confidence);
    *feedback = (struct job_feedback){ 0 };
}

void job_feedback_list_clear(struct job_feedback_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        job_feedback_clear(&list->items[i]);
    free(list->items);
    *list = (struct job_feedback_list){ 0 };
}

void audit_entry_clear(struct audit_entry *e)
{
    free(e->payload);
    free(e->prev_hash);
    free(e->hash);
    *e = (struct audit_entry){ 0 };
}

void audit_list_clear(struct audit_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].payload);
        free(list->items[i].prev_hash);
        free(list->items[i].hash);
    }
    free(list->items);
    *list = (struct audit_list){ 0 };
}

void store_seen_clear(struct store_seen *seen)
{
    job_clear(&seen->job);
    *seen = (struct store_seen){ 0 };
}
