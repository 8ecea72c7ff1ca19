#include "dbconn/slack/command_reply.h"

#include "dbconn/report/wording.h"
#include "dbconn/slack/mrkdwn.h"

#define NAME_BYTES 120
#define REASON_BYTES 600
#define SUMMARY_BYTES 1200

void reply_help(const char *name, struct buf *out)
{
    buf_adds(out, "Give me a Sentry issue in which a database refused the connection. I look at "
                  "its events, releases, code changes and logs, and answer in a thread here: the "
                  "likely cause, why I think so, and what to do now.\n\n");
    buf_addf(out,
             "• `%s SHOP-1A2`: look into an issue. Its number or its Sentry link will do too\n",
             name);
    buf_addf(out, "• `%s status`: what I am looking into, and what waits\n", name);
    buf_addf(out, "• `%s cancel SHOP-1A2`: stop looking into it\n", name);
    buf_addf(out,
             "• `%s history SHOP-1A2`: what I said before; also for a host, as in `%s history "
             "db-1`, or alone\n",
             name, name);
    buf_addf(out, "• `%s help`: this text, which only you see", name);
}

void reply_taken(const char *issue, size_t ahead, struct buf *out)
{
    buf_adds(out, "I am on it: ");
    mrkdwn_code(out, issue, NAME_BYTES);
    if (ahead > 0) {
        buf_adds(out, ". Ahead of it: ");
        word_count((int64_t)ahead, "investigation", "investigations", out);
    }
    buf_adds(out, ". The answer comes in a thread in this channel.");
}

/* "I am already looking into `SHOP-1A2`. Follow it in its thread." */
static void lead_to(const char *begin, const char *issue, const char *middle, const char *permalink,
                    const char *without, struct buf *out)
{
    buf_adds(out, begin);
    mrkdwn_code(out, issue, NAME_BYTES);
    if (link_allowed(permalink)) {
        buf_adds(out, middle);
        mrkdwn_link(out, permalink, "its thread", NAME_BYTES);
        buf_adds(out, ".");
    } else {
        buf_adds(out, without);
    }
}

void reply_already_running(const char *issue, const char *permalink, struct buf *out)
{
    lead_to("I am already looking into ", issue, ". Follow it in ", permalink,
            ". Its thread begins in a moment.", out);
}

void reply_answered_meanwhile(const char *issue, const char *permalink, struct buf *out)
{
    lead_to("While this waited, I answered for ", issue, " in ", permalink, " in this channel.",
            out);
}

void reply_queue_full(size_t waiting, const char *name, struct buf *out)
{
    buf_adds(out, "I did not take this: ");
    word_count((int64_t)waiting, "investigation is", "investigations are", out);
    buf_addf(out,
             " waiting already, and that is my limit. Nothing was started. Please try again "
             "in a few minutes; `%s status` shows what waits.",
             name);
}

void reply_refused(const char *what, const char *key, const char *env, struct buf *out)
{
    buf_adds(out, "I may not do this here: ");
    mrkdwn_sentence(out, what, REASON_BYTES);
    buf_adds(out, " Whoever runs me can allow it with ");
    mrkdwn_code(out, key, NAME_BYTES);
    buf_adds(out, " in my configuration");
    if (env) {
        buf_adds(out, " (or ");
        mrkdwn_code(out, env, NAME_BYTES);
        buf_adds(out, " in the environment)");
    }
    buf_adds(out, ".");
}

