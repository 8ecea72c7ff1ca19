/*
 * One entry per thing that Slack was asked about:
 *
 *   absent -> asking -> KNOWN (kept keep_ms) | FAILED (kept keep_failure_ms) -> stale -> asking ...
 *
 * After every answer the waiting requests are decided anew; what a decision still lacks is asked.
 */
#include "access_gate.h"

#include "access_facts.h"
#include "access_roster.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/log.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"
#include "dbconn/slack/webapi.h"

#define WAIT_MS 1500
#define KEEP_MS (5 * MINUTE_MS)
#define KEEP_FAILURE_MS (10 * SECOND_MS)
#define MAX_ENTRIES 4000
#define MANY_CHANNELS 5         /* asked for at a time: then all channels of the bot are */
#define CALL_MS (5 * SECOND_MS) /* longer than anybody waits: who asks again finds the answer */

enum kind { HOME, PERSON, CHANNEL, GROUP };

static const struct {
    const char *method, *argument;
} calls[] = {
    [HOME] = { "auth.test", NULL },
    [PERSON] = { "users.info", "user" },
    [CHANNEL] = { "conversations.info", "channel" },
    [GROUP] = { "usergroups.users.list", "usergroup" },
};

struct entry {
    struct access_gate *gate;
    enum kind kind;
    char *id;
    enum access_known known;
    int64_t until_ms; /* monotonic */
    char *why, *hidden, *name;
    struct webapi_call *call; /* under way */
    struct access_person person;
    struct access_channel channel;
    struct id_list ids; /* HOME: the team; PERSON: teams; GROUP: members */
};

struct access_wait {
    struct access_gate *gate;
    struct access_request request; /* its strings are these: */
    char *channel, *who;
    access_done_fn *done;
    void *user;
    struct loop_timer *timer;
    struct access_wait *next;
};

struct access_gate {
    struct access_gate_options o;
    struct entry **entries;
    size_t n, cap;
    struct access_wait *waiting, **last; /* in the order in which they came */
    struct access_roster *roster;
    size_t n_channel_calls;           /* under way */
    struct loop_timer *later;         /* so that `done` never runs inside access_gate_ask() */
    struct access_membership *groups; /* scratch for a decision */
};

/* ---- entries ---- */

static struct entry *find(const struct access_gate *g, enum kind kind, const char *id)
{
    for (size_t i = 0; id && i < g->n; i++)
        if (g->entries[i]->kind == kind && text_same(g->entries[i]->id, id))
            return g->entries[i];
    return NULL;
}

/* The entry while it counts, else NULL. */
static const struct entry *current(const struct access_gate *g, enum kind kind, const char *id)
{
    const struct entry *e = find(g, kind, id);

    return e && e->known != ACCESS_UNASKED && clock_mono_ms() < e->until_ms ? e : NULL;
}

static void entry_free(struct entry *e)
{
    webapi_cancel(e->call);
    id_list_clear(&e->ids);
    free(e->id);
    free(e->why);
    free(e->hidden);
    free(e->name);
    free(e);
}

/* Room for one more: the one that goes is the one whose time is over first. */
static void make_room(struct access_gate *g)
{
    size_t oldest = g->n;

    if (g->n < g->o.max_entries)
        return;
    for (size_t i = 0; i < g->n; i++) {
        const struct entry *e = g->entries[i];
        if (!e->call && e->kind != HOME &&
            (oldest == g->n || e->until_ms < g->entries[oldest]->until_ms))
            oldest = i;
    }
    if (oldest == g->n)
        return; /* all are being asked for right now */
    entry_free(g->entries[oldest]);
    g->entries[oldest] = g->entries[--g->n];
}

static struct entry *obtain(struct access_gate *g, enum kind kind, const char *id)
{
    struct entry *e = find(g, kind, id);

