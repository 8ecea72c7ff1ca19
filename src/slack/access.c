#include "dbconn/slack/access.h"

#include <ctype.h>

#include "dbconn/base/text.h"
#include "dbconn/slack/command_reply.h"
#include "dbconn/slack/mrkdwn.h"

struct list {
    char **items;
    size_t n, cap;
};

struct project_rule {
    char *channel, *project; /* "*": any */
};

struct access {
    bool open; /* "*" */
    struct list people, groups, channels, teams, external;
    struct project_rule *projects;
    size_t n_projects, cap_projects;
};

static bool list_has(const struct list *l, const char *id)
{
    for (size_t i = 0; id && i < l->n; i++)
        if (text_same(l->items[i], id))
            return true;
    return false;
}

static void list_add(struct list *l, const char *id)
{
    if (!list_has(l, id))
        *VEC_ADD(l->items, l->n, l->cap) = xstrdup(id);
}

static void list_clear(struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->items[i]);
    free(l->items);
}

struct access *access_new(void)
{
    return xcalloc(1, sizeof(struct access));
}

void access_free(struct access *a)
{
    if (!a)
        return;
    list_clear(&a->people);
    list_clear(&a->groups);
    list_clear(&a->channels);
    list_clear(&a->teams);
    list_clear(&a->external);
    for (size_t i = 0; i < a->n_projects; i++) {
        free(a->projects[i].channel);
        free(a->projects[i].project);
    }
    free(a->projects);
    free(a);
}

/* ---- setting up ---- */

/* An id of Slack's: one of `kinds`, then capitals and digits. */
static bool is_id(const char *s, const char *kinds)
{
    if (!*s || !strchr(kinds, s[0]) || !s[1])
        return false;
    for (const char *p = s + 1; *p; p++)
        if (!isdigit((unsigned char)*p) && !(*p >= 'A' && *p <= 'Z'))
            return false;
    return true;
}

static struct list *list_for(struct access *a, char kind)
{
    switch (kind) {
    case 'U':
    case 'W':
        return &a->people;
    case 'S':
        return &a->groups;
    case 'T':
    case 'E':
        return &a->teams;
    default:
        return &a->channels;
    }
}

int access_allow(struct access *a, const char *entry, struct error *err)
{
    if (text_same(entry, "*")) {
        a->open = true;
        return 0;
    }
    if (!is_id(entry, "UWSCGDTE"))
        return error_set(err, ERR_CONFIG,
                         "access.allow: \"%s\" is no id of Slack's. Names do not work: put the id "
                         "of a person (U0123ABCD), user group (S...), channel (C...) or workspace "
                         "(T...), or * for every full member of the workspace",
                         entry);
    list_add(list_for(a, entry[0]), entry);
    return 0;
}

int access_allow_external(struct access *a, const char *channel, struct error *err)
{
    if (!is_id(channel, "CGD"))
        return error_set(err, ERR_CONFIG,
                         "access.external_channels: \"%s\" is no id of a channel, such as "
                         "C0123ABCD",
                         channel);
    list_add(&a->external, channel);
    return 0;
}

int access_allow_project(struct access *a, const char *entry, struct error *err)
{
    const char *equals = strchr(entry, '=');
    char *channel = equals ? xstrndup(entry, (size_t)(equals - entry)) : NULL;

    if (!channel || !equals[1] || (!text_same(channel, "*") && !is_id(channel, "CGD"))) {
        free(channel);
        return error_set(err, ERR_CONFIG,
                         "access.projects: \"%s\" is not CHANNEL=PROJECT, such as "
                         "C0123ABCD=checkout or *=shop",
                         entry);
    }
    struct project_rule *rule = VEC_ADD(a->projects, a->n_projects, a->cap_projects);
    rule->channel = channel;
    rule->project = xstrdup(equals + 1);
    return 0;
}

bool access_is_empty(const struct access *a)
{
    return !a->open && a->people.n + a->groups.n + a->channels.n + a->teams.n == 0;
}

bool access_is_open(const struct access *a)
{
    return a->open;
}

bool access_has_projects(const struct access *a)
{
    return a->n_projects > 0;
}

size_t access_group_count(const struct access *a)
{
    return a->groups.n;
}

const char *access_group_id(const struct access *a, size_t i)
{
    return a->groups.items[i];
}

/* ---- deciding ---- */

static struct access_decision refused(enum access_reason reason, const char *why)
{
    return (struct access_decision){ .verdict = ACCESS_REFUSED, .reason = reason, .why = why };
}