static const struct post_error {
    const char *code, *why, *remedy;
} post_errors[] = {
    { "not_in_channel", "I am not in this channel.",
      "Invite me with `/invite @%s`, then ask again." },
    /* A private channel that the bot is not in is hidden from it. */
    { "channel_not_found",
      "I cannot see this channel. It is private, or a conversation between people.",
      "In a private channel, invite me with `/invite @%s`, then ask again. Or ask in another "
      "channel." },
    { "is_archived", "This channel is archived, and nobody can post here.",
      "Ask in another channel." },
    { "is_inactive", "This channel is frozen, and nobody can post here.",
      "Ask in another channel." },
    { "message_not_found", "My message in this channel was deleted.",
      "Ask again if you want a new one." },
    { "restricted_action", "The rules of this workspace do not let me post here.",
      "Ask in another channel, or ask an administrator of the workspace." },
    { "restricted_action_read_only_channel",
      "Only some people may post in this channel, and I am not one of them.",
      "Ask in another channel." },
    { "restricted_action_thread_only_channel", "Only replies are allowed in this channel.",
      "Ask in another channel." },
    { "restricted_action_non_threadable_channel",
      "Threads are switched off in this channel, and I answer in a thread.",
      "Ask in another channel." },
    { "messages_tab_disabled", "Messages to me are switched off.",
      "Ask in a channel, or have the Messages tab of this app switched on." },
    { "token_revoked", "My access to this workspace was withdrawn.",
      "Whoever runs me has to install me again." },
    { "account_inactive", "My account in this workspace is switched off.",
      "Whoever runs me has to install me again." },
    { "invalid_auth", "Slack does not accept my token, or not from the address that I run at.",
      "Whoever runs me has to look at it." },
    { "missing_scope", "I lack a permission in this workspace.",
      "Whoever runs me has to add it: `dbconn check` names it." },
};

void reply_cannot_post(const char *slack_error, const char *bot, struct buf *out)
{
    const struct post_error *found = NULL;
    struct buf name = BUF_INIT;

    for (size_t i = 0; i < ARRAY_LEN(post_errors); i++) {
        if (slack_error && strcmp(post_errors[i].code, slack_error) == 0)
            found = &post_errors[i];
    }
    if (!found) {
        buf_adds(out, "I could not post in this channel. Slack said: ");
        mrkdwn_code(out, slack_error && *slack_error ? slack_error : "nothing", NAME_BYTES);
        buf_adds(out, ". Nothing was lost; ask again, here or in another channel.");
        return;
    }
    plain_text(&name, bot && *bot ? bot : "dbconn", 80);
    buf_addf(out, "I could not answer here. %s ", found->why);
    for (const char *p = found->remedy; *p; p++) {
        if (p[0] == '%' && p[1] == 's') {
            mrkdwn_text(out, buf_str(&name), 80);
            p++;
        } else {
            buf_addc(out, *p);
        }
    }
    buf_clear(&name);
}

void reply_found(const char *issue, const char *summary, struct buf *out)
{
    buf_adds(out, "\nWhat I found about ");
    mrkdwn_code(out, issue, NAME_BYTES);
    buf_adds(out, ": ");
    mrkdwn_sentence(out, summary, SUMMARY_BYTES);
}

void reply_store_failed(const char *name, struct buf *out)
{
    buf_addf(out,
             "I could not take this: my own storage does not work right now, and I only "
             "promise what I have written down. Nothing was started. Please try `%s` again "
             "in a minute. Whoever runs me finds the reason in my log.",
             name);
}

void reply_unknown_issue(const char *issue, const char *org, const char *name, struct buf *out)
{
    buf_adds(out, "I found no issue ");
    mrkdwn_code(out, issue, NAME_BYTES);
    if (org) {
        buf_adds(out, " in the Sentry organization ");
        mrkdwn_code(out, org, NAME_BYTES);
    }
    buf_addf(out,
             ", or I may not see it. Please check the id. For example: `%s SHOP-1A2`, or paste "
             "the link of the issue.",
             name);
}

static void other_place(const char *what, const char *got, const char *configured, const char *name,
                        struct buf *out)
{
    buf_addf(out, "That link is of the Sentry %s ", what);
    mrkdwn_code(out, got, NAME_BYTES);
    buf_adds(out, ", but I work for ");
    mrkdwn_code(out, configured, NAME_BYTES);
    buf_addf(out, " only. Name an issue from there, for example: `%s SHOP-1A2`", name);
}

void reply_other_org(const char *got, const char *configured, const char *name, struct buf *out)
{
    other_place("organization", got, configured, name, out);
}

void reply_other_host(const char *got, const char *configured, const char *name, struct buf *out)
{
    other_place("server", got, configured, name, out);
}

