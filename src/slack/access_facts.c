#include "access_facts.h"

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define MEMBERS_MAX 50000 /* of one user group; beyond that somebody is not found, and refused */

void id_list_clear(struct id_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct id_list){ 0 };
}

bool id_list_has(const struct id_list *list, const char *id)
{
    for (size_t i = 0; id && i < list->n; i++)
        if (text_same(list->items[i], id))
            return true;
    return false;
}

static void add_id(struct id_list *list, const char *id)
{
    if (id && !id_list_has(list, id))
        *VEC_ADD(list->items, list->n, list->cap) = xstrdup(id);
}

static bool flag(const cJSON *obj, const char *key)
{
    bool value = false;

    return json_bool(obj, key, &value) && value;
}

int access_read_person(const cJSON *reply, const char *user, struct access_person *ret,
                       struct id_list *teams, struct error *err)
{
    const cJSON *who = json_get(reply, "user");

    if (!text_same(json_str(who, "id"), user) || !json_str(who, "team_id"))
        return error_set(err, ERR_PROTOCOL, "Slack's users.info did not describe that person.");
    ret->known = ACCESS_KNOWN;
    /* Slack leaves the guest flags out for deactivated accounts only, which `deleted` marks. */
    ret->is_guest = flag(who, "is_restricted") || flag(who, "is_ultra_restricted");
    ret->is_app = flag(who, "is_bot") || flag(who, "is_workflow_bot");
    ret->is_deactivated = flag(who, "deleted");
    ret->is_stranger = flag(who, "is_stranger");
    add_id(teams, json_str(who, "team_id"));
    /* In an Enterprise organisation somebody belongs to several workspaces. */
    const cJSON *grid = json_get(who, "enterprise_user");
    for (const cJSON *team = json_items(grid, "teams"); team; team = team->next)
        if (cJSON_IsString(team))
            add_id(teams, team->valuestring);
    add_id(teams, json_str(grid, "enterprise_id"));
    return 0;
}

const char *access_read_name(const cJSON *reply)
{
    const cJSON *who = json_get(reply, "user"), *profile = json_get(who, "profile");
    const char *names[] = { json_str(profile, "display_name"), json_str(profile, "real_name"),
                            json_str(who, "real_name"), json_str(who, "name") };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i] && *names[i])
            return names[i];
    return NULL;
}

static void read_channel(const cJSON *channel, struct access_channel *ret)
{
    bool is_private = true;

    ret->known = ACCESS_KNOWN;
    /* is_shared is also true for channels shared inside one organisation only. */
    ret->is_external = flag(channel, "is_ext_shared") || flag(channel, "is_pending_ext_shared");
    ret->is_public = json_bool(channel, "is_private", &is_private) && !is_private &&
                     !flag(channel, "is_im") && !flag(channel, "is_mpim");
}

int access_read_channel(const cJSON *reply, struct access_channel *ret, struct error *err)
{
    const cJSON *channel = json_get(reply, "channel");

    if (!json_str(channel, "id"))
        return error_set(err, ERR_PROTOCOL, "Slack's conversations.info described no channel.");
    read_channel(channel, ret);
    return 0;
}

int access_read_listed(const cJSON *channel, struct access_channel *ret, struct error *err)
{
    bool said;

    if (!json_str(channel, "id") || !json_bool(channel, "is_private", &said) ||
        !json_bool(channel, "is_ext_shared", &said))
        return error_set(err, ERR_PROTOCOL,
                         "Slack's users.conversations did not say what a channel is.");
    read_channel(channel, ret);
    return 0;
}

int access_read_members(const cJSON *reply, struct id_list *ret, struct error *err)
{
    struct id_list members = { 0 };

    if (!cJSON_IsArray(json_get(reply, "users")))
        return error_set(err, ERR_PROTOCOL, "Slack's usergroups.users.list gave no list.");
    for (const cJSON *user = json_items(reply, "users"); user && members.n < MEMBERS_MAX;
         user = user->next)
        if (cJSON_IsString(user))
            *VEC_ADD(members.items, members.n, members.cap) = xstrdup(user->valuestring);
    *ret = members;
    return 0;
}