static struct access_decision allowed(void)
{
    return (struct access_decision){ .verdict = ACCESS_ALLOWED };
}

static struct access_decision ask(unsigned what)
{
    return (struct access_decision){ .verdict = ACCESS_ASK, .ask = what };
}

/* Where it is asked. Allowed, refused, or to be asked. */
static struct access_decision decide_channel(const struct access *a, const struct access_request *r,
                                             const struct access_channel *c)
{
    if (r->way == ACCESS_HOME)
        return allowed();
    if (!r->channel)
        return refused(ACCESS_INCOMPLETE, NULL);
    if (c->known == ACCESS_UNASKED)
        return ask(ACCESS_ASK_CHANNEL);
    if (c->known == ACCESS_FAILED)
        return c->hidden ? refused(ACCESS_HIDDEN_CHANNEL, c->hidden)
                         : refused(ACCESS_NOT_FOUND_OUT, c->why);
    if (c->is_external && !list_has(&a->external, r->channel))
        return refused(ACCESS_EXTERNAL_CHANNEL, NULL);
    return allowed();
}

static bool belongs_to(const struct access_person *p, const char *team)
{
    for (size_t i = 0; i < p->n_teams; i++)
        if (text_same(p->teams[i], team))
            return true;
    return false;
}

static bool belongs_to_listed(const struct access *a, const struct access_person *p)
{
    for (size_t i = 0; i < p->n_teams; i++)
        if (list_has(&a->teams, p->teams[i]))
            return true;
    return false;
}

/* Is it a full member of this workspace, or of one that is listed? */
static struct access_decision decide_standing(const struct access *a, const struct access_facts *f)
{
    const struct access_person *p = &f->person;
    unsigned missing = 0;

    if (p->known == ACCESS_FAILED)
        return refused(ACCESS_NOT_FOUND_OUT, p->why);
    if (!f->home_team && f->home_why)
        return refused(ACCESS_NOT_FOUND_OUT, f->home_why);
    if (!f->home_team)
        missing |= ACCESS_ASK_HOME;
    if (p->known == ACCESS_UNASKED)
        missing |= ACCESS_ASK_PERSON;
    if (missing)
        return ask(missing);
    if (p->is_deactivated)
        return refused(ACCESS_DEACTIVATED, NULL);
    if (p->is_app)
        return refused(ACCESS_APP, NULL);
    if (p->is_guest)
        return refused(ACCESS_GUEST, NULL);
    if ((p->is_stranger || !belongs_to(p, f->home_team)) && !belongs_to_listed(a, p))
        return refused(ACCESS_STRANGER, NULL);
    return allowed();
}

static struct access_decision decide_groups(const struct access *a,
                                            const struct access_membership *groups)
{
    const char *why = NULL;
    bool unasked = false;

    for (size_t i = 0; i < a->groups.n; i++) {
        enum access_known known = groups ? groups[i].known : ACCESS_UNASKED;
        if (known == ACCESS_KNOWN && groups[i].is_member)
            return allowed();
        unasked |= known == ACCESS_UNASKED;
        if (known == ACCESS_FAILED)
            why = groups[i].why;
    }
    if (unasked)
        return ask(ACCESS_ASK_GROUPS);
    return why ? refused(ACCESS_NOT_FOUND_OUT, why) : refused(ACCESS_NOT_LISTED, NULL);
}

/* A full member: does some entry fit? */
static struct access_decision decide_list(const struct access *a, const struct access_request *r,
                                          const struct access_facts *f)
{
    if (a->open || list_has(&a->channels, r->channel) || belongs_to_listed(a, &f->person))
        return allowed();
    return decide_groups(a, f->groups);
}

static struct access_decision decide_person(const struct access *a, const struct access_request *r,
                                            const struct access_facts *f)
{
    struct access_decision standing, listed;

    if (r->way == ACCESS_ALERT)
        return allowed();
    if (!r->user)
        return refused(ACCESS_INCOMPLETE, NULL);
    if (list_has(&a->people, r->user))
        return allowed(); /* named knowingly, whatever else this person is */
    if (!a->open && a->groups.n + a->teams.n == 0 && !list_has(&a->channels, r->channel))
        return refused(ACCESS_NOT_LISTED, NULL); /* no need to ask who it is */
    standing = decide_standing(a, f);
    if (standing.verdict == ACCESS_REFUSED)
        return standing;
    listed = decide_list(a, r, f);
    if (standing.verdict == ACCESS_ASK) {
        standing.ask |= listed.ask; /* at once, not one after the other */
        return standing;
    }
    return listed;
}

