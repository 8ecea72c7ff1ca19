/*
 * access_facts - what Slack's answers say about a person, a channel, a user group. Pure.
 *
 * docs.slack.dev/reference/objects/user-object, .../conversation-object,
 * /reference/methods/usergroups.users.list, /reference/methods/auth.test. Errors: ERR_PROTOCOL for
 * an answer about something else than what was asked; results are untouched then.
 */
#ifndef DBCONN_SLACK_ACCESS_FACTS_H
#define DBCONN_SLACK_ACCESS_FACTS_H

#include <cjson/cJSON.h>

#include "dbconn/slack/access.h"

struct id_list {
    char **items;
    size_t n, cap;
};
void id_list_clear(struct id_list *list);
bool id_list_has(const struct id_list *list, const char *id);

/* users.info. `teams` gets the workspaces; ret->teams is left alone. */
int access_read_person(const cJSON *reply, const char *user, struct access_person *ret,
                       struct id_list *teams, struct error *err) MUST_CHECK;
/* The name that the person shows, of the same answer; NULL when there is none. Lent. */
const char *access_read_name(const cJSON *reply);
/* conversations.info */
int access_read_channel(const cJSON *reply, struct access_channel *ret,
                        struct error *err) MUST_CHECK;
/* One channel of users.conversations, which may describe it in fewer words: ERR_PROTOCOL when it
 * does not say whether it is private and shared. */
int access_read_listed(const cJSON *channel, struct access_channel *ret,
                       struct error *err) MUST_CHECK;
/* usergroups.users.list */
int access_read_members(const cJSON *reply, struct id_list *ret, struct error *err) MUST_CHECK;

#endif
