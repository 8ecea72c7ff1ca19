#include <string.h>

#include "dbconn/base/text.h"
#include "webapi_internal.h"

/*
 * Tiers: 1 is 1 a minute and more, 2: 20, 3: 50, 4: 100 (docs.slack.dev/apis/web-api/rate-limits).
 * chat.postMessage has one a second for each channel and "several hundred" a minute in all.
 * Reading methods take a form for certain; JSON for them is not documented.
 */
enum { TIER_2 = 20, TIER_3 = 50, TIER_4 = 100, SPECIAL = 100 };

static const struct method_info methods[] = {
    /* name, form, repeatable, app_token, per_channel, per_minute */
    { "apps.connections.open", true, false, true, false, TIER_3 },
    { "auth.test", true, true, false, false, SPECIAL },
    { "assistant.threads.setStatus", false, true, false, false, SPECIAL },
    { "bots.info", true, true, false, false, TIER_3 },
    { "chat.appendStream", false, false, false, false, TIER_4 },
    { "chat.delete", false, false, false, false, TIER_3 },
    { "chat.getPermalink", true, true, false, false, SPECIAL },
    { "chat.postEphemeral", false, false, false, false, TIER_4 },
    { "chat.postMessage", false, false, false, true, 240 },
    { "chat.startStream", false, false, false, true, TIER_2 },
    { "chat.stopStream", false, false, false, false, TIER_2 },
    { "chat.update", false, true, false, false, 45 },
    { "conversations.history", true, true, false, false, TIER_3 },
    { "conversations.info", true, true, false, false, TIER_3 },
    { "conversations.join", false, true, false, false, TIER_3 },
    { "conversations.members", true, true, false, false, TIER_4 },
    { "conversations.open", false, true, false, false, TIER_3 },
    { "conversations.replies", true, true, false, false, TIER_3 },
    { "files.completeUploadExternal", false, false, false, true, TIER_4 },
    { "files.getUploadURLExternal", true, true, false, false, TIER_4 },
    { "files.info", true, true, false, false, TIER_4 },
    { "reactions.add", false, true, false, false, TIER_3 },
    { "reactions.remove", false, true, false, false, TIER_2 },
    /* No methods but addresses that Slack hands out: for answers to a command or a button (5 each;
     * no other limit is known), and for the bytes of a file. */
    { "response_url", false, false, false, false, 600 },
    { "upload_url", false, true, false, false, 600 },
    { "usergroups.users.list", true, true, false, false, TIER_2 },
    { "users.conversations", true, true, false, false, TIER_3 },
    { "users.info", true, true, false, false, TIER_4 },
    { "views.open", false, false, false, false, TIER_4 },
    { "views.publish", false, true, false, false, TIER_4 },
    { "views.push", false, false, false, false, TIER_4 },
    { "views.update", false, true, false, false, TIER_4 },
};

const struct method_info *method_info(const char *name)
{
    static const struct method_info other = { NULL, true, false, false, false, TIER_2 };

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (text_same(methods[i].name, name))
            return &methods[i];
    return &other;
}

/* A trailing '*' stands for any ending. Codes change without notice: a new one is WEBAPI_REFUSED.
 */
