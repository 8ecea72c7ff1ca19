#include "dbconn/slack/thread_view.h"

#include <inttypes.h>
#include <stdio.h>

#include "dbconn/base/json.h"
#include "dbconn/report/wording.h"
#include "dbconn/slack/mrkdwn.h"
#include "thread_view_internal.h"

static const char *const part_names[] = {
    [PART_ROOT] = "root",   [PART_PLAN] = "plan",       [PART_ANSWER] = "answer",
    [PART_CHART] = "chart", [PART_DETAILS] = "details",
};

#define X(name, text) [BUTTON_##name] = (text),
static const char *const button_ids[] = { BUTTON_LIST(X) };
#undef X

const char *part_name(enum part_id id)
{
    return part_names[id];
}

bool part_parse(const char *name, enum part_id *ret)
{
    for (size_t i = 0; name && i < ARRAY_LEN(part_names); i++) {
        if (strcmp(name, part_names[i]) == 0) {
            *ret = (enum part_id)i;
            return true;
        }
    }
    return false;
}

const char *button_action_id(enum button_action b)
{
    return button_ids[b];
}

bool button_parse(const char *action_id, enum button_action *ret)
{
    for (size_t i = 0; action_id && i < ARRAY_LEN(button_ids); i++) {
        if (strcmp(action_id, button_ids[i]) == 0) {
            *ret = (enum button_action)i;
            return true;
        }
    }
    return false;
}

bool has_blocks(const struct thread_input *in)
{
    return in->options.style != PROGRESS_TEXT;
}

bool is_final(enum job_phase phase)
{
    return phase != PHASE_QUEUED && phase != PHASE_RUNNING;
}

void add_issue(struct doc *d, const struct thread_input *in)
{
    const struct casefile *c = in->casefile;

    if (c && c->issue.url && (c->issue.short_id || c->issue.id))
        doc_link(d, c->issue.url, word_issue(c));
    else if (c && (c->issue.short_id || c->issue.id))
        doc_sentence(d, word_issue(c), 100);
    else
        doc_code(d, in->issue && *in->issue ? in->issue : "the issue", 100);
}

void add_canceller(struct doc *d, const struct thread_input *in)
{
    const char *who = in->cancelled_by;

    if (who && in->asker_id && strcmp(who, in->asker_id) == 0)
        who = in->asker_name;
    if (!who || slack_user_id_valid(who)) /* an id alone tells people nothing */
        return;
    doc_words(d, " by ");
    doc_sentence(d, who, 80);
}

void add_cancel_reason(struct doc *d, const struct thread_input *in)
{
    if (!in->reason)
        return;
    doc_words(d, " ");
    doc_sentence(d, in->reason, 300);
    if (link_allowed(in->elsewhere)) {
        doc_words(d, " Follow it in ");
        doc_link(d, in->elsewhere, "its thread");
        doc_words(d, ".");
    }
}

void add_do_now(struct doc *d, const struct diagnosis *dg)
{
    char *text = xasprintf("Do now: %s", dg->next_actions[0]);

    doc_bold(d, text, 400);
    free(text);
}

void add_findings(struct doc *d, const char *heading, const struct finding *items, size_t n,
                  size_t shown)
{
    if (n == 0)
        return;
    doc_heading(d, heading);
    for (size_t i = 0; i < n && i < shown; i++) {
        doc_bullet(d);
        doc_sentence(d, items[i].text, 300);
        doc_source(d, items[i].url);
    }
    if (n > shown) {
        char *more = xasprintf("… %zu more, see Details.", n - shown);
        doc_bullet(d);
        doc_words(d, more);
        free(more);
    }
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits: tells contents apart, protects nothing. */
static uint64_t hash_add(uint64_t hash, const char *s)
{
    for (; *s; s++)
        hash = (hash ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return (hash ^ 0xFF) * UINT64_C(1099511628211);
}

static void put_hash(struct thread_part *part)
{
    char *blocks = json_print(part->blocks);
    uint64_t hash = hash_add(UINT64_C(14695981039346656037), part->text);

    hash = hash_add(hash, blocks);
    snprintf(part->hash, sizeof(part->hash), "%016" PRIx64, hash);
    free(blocks);
}

static cJSON *metadata_of(const struct thread_input *in, const struct thread_part *part)
{
    cJSON *metadata = cJSON_CreateObject(), *payload;

    json_put_str(metadata, "event_type", THREAD_METADATA_EVENT);
    payload = json_put_object(metadata, "event_payload");
    json_put_str(payload, "job", in->job_id);
    json_put_str(payload, "part", part_name(part->id));
    json_put_str(payload, "hash", part->hash);
    return metadata;
}

static void add_part(struct thread_view *view, const struct thread_input *in, enum part_id id,
                     void (*draft)(struct part_draft *))
{
    struct thread_part *part = &view->parts[view->n++];
    struct part_draft p = { .in = in };

    blocks_init(&p.blocks, BLOCKS_MESSAGE);
    draft(&p);
    part->id = id;
    part->in_thread = id != PART_ROOT;
    part->broadcast = id == PART_ANSWER && in->options.reply_broadcast;
    part->settled = is_final(in->phase);
    part->text = buf_take(&p.text);
    part->blocks = blocks_take(&p.blocks, SEE_DETAILS);
    put_hash(part);
    part->metadata = metadata_of(in, part);
}

static void add_picture(struct thread_view *view, const struct thread_input *in)
{
    add_part(view, in, PART_CHART, chart_draft);
    view->parts[view->n - 1].picture = chart_picture_of(in);
}

static bool any_step_started(const struct casefile *c)
{
    for (size_t i = 0; c && i < c->n_steps; i++) {
        if (c->steps[i].status != STEP_PENDING)
            return true;
    }
    return false;
}

void thread_view_build(const struct thread_input *input, struct thread_view *ret)
{
    struct thread_input known = *input;
    const struct thread_input *in = &known;

    *ret = (struct thread_view){ 0 };
    if (in->phase == PHASE_DONE && !(in->casefile && in->casefile->diagnosis.reached)) {
        known.phase = PHASE_FAILED; /* nothing to show as an answer is no answer */
        known.reason = in->reason ? in->reason : "the result is missing.";
    }
    add_part(ret, in, PART_ROOT, root_draft);
    if (in->phase == PHASE_RUNNING ? in->casefile && in->casefile->n_steps > 0
                                   : any_step_started(in->casefile))
        add_part(ret, in, PART_PLAN, plan_draft);
    if (is_final(in->phase))
        add_part(ret, in, PART_ANSWER, answer_draft);
    if (in->phase == PHASE_DONE && chart_is_picture(in))
        add_picture(ret, in);
    if (in->phase == PHASE_DONE)
        add_part(ret, in, PART_DETAILS, details_draft);
}

void thread_part_clear(struct thread_part *part)
{
    free(part->text);
    cJSON_Delete(part->blocks);
    cJSON_Delete(part->metadata);
    if (part->picture) {
        free(part->picture->name);
        free(part->picture->title);
        free(part->picture->alt);
        free(part->picture->subject);
        series_clear(&part->picture->series);
        free(part->picture);
    }
    *part = (struct thread_part){ 0 };
}

void thread_view_clear(struct thread_view *view)
{
    for (size_t i = 0; i < view->n; i++)
        thread_part_clear(&view->parts[i]);
    *view = (struct thread_view){ 0 };
}
