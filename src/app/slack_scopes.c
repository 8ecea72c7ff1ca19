#include "slack_scopes.h"

#include <string.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

#define AFTER_A_CRASH                                                                              \
    "after a crash it is not known whether a message arrived, so it is not posted again"

/* What each is for; docs.slack.dev/reference/scopes names them per method. */
const struct slack_scope slack_scopes[] = {
    { "app_mentions:read", "to be asked by a mention: @dbconn SHOP-1A2", "mentions are not heard",
      false, false },
    { "channels:history",
      "after a crash: look whether a message was posted before posting it (public channels)",
      AFTER_A_CRASH, false, false },
    { "channels:read", "see whether a channel is shared with another company, and who may ask",
      "everybody in public channels is refused", true, false },
    { "chat:write", "post the answer and keep it up to date", "nothing can be posted", true,
      false },
    { "chat:write.public", "answer in public channels without being invited",
      "it has to be invited to each channel", false, false },
    { "commands", "the slash command and the message shortcut", "neither reaches the bot", true,
      false },
    { "files:write", "show the errors over time as an image, where Slack has no chart for it",
      "the errors over time are shown as text there", false, false },
    { "groups:history", "as channels:history, in private channels the app was invited to",
      AFTER_A_CRASH " in private channels", false, false },
    { "groups:read", "as channels:read, for private channels the app was invited to",
      "everybody in private channels is refused", false, false },
    { "im:history", "as channels:history, in direct messages with the app",
      AFTER_A_CRASH " in direct messages", false, false },
    { "im:read", "as channels:read, for direct messages with the app",
      "everybody is refused in direct messages", false, false },
    { "usergroups:read", "access.allow may name user groups",
      "the members of the groups in access.allow are refused", false, true },
    { "users:read", "tell full members from guests, apps and people of other workspaces",
      "everybody is refused", true, false },
};

const size_t n_slack_scopes = ARRAY_LEN(slack_scopes);

static const char separators[] = ", ";

bool slack_scope_granted(const char *granted, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = granted; *(p += strspn(p, separators)); p += strcspn(p, separators))
        if (strcspn(p, separators) == len && strncmp(p, name, len) == 0)
            return true;
    return false;
}

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < n_slack_scopes; i++)
        if (text_same(slack_scopes[i].name, name))
            return true;
    return false;
}

void slack_scopes_surplus(const char *granted, void (*each)(void *user, const char *name),
                          void *user)
{
    for (const char *p = granted; *(p += strspn(p, separators)); p += strcspn(p, separators)) {
        char *name = xstrndup(p, strcspn(p, separators));
        if (!is_ours(name))
            each(user, name);
        free(name);
    }
}