    if (e)
        return e;
    make_room(g);
    e = xcalloc(1, sizeof(*e));
    e->gate = g;
    e->kind = kind;
    e->id = xstrdup(id);
    *VEC_ADD(g->entries, g->n, g->cap) = e;
    return e;
}

static void set_failed(struct entry *e, const char *why, const char *hidden)
{
    e->known = ACCESS_FAILED;
    e->until_ms = clock_mono_ms() + e->gate->o.keep_failure_ms;
    xreplace(&e->why, why);
    xreplace(&e->hidden, hidden);
}

static int read_answer(struct entry *e, const cJSON *reply, struct error *err)
{
    struct id_list ids = { 0 };
    int rc = -1;

    switch (e->kind) {
    case HOME:
        if (json_str(reply, "team_id"))
            *VEC_ADD(ids.items, ids.n, ids.cap) = xstrdup(json_str(reply, "team_id"));
        rc = ids.n ? 0 : error_set(err, ERR_PROTOCOL, "Slack's auth.test named no workspace.");
        break;
    case PERSON:
        rc = access_read_person(reply, e->id, &e->person, &ids, err);
        xreplace(&e->name, access_read_name(reply));
        break;
    case CHANNEL:
        rc = access_read_channel(reply, &e->channel, err);
        break;
    case GROUP:
        rc = access_read_members(reply, &ids, err);
        break;
    }
    if (rc < 0) {
        id_list_clear(&ids);
        return -1;
    }
    id_list_clear(&e->ids);
    e->ids = ids;
    e->known = ACCESS_KNOWN;
    /* A token is of one workspace, for ever. */
    e->until_ms = e->kind == HOME ? INT64_MAX : clock_mono_ms() + e->gate->o.keep_ms;
    return 0;
}

static void settle_waiting(struct access_gate *g);

static void on_answer(void *user, const struct webapi_reply *reply, const struct error *err)
{
    struct entry *e = user;
    struct error failed = ERROR_INIT;

    e->call = NULL;
    e->gate->n_channel_calls -= e->kind == CHANNEL;
    if (reply->kind != WEBAPI_OK) {
        LOG(WARN, "access.lookup", F_STR("method", calls[e->kind].method), F_STR("id", e->id),
            F_STR("code", reply->code), F_STR("why", error_text(err)));
        set_failed(e, error_text(err), reply->kind == WEBAPI_CHANNEL ? reply->code : NULL);
    } else if (read_answer(e, reply->json, &failed) < 0) {
        LOG(WARN, "access.lookup", F_STR("method", calls[e->kind].method), F_STR("id", e->id),
            F_STR("why", error_text(&failed)));
        set_failed(e, error_text(&failed), NULL);
    }
    error_clear(&failed);
    settle_waiting(e->gate);
}

static void look_up(struct access_gate *g, enum kind kind, const char *id)
{
    struct entry *e = obtain(g, kind, id);
    struct error err = ERROR_INIT;
    cJSON *args;

    if (e->call || current(g, kind, id))
        return;
    args = cJSON_CreateObject();
    if (calls[kind].argument)
        json_put_str(args, calls[kind].argument, id);
    struct webapi_request request = {
        .method = calls[kind].method,
        .args = args,
        .priority = WEBAPI_FINAL, /* somebody waits for it */
        .wait_ms = CALL_MS,
        .timeout_ms = CALL_MS,
        .done = on_answer,
        .user = e,
    };
    e->call = webapi_start(g->o.api, &request, &err);
    if (!e->call)
        set_failed(e, error_text(&err), NULL);
    else if (kind == CHANNEL && ++g->n_channel_calls == MANY_CHANNELS)
        access_roster_ask(g->roster);
    cJSON_Delete(args);
    error_clear(&err);
}