void reply_cancelled(const char *issue, struct buf *out)
{
    buf_adds(out, "I stop looking into ");
    mrkdwn_code(out, issue, NAME_BYTES);
    buf_adds(out, ". Its thread says so too.");
}

void reply_not_running(const char *issue, const char *name, struct buf *out)
{
    buf_adds(out, "I am not looking into ");
    mrkdwn_code(out, issue, NAME_BYTES);
    buf_addf(out, ", so there is nothing to cancel. `%s status` shows what runs.", name);
}

void reply_feedback_thanks(const char *verdict, struct buf *out)
{
    if (strcmp(verdict, "right") == 0)
        buf_adds(out, "Noted: the answer was right. Thank you.");
    else if (strcmp(verdict, "wrong") == 0)
        buf_adds(out, "Noted: the answer was wrong. Thank you. If you know it, *The real cause "
                      "was…* helps most.");
    else
        buf_adds(out, "Noted what it really was. Thank you.");
}

void reply_button_done(const char *what, struct buf *out)
{
    buf_adds(out, "Somebody pressed that already: ");
    mrkdwn_sentence(out, what, REASON_BYTES);
}

void reply_job_gone(const char *job, const char *name, struct buf *out)
{
    buf_adds(out, "This investigation is too old: I have removed it (");
    mrkdwn_code(out, job, NAME_BYTES);
    buf_addf(out, "). To look again, type `%s` with the issue.", name);
}

void reply_failed(const struct error *why, struct buf *out)
{
    buf_adds(out, "That did not work: ");
    mrkdwn_sentence(out, error_text(why), REASON_BYTES);
}

void reply_row(const struct job_row *row, struct buf *out)
{
    if (link_allowed(row->issue_url))
        mrkdwn_link(out, row->issue_url, row->issue, NAME_BYTES);
    else
        mrkdwn_text(out, row->issue ? row->issue : "an issue", NAME_BYTES);
    buf_adds(out, ": ");
    mrkdwn_text(out, row->state ? row->state : "not known", NAME_BYTES);
    if (row->detail) {
        buf_adds(out, ", ");
        mrkdwn_sentence(out, row->detail, 200);
    }
    if (row->asker) {
        buf_adds(out, ", asked by ");
        mrkdwn_text(out, row->asker, 80);
    }
    if (row->since_ms != TIME_UNKNOWN) {
        buf_adds(out, ", ");
        mrkdwn_date(out, row->since_ms);
    }
    if (link_allowed(row->permalink)) {
        buf_adds(out, " (");
        mrkdwn_link(out, row->permalink, "thread", NAME_BYTES);
        buf_adds(out, ")");
    }
}

/* As many rows as fit into one message; the rest is counted. */
static void add_rows(const struct job_row *rows, size_t n, struct buf *out)
{
    const size_t enough = 3500;

    for (size_t i = 0; i < n; i++) {
        if (out->len > enough) {
            buf_addf(out, "… %zu more", n - i);
            return;
        }
        buf_adds(out, "• ");
        reply_row(&rows[i], out);
        buf_addc(out, '\n');
    }
    if (out->len > 0 && out->data[out->len - 1] == '\n')
        buf_truncate(out, out->len - 1);
}

void reply_status(const struct job_row *rows, size_t n, struct buf *out)
{
    if (n == 0) {
        buf_adds(out, "Nothing runs and nothing waits.");
        return;
    }
    buf_adds(out, "What I am looking into:\n");
    add_rows(rows, n, out);
}

void reply_history(const char *about, const struct job_row *rows, size_t n, const char *name,
                   struct buf *out)
{
    bool all = !about || !*about;

    if (n == 0) {
        buf_adds(out, "I have looked into nothing");
        if (!all) {
            buf_adds(out, " about ");
            mrkdwn_code(out, about, NAME_BYTES);
        }
        buf_addf(out, " yet. To begin, type for example: `%s SHOP-1A2`", name);
        return;
    }
    buf_adds(out, "What I found before");
    if (!all) {
        buf_adds(out, " about ");
        mrkdwn_code(out, about, NAME_BYTES);
    }
    buf_adds(out, ", newest first:\n");
    add_rows(rows, n, out);
}