struct access_decision access_decide(const struct access *a, const struct access_request *r,
                                     const struct access_facts *f)
{
    struct access_decision person, channel;

    if (r->help)
        return allowed();
    if (access_is_empty(a))
        return refused(ACCESS_NOBODY_LISTED, NULL);
    person = decide_person(a, r, f);
    channel = decide_channel(a, r, &f->channel);
    if (person.verdict == ACCESS_REFUSED)
        return person;
    if (channel.verdict == ACCESS_REFUSED)
        return channel;
    if (person.verdict == ACCESS_ASK || channel.verdict == ACCESS_ASK)
        return ask(person.ask | channel.ask);
    return allowed();
}

bool access_project_permitted(const struct access *a, const char *channel, const char *project)
{
    if (a->n_projects == 0)
        return true;
    for (size_t i = 0; i < a->n_projects; i++) {
        const struct project_rule *rule = &a->projects[i];
        bool here = text_same(rule->channel, "*") || (channel && text_same(rule->channel, channel));
        bool this = text_same(rule->project, "*") || (project && text_same(rule->project, project));
        if (here && this)
            return true;
    }
    return false;
}

bool access_line_visible(const struct access *a, const struct access_line *line,
                         const char *reader_channel, const char *reader)
{
    if (reader && text_same(line->requester, reader))
        return true;
    if (reader_channel && text_same(line->channel, reader_channel))
        return true;
    return line->is_public && a->n_projects == 0;
}

/* ---- words ---- */

static const struct {
    const char *name;
    const char *what; /* for reply_refused(); NULL: said otherwise */
    const char *key, *env;
} reasons[] = {
    [ACCESS_NO_REASON] = { "none", NULL, NULL, NULL },
    [ACCESS_NOBODY_LISTED] = { "nobody_listed", "Nobody is allowed to ask yet.", "access.allow",
                               "DBCONN_ACCESS_ALLOW" },
    [ACCESS_NOT_LISTED] = { "not_listed",
                            "Neither you nor this channel is on the list of those who may ask.",
                            "access.allow", "DBCONN_ACCESS_ALLOW" },
    [ACCESS_GUEST] = { "guest", "You are a guest here, and guests may not ask.", "access.allow",
                       "DBCONN_ACCESS_ALLOW" },
    [ACCESS_APP] = { "app", "Only people may ask, no apps.", "access.allow",
                     "DBCONN_ACCESS_ALLOW" },
    [ACCESS_DEACTIVATED] = { "deactivated", "This account is deactivated.", "access.allow",
                             "DBCONN_ACCESS_ALLOW" },
    [ACCESS_STRANGER] = { "stranger", "You belong to another workspace than I do.", "access.allow",
                          "DBCONN_ACCESS_ALLOW" },
    [ACCESS_EXTERNAL_CHANNEL] = { "external_channel",
                                  "This channel is shared with another company, which would read "
                                  "my answer.",
                                  "access.external_channels", NULL },
    [ACCESS_HIDDEN_CHANNEL] = { "hidden_channel", NULL, NULL, NULL },
    [ACCESS_NOT_FOUND_OUT] = { "not_found_out", NULL, NULL, NULL },
    [ACCESS_INCOMPLETE] = { "incomplete", NULL, NULL, NULL },
    [ACCESS_PROJECT] = { "project", "The project of that issue may not be looked at from here.",
                         "access.projects", NULL },
};

const char *access_reason_name(enum access_reason reason)
{
    return reasons[reason].name;
}

static void end_sentence(struct buf *out)
{
    if (out->len && !strchr(" .!?", out->data[out->len - 1]))
        buf_addc(out, '.');
}

void access_explain(const struct access_decision *d, struct buf *out)
{
    if (d->reason == ACCESS_HIDDEN_CHANNEL) {
        reply_cannot_post(d->why, "dbconn", out);
    } else if (reasons[d->reason].what) {
        reply_refused(reasons[d->reason].what, reasons[d->reason].key, reasons[d->reason].env, out);
    } else {
        buf_adds(out, "I did not start anything, because I could not find out whether you may "
                      "ask here. ");
        mrkdwn_sentence(out, d->why, 400);
        end_sentence(out);
        buf_adds(out, d->why ? " Please try again in a minute." : "Please try again in a minute.");
    }
}