/* A channel that the bot is in, and that may not have been asked for. */
static void on_listed(void *user, const cJSON *channel)
{
    struct access_gate *g = user;
    struct access_channel listed = { 0 };
    struct error err = ERROR_INIT;

    if (access_read_listed(channel, &listed, &err) < 0) {
        LOG(WARN, "access.roster", F_STR("why", error_text(&err)));
    } else if (g->n < g->o.max_entries || find(g, CHANNEL, json_str(channel, "id"))) {
        struct entry *e = obtain(g, CHANNEL, json_str(channel, "id"));
        g->n_channel_calls -= e->call != NULL;
        webapi_cancel(e->call);
        e->call = NULL;
        e->channel = listed;
        e->known = ACCESS_KNOWN;
        e->until_ms = clock_mono_ms() + g->o.keep_ms;
    }
    error_clear(&err);
}

static void on_page(void *user)
{
    settle_waiting(user);
}

/* ---- deciding ---- */

static void gather_groups(struct access_gate *g, const char *user)
{
    for (size_t i = 0; i < access_group_count(g->o.rules); i++) {
        const struct entry *e = current(g, GROUP, access_group_id(g->o.rules, i));
        g->groups[i] = (struct access_membership){ .known = ACCESS_UNASKED };
        if (e)
            g->groups[i] = (struct access_membership){ .known = e->known,
                                                       .why = e->why,
                                                       .is_member = e->known == ACCESS_KNOWN &&
                                                                    id_list_has(&e->ids, user) };
    }
}

static void gather(struct access_gate *g, const struct access_request *r, struct access_facts *f)
{
    const struct entry *home = current(g, HOME, ""), *person = current(g, PERSON, r->user),
                       *channel = current(g, CHANNEL, r->channel);

    *f = (struct access_facts){ .groups = g->groups };
    if (home && home->known == ACCESS_KNOWN)
        f->home_team = home->ids.items[0];
    else if (home)
        f->home_why = home->why;
    if (person) {
        f->person = person->person;
        f->person.known = person->known;
        f->person.why = person->why;
        f->person.teams = (const char *const *)person->ids.items;
        f->person.n_teams = person->ids.n;
    }
    if (channel) {
        f->channel = channel->channel;
        f->channel.known = channel->known;
        f->channel.why = channel->why;
        f->channel.hidden = channel->hidden;
    }
    gather_groups(g, r->user);
}

static struct access_decision decide(struct access_gate *g, const struct access_request *r)
{
    struct access_facts facts;

    gather(g, r, &facts);
    return access_decide(g->o.rules, r, &facts);
}

bool access_gate_now(struct access_gate *g, const struct access_request *r,
                     struct access_decision *ret)
{
    struct access_decision d = decide(g, r);

    if (d.verdict == ACCESS_ASK)
        return false;
    *ret = d;
    return true;
}

static void ask_slack(struct access_gate *g, const struct access_request *r, unsigned what)
{
    if (what & ACCESS_ASK_HOME)
        look_up(g, HOME, "");
    if (what & ACCESS_ASK_PERSON)
        look_up(g, PERSON, r->user);
    if (what & ACCESS_ASK_CHANNEL)
        look_up(g, CHANNEL, r->channel);
    for (size_t i = 0; what & ACCESS_ASK_GROUPS && i < access_group_count(g->o.rules); i++)
        look_up(g, GROUP, access_group_id(g->o.rules, i));
}

/* ---- waiting ---- */

static void wait_unlink(struct access_wait *w)
{
    struct access_wait **at = &w->gate->waiting;

    while (*at && *at != w)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = w->next;
    if (w->gate->last == &w->next)
        w->gate->last = at;
}

void access_wait_cancel(struct access_wait *w)
{
    if (!w)
        return;
    wait_unlink(w);
    loop_timer_free(w->timer);
    free(w->channel);
    free(w->who);
    free(w);
}

static void end_wait(struct access_wait *w, const struct access_decision *d)
{
    access_done_fn *done = w->done;
    void *user = w->user;

    access_wait_cancel(w);
    done(user, d);
}