static const struct {
    enum webapi_kind kind;
    const char *code;
} codes[] = {
    { WEBAPI_AUTH, "invalid_auth" },
    { WEBAPI_AUTH, "not_authed" },
    { WEBAPI_AUTH, "account_inactive" },
    { WEBAPI_AUTH, "token_revoked" },
    { WEBAPI_AUTH, "token_expired" },
    { WEBAPI_AUTH, "no_permission" },
    { WEBAPI_AUTH, "missing_scope" },
    { WEBAPI_AUTH, "not_allowed_token_type" },
    { WEBAPI_AUTH, "org_login_required" },
    { WEBAPI_AUTH, "two_factor_setup_required" },
    { WEBAPI_AUTH, "access_denied" },
    { WEBAPI_AUTH, "accesslimited" },
    { WEBAPI_AUTH, "ekm_access_denied" },
    { WEBAPI_AUTH, "enterprise_is_restricted" },
    { WEBAPI_AUTH, "team_access_not_granted" },
    { WEBAPI_AUTH, "team_disabled" },
    { WEBAPI_AUTH, "user_removed_from_team" },
    { WEBAPI_AUTH, "forbidden_team" },
    { WEBAPI_AUTH, "deprecated_endpoint" },
    { WEBAPI_AUTH, "method_deprecated" },

    { WEBAPI_BUG, "invalid_arg*" },
    { WEBAPI_BUG, "invalid_array_arg" },
    { WEBAPI_BUG, "invalid_charset" },
    { WEBAPI_BUG, "invalid_form_data" },
    { WEBAPI_BUG, "invalid_post_type" },
    { WEBAPI_BUG, "invalid_json" },
    { WEBAPI_BUG, "json_not_object" },
    { WEBAPI_BUG, "missing_post_type" },
    { WEBAPI_BUG, "missing_arg*" },
    { WEBAPI_BUG, "missing_charset" },
    { WEBAPI_BUG, "insecure_request" },
    { WEBAPI_BUG, "unknown_method" },
    { WEBAPI_BUG, "invalid_blocks*" },
    { WEBAPI_BUG, "msg_blocks_too_*" },
    { WEBAPI_BUG, "msg_too_long" },
    { WEBAPI_BUG, "no_text" },
    { WEBAPI_BUG, "markdown_text_conflict" },
    { WEBAPI_BUG, "cannot_provide_both_*" },
    { WEBAPI_BUG, "streaming_mode_mismatch" },
    { WEBAPI_BUG, "invalid_chunks" },
    { WEBAPI_BUG, "too_many_attachments" },
    { WEBAPI_BUG, "attachment_payload_limit_exceeded" },
    { WEBAPI_BUG, "invalid_metadata_*" },
    { WEBAPI_BUG, "metadata_*" },
    { WEBAPI_BUG, "missing_recipient_*" },
    { WEBAPI_BUG, "invalid_name" },
    { WEBAPI_BUG, "bad_timestamp" },
    { WEBAPI_BUG, "invalid_ts_*" },
    { WEBAPI_BUG, "invalid_thread_ts" },
    { WEBAPI_BUG, "invalid_cursor" },
    { WEBAPI_BUG, "view_too_large" },

    { WEBAPI_CHANNEL, "channel_not_found" },
    { WEBAPI_CHANNEL, "not_in_channel" },
    { WEBAPI_CHANNEL, "invalid_channel" },
    { WEBAPI_CHANNEL, "is_archived" },
    { WEBAPI_CHANNEL, "is_inactive" },
    { WEBAPI_CHANNEL, "restricted_action*" },
    { WEBAPI_CHANNEL, "posting_to_channel_denied" },
    { WEBAPI_CHANNEL, "messages_tab_disabled" },
    { WEBAPI_CHANNEL, "channel_is_limited_access" },
    { WEBAPI_CHANNEL, "channel_type_not_supported" },
    { WEBAPI_CHANNEL, "method_not_supported_for_channel_type" },
    { WEBAPI_CHANNEL, "user_not_in_channel" },
    { WEBAPI_CHANNEL, "slack_connect_*" },
    { WEBAPI_CHANNEL, "thread_locked" },
    { WEBAPI_CHANNEL, "team_not_found" },

    { WEBAPI_MESSAGE, "message_not_found" },
    { WEBAPI_MESSAGE, "thread_not_found" },
    { WEBAPI_MESSAGE, "cannot_reply_to_message" },
    { WEBAPI_MESSAGE, "cant_update_message" },
    { WEBAPI_MESSAGE, "cant_delete_message" },
    { WEBAPI_MESSAGE, "edit_window_closed" },
    { WEBAPI_MESSAGE, "block_mismatch" },
    { WEBAPI_MESSAGE, "streaming_state_conflict" }, /* a stream is open: stop it first */
    { WEBAPI_MESSAGE, "update_failed" },
    { WEBAPI_MESSAGE, "no_dual_broadcast_content_update" },
    { WEBAPI_MESSAGE, "message_not_in_streaming_state" },
    { WEBAPI_MESSAGE, "message_not_owned_by_app" },
    { WEBAPI_MESSAGE, "stopped_by_user" },
    { WEBAPI_MESSAGE, "not_reactable" },

    { WEBAPI_TRANSIENT, "ratelimited" },
    { WEBAPI_TRANSIENT, "rate_limited" },
    { WEBAPI_TRANSIENT, "request_timeout" },
    { WEBAPI_TRANSIENT, "service_unavailable" },
    { WEBAPI_TRANSIENT, "team_added_to_org" },
    { WEBAPI_TRANSIENT, "external_channel_migrating" },
    { WEBAPI_TRANSIENT, "messaging_processing_failed" },

    { WEBAPI_AMBIGUOUS, "internal_error" },
    { WEBAPI_AMBIGUOUS, "fatal_error" },
};

static bool code_matches(const char *pattern, const char *code)
{
    size_t len = strlen(pattern);

    if (len && pattern[len - 1] == '*')
        return !strncmp(pattern, code, len - 1);
    return text_same(pattern, code);
}

enum webapi_kind webapi_kind_of(const char *method, const char *code)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (!code_matches(codes[i].code, code))
            continue;
        /* What does no harm twice is not in doubt: it can simply be asked again. */
        if (codes[i].kind == WEBAPI_AMBIGUOUS && method_info(method)->repeatable)
            return WEBAPI_TRANSIENT;
        return codes[i].kind;
    }
    return WEBAPI_REFUSED;
}
