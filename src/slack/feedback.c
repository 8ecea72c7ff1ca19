/*
 * One redraw of an ended job's thread:
 *
 *   load (job, report, feedback, messages: the store) -> edit what differs (Slack) -> done
 *
 * Asked for again meanwhile: once more from the start. Edits carry the whole content, so that a
 * lost one is made good by the next.
 */
#include "feedback.h"

#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/evidence.h"
#include "dbconn/report/report_json.h"
#include "dbconn/slack/webapi.h"
#include "seen.h"

struct redraw {
    struct bot *bot;
    struct redraw *next;
    char *job_id;
    bool again;
    struct job job;
    struct job_extra extra;
    struct casefile casefile;
    struct seen seen;
    struct opinions opinions;
    int edits; /* under way */
};

static void load(struct redraw *d);

static void forget_loaded(struct redraw *d)
{
    job_clear(&d->job);
    job_extra_clear(&d->extra);
    casefile_clear(&d->casefile);
    casefile_init(&d->casefile);
    seen_clear(&d->seen);
    opinions_clear(&d->opinions);
}

static void redraw_free(struct redraw *d)
{
    struct redraw **at = &d->bot->redraws;

    while (*at && *at != d)
        at = &(*at)->next;
    if (*at)
        *at = d->next;
    forget_loaded(d);
    casefile_clear(&d->casefile);
    free(d->job_id);
    free(d);
}

void feedback_free(struct bot *bot)
{
    while (bot->redraws)
        redraw_free(bot->redraws);
}

static void end(struct redraw *d)
{
    if (d->again) {
        d->again = false;
        forget_loaded(d);
        load(d);
    } else {
        redraw_free(d);
    }
}

/* ---- editing ---- */

static void on_edited(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct redraw *d = user;

    if (reply->kind != WEBAPI_OK)
        LOG(WARN, "feedback.edit", F_STR("job", d->job_id), F_STR("code", reply->code),
            F_STR("why", error_text(err)));
    if (--d->edits == 0)
        end(d);
}

static const struct job_message *find_sent(const struct job_message_list *messages, enum part_id id)
{
    for (size_t i = 0; i < messages->n; i++)
        if (text_same(messages->items[i].part, part_name(id)) &&
            messages->items[i].state == MESSAGE_SENT)
            return &messages->items[i];
    return NULL;
}

static void edit(struct redraw *d, const struct thread_part *part, const struct job_message *sent)
{
    cJSON *args = cJSON_CreateObject();
    struct error err = ERROR_INIT;
    struct webapi_request request = {
        .method = "chat.update", .args = args, .done = on_edited, .user = d
    };

    json_put_str(args, "channel", sent->channel);
    json_put_str(args, "ts", sent->ts);
    json_put_str(args, "text", part->text);
    cJSON_AddItemToObject(args, "blocks", cJSON_Duplicate(part->blocks, true));
    cJSON_AddItemToObject(args, "metadata", cJSON_Duplicate(part->metadata, true));
    d->edits++;
    if (!webapi_start(d->bot->api, &request, &err)) {
        LOG(WARN, "feedback.edit", F_STR("job", d->job_id), F_STR("why", error_text(&err)));
        d->edits--;
    }
    cJSON_Delete(args);
    error_clear(&err);
}

static void draw(struct redraw *d, const struct job_message_list *messages)
{
    struct thread_input in;
    struct thread_view view;

    bot_thread_input(d->bot, &d->job, &in);
    in.casefile = &d->casefile;
    in.phase = PHASE_DONE;
    in.asker_name = d->extra.user_name;
    in.before = d->seen.known ? &d->seen.before : NULL;
    in.said_right = d->opinions.right;
    in.said_wrong = d->opinions.wrong;
    in.real_cause = d->opinions.real_cause;
    in.options.style = d->bot->looks.style;
    in.options.chart = d->bot->looks.chart;
    thread_view_build(&in, &view);
    for (size_t i = 0; i < view.n; i++) {
        const struct job_message *sent = find_sent(messages, view.parts[i].id);
        if (sent && view.parts[i].id == PART_ANSWER)
            edit(d, &view.parts[i], sent);
    }
    thread_view_clear(&view);
}

/* ---- loading ---- */

static void give_up(struct redraw *d, const struct error *err)
{
    if (err)
        LOG(WARN, "feedback.load", F_STR("job", d->job_id), F_STR("why", error_text(err)));
    d->again = false;
    end(d);
}

static void on_messages(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct redraw *d = user;

    if (err) {
        give_up(d, err);
        return;
    }
    draw(d, reply->messages);
    if (d->edits == 0)
        end(d);
}

static void on_feedback(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct redraw *d = user;
    struct error failed = ERROR_INIT;

    if (err) {
        give_up(d, err);
        return;
    }
    opinions_read(reply->feedback, &d->opinions);
    if (!queue_messages(d->bot->queue, d->job_id, on_messages, d, &failed))
        give_up(d, &failed);
    error_clear(&failed);
}

static void read_seen(struct redraw *d, const char *evidence)
{
    struct evidence *board = evidence_new();
    cJSON *facts = cJSON_Parse(evidence ? evidence : "[]");

    evidence_add_json(board, facts);
    seen_from_json(evidence_json(board, SEEN_FACT), &d->seen);
    cJSON_Delete(facts);
    evidence_free(board);
}

static void on_report(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct redraw *d = user;
    struct error failed = ERROR_INIT;

    if (err || !reply->report ||
        report_parse(reply->report, strlen(reply->report), &d->casefile, &failed) < 0) {
        give_up(d, err ? err : &failed);
        error_clear(&failed);
        return;
    }
    read_seen(d, reply->evidence);
    if (!queue_feedback_list(d->bot->queue, d->job_id, on_feedback, d, &failed))
        give_up(d, &failed);
    error_clear(&failed);
}

static void on_job(void *user, const struct queue_reply *reply, const struct error *err)
{
    struct redraw *d = user;
    struct error failed = ERROR_INIT;

    if (err || reply->outcome != STORE_OK || reply->job->state != JOB_DONE) {
        give_up(d, err);
        return;
    }
    job_copy(&d->job, reply->job);
    job_extra_read(&d->job, &d->extra);
    if (!queue_report(d->bot->queue, d->job_id, on_report, d, &failed))
        give_up(d, &failed);
    error_clear(&failed);
}

static void load(struct redraw *d)
{
    struct error err = ERROR_INIT;

    if (!queue_get(d->bot->queue, d->job_id, on_job, d, &err))
        give_up(d, &err);
    error_clear(&err);
}

void feedback_show(struct bot *bot, const char *job_id)
{
    struct redraw *d;

    if (investigation_judged(bot, job_id))
        return;
    for (d = bot->redraws; d; d = d->next) {
        if (text_same(d->job_id, job_id)) {
            d->again = true;
            return;
        }
    }
    d = xcalloc(1, sizeof(*d));
    d->bot = bot;
    d->job_id = xstrdup(job_id);
    casefile_init(&d->casefile);
    d->next = bot->redraws;
    bot->redraws = d;
    load(d);
}