/* Ends one request that can be decided; asks what the others lack. */
static bool settle_one(struct access_gate *g)
{
    for (struct access_wait *w = g->waiting; w; w = w->next) {
        struct access_decision d = decide(g, &w->request);
        if (d.verdict == ACCESS_ASK) {
            ask_slack(g, &w->request, d.ask);
            d = decide(g, &w->request); /* what cannot even be asked has failed by now */
        }
        if (d.verdict != ACCESS_ASK) {
            end_wait(w, &d);
            return true;
        }
    }
    return false;
}

static void settle_waiting(struct access_gate *g)
{
    while (settle_one(g))
        ;
}

static void on_later(void *user)
{
    settle_waiting(user);
}

static void on_too_late(void *user)
{
    struct access_wait *w = user;
    struct access_decision d = { .verdict = ACCESS_REFUSED,
                                 .reason = ACCESS_NOT_FOUND_OUT,
                                 .why = "Slack did not tell in time." };

    end_wait(w, &d);
}

struct access_wait *access_gate_ask(struct access_gate *g, const struct access_request *r,
                                    access_done_fn *done, void *user)
{
    struct access_wait *w = xcalloc(1, sizeof(*w));

    w->gate = g;
    w->request = *r;
    w->request.channel = w->channel = xstrdup(r->channel);
    w->request.user = w->who = xstrdup(r->user);
    w->done = done;
    w->user = user;
    w->timer = loop_timer_new(g->o.loop, on_too_late, w);
    loop_timer_start(w->timer, g->o.wait_ms);
    *g->last = w;
    g->last = &w->next;
    loop_timer_start(g->later, 0);
    return w;
}

/* ---- the whole ---- */

void access_gate_set_rules(struct access_gate *g, const struct access *rules)
{
    g->o.rules = rules;
    free(g->groups);
    g->groups = xcalloc(access_group_count(rules) + 1, sizeof(*g->groups));
}

struct access_gate *access_gate_new(const struct access_gate_options *options)
{
    struct access_gate *g = xcalloc(1, sizeof(*g));

    g->o = *options;
    g->o.wait_ms = g->o.wait_ms ? g->o.wait_ms : WAIT_MS;
    g->o.keep_ms = g->o.keep_ms ? g->o.keep_ms : KEEP_MS;
    g->o.keep_failure_ms = g->o.keep_failure_ms ? g->o.keep_failure_ms : KEEP_FAILURE_MS;
    g->o.max_entries = g->o.max_entries ? g->o.max_entries : MAX_ENTRIES;
    access_gate_set_rules(g, options->rules);
    g->later = loop_timer_new(options->loop, on_later, g);
    g->last = &g->waiting;
    g->roster = access_roster_new(&(struct access_roster_options){
        .api = options->api, .on_channel = on_listed, .on_page = on_page, .user = g });
    return g;
}

void access_gate_free(struct access_gate *g)
{
    if (!g)
        return;
    while (g->waiting)
        access_wait_cancel(g->waiting);
    for (size_t i = 0; i < g->n; i++)
        entry_free(g->entries[i]);
    free(g->entries);
    free(g->groups);
    access_roster_free(g->roster);
    loop_timer_free(g->later);
    free(g);
}

void access_gate_set_home(struct access_gate *g, const char *team)
{
    struct entry *e = obtain(g, HOME, "");

    id_list_clear(&e->ids);
    *VEC_ADD(e->ids.items, e->ids.n, e->ids.cap) = xstrdup(team);
    e->known = ACCESS_KNOWN;
    e->until_ms = INT64_MAX;
    settle_waiting(g);
}

bool access_gate_is_public(const struct access_gate *g, const char *channel)
{
    const struct entry *e = current(g, CHANNEL, channel);

    return e && e->known == ACCESS_KNOWN && e->channel.is_public;
}

const char *access_gate_name(const struct access_gate *g, const char *user)
{
    const struct entry *e = current(g, PERSON, user);

    return e ? e->name : NULL;
}
