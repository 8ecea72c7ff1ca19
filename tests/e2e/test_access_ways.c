/* Who is let in, over real sockets: every way in, by every kind of person, in every kind of
 * conversation.
 *
 * An investigation is made in every place, with a form open on each. Then the rules change, and
 * one running bot gets every row of the matrix: it is refused once, with the key that would allow
 * it, nothing is started, no source is asked, and the audit log has one entry. At last the rows
 * that are allowed: each is a job, or what was pressed for. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

/* ---- who, where, how ---- */

enum reason { MAY, NOT_LISTED, GUEST, STRANGER, APP, EXTERNAL };

static const struct {
    const char *name;  /* of the rule, in the log and the audit log */
    const char *words; /* what the person reads */
    const char *key;   /* the setting that is named */
} reasons[] = {
    [MAY] = { NULL, NULL, NULL },
    [NOT_LISTED] = { "not_listed", "on the list of those who may ask", "access.allow" },
    [GUEST] = { "guest", "guests may not ask", "access.allow" },
    [STRANGER] = { "stranger", "another workspace", "access.allow" },
    [APP] = { "app", "Only people may ask", "access.allow" },
    [EXTERNAL] = { "external_channel", "shared with another company", "access.external_channels" },
};

/* All but grace are in the user group that is listed: what they are decides, not the list. */
#define MEMBERS                                                                                    \
    "\"U0RAINER01\",\"U0GUEST001\",\"U0SINGLE01\",\"U0PARTNER1\",\"U0SISTER01\",\"U0ROBOT001\""

static const struct person {
    const char *id;
    enum reason refused;
} people[] = {
    { "U0RAINER01", MAY },      { "U0GRACE001", NOT_LISTED },
    { "U0GUEST001", GUEST },    /* is_restricted */
    { "U0SINGLE01", GUEST },    /* is_ultra_restricted too: a single-channel guest */
    { "U0PARTNER1", STRANGER }, /* of another company, by Slack Connect */
    { "U0SISTER01", STRANGER }, /* of another workspace */
    { "U0ROBOT001", APP },
};

#define RAINER (&people[0])
#define N_PEOPLE ARRAY_LEN(people)

/* Public, private, a group's and one person's direct messages, shared with another company. */
#define SHARED "C0SHARED01"
#define PLACES "C0INCIDENT,C0SECRET01,C0GROUPDM2,D0RAINER01," SHARED
#define N_PLACES 5

static const char *const places[N_PLACES] = { "C0INCIDENT", "C0SECRET01", "C0GROUPDM2",
                                              "D0RAINER01", SHARED };

/* Of each place: two open forms, and a message with a link to the issue. */
struct props {
    char *details, *form, *message;
};

/* How a refusal is shown. */
enum shown {
    IN_CHANNEL, /* to that person alone */
    IN_FORM,    /* the form says it, and stays open */
    IN_HOME,
    NOT_AT_ALL, /* there is nobody to tell, or nothing was asked */
};

enum way { COMMAND, MENTION, SHORTCUT, BUTTON, VIEW_BUTTON, SUBMISSION, HOME, ALERT, N_WAYS };

static const struct {
    const char *event, *what; /* in the audit log */
    const char *outcome;      /* there, for who may */
    enum shown shown;
} ways[] = {
    [COMMAND] = { "command", "investigate", "taken", IN_CHANNEL },
    [MENTION] = { "mention", "investigate", "taken", IN_CHANNEL },
    [SHORTCUT] = { "shortcut", "investigate", "taken", IN_CHANNEL },
    [BUTTON] = { "button", "dbconn_rerun", "taken", IN_CHANNEL },
    [VIEW_BUTTON] = { "form", "dbconn_details_next", "allowed", IN_CHANNEL },
    [SUBMISSION] = { "form", "dbconn_real_cause", "allowed", IN_FORM },
    [HOME] = { "home", "home", "allowed", IN_HOME },
    [ALERT] = { "alert", "investigate", "taken", NOT_AT_ALL },
};

struct row {
    const struct person *person;
    const char *place;
    const struct props *props;
    char *envelope; /* of the last act */
    int told;       /* messages to this person alone in that place, before the act */
};

#define N_ROWS (N_PEOPLE * N_PLACES)

struct matrix {
    struct stage s;
    struct props props[N_PLACES];
    struct row rows[N_ROWS]; /* a person in a place; the first ones are rainer's */
};

static bool is_shared(const struct row *r)
{
    return text_same(r->place, SHARED);
}

static bool is_refused(const struct row *r)
{
    return r->person->refused != MAY || is_shared(r);
}

/* Two rules may refuse the same row: the one is told that is known first. */
static bool is_reason(const struct row *r, enum reason why)
{
    return why != MAY && (why == r->person->refused || (why == EXTERNAL && is_shared(r)));
}

/* Who is told of it how; what asks for nothing is not even refused. */
static enum shown shown_how(const struct row *r, enum way way)
{
    if (way == MENTION && r->place[0] == 'D')
        return NOT_AT_ALL; /* Slack tells of no mentions in direct messages */
    if (way == MENTION && r->person->refused == APP)
        return NOT_AT_ALL; /* an app's text is not a wish */
    return ways[way].shown;
}

/* ---- acting ---- */

static cJSON *act(struct stage *s, const char *path, const char *fmt, ...) PRINTF_LIKE(3, 4);
static cJSON *act(struct stage *s, const char *path, const char *fmt, ...)
{
    struct buf body = BUF_INIT;
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&body, fmt, ap);
    va_end(ap);
    cJSON *reply = control(s, path, buf_str(&body));
    buf_clear(&body);
    return reply;
}

static char *issue_link(struct stage *s, const char *issue)
{
    const cJSON *env = json_get(s->start, "env");

    return xasprintf("%s/organizations/%s/issues/%s/", json_str(env, "SENTRY_URL"),
                     json_str(env, "SENTRY_ORG"), issue);
}

/* Sentry's app posts an alert. */
static cJSON *post_alert(struct stage *s, const char *place, const char *issue)
{
    char *link = issue_link(s, issue);
    cJSON *reply = act(s, "/message",
                       "{\"channel\":\"%s\",\"bot_id\":\"B0SENTRY01\",\"attachments\":[{\"title\":"
                       "\"ConnectionError\",\"title_link\":\"%s\"}]}",
                       place, link);

    free(link);
    return reply;
}

static cJSON *use(struct stage *s, const struct row *r, enum way way, const char *issue)
{
    const char *who = r->person->id, *where = r->place;

    switch (way) {
    case COMMAND:
        return act(s, "/command", "{\"user\":\"%s\",\"channel\":\"%s\",\"text\":\"%s\"}", who,
                   where, issue);
    case MENTION:
        return act(s, "/mention", "{\"user\":\"%s\",\"channel\":\"%s\",\"text\":\"%s\"}", who,
                   where, issue);
    case SHORTCUT:
        return act(s, "/shortcut",
                   "{\"user\":\"%s\",\"channel\":\"%s\",\"ts\":\"%s\",\"callback_id\":"
                   "\"dbconn_diagnose\"}",
                   who, where, r->props->message);
    case BUTTON:
        return act(s, "/click",
                   "{\"user\":\"%s\",\"channel\":\"%s\",\"action_id\":\"dbconn_rerun\"}", who,
                   where);
    case VIEW_BUTTON:
        return act(s, "/click",
                   "{\"user\":\"%s\",\"view_id\":\"%s\",\"action_id\":\"dbconn_details_next\"}",
                   who, r->props->details);
    case SUBMISSION:
        return act(s, "/submit",
                   "{\"user\":\"%s\",\"view_id\":\"%s\",\"values\":{\"cause\":{\"cause_choice\":"
                   "{\"selected_option\":{\"value\":\"database_restart\"}}}}}",
                   who, r->props->form);
    case HOME:
        return act(s, "/home", "{\"user\":\"%s\"}", who);
    case ALERT:
        return post_alert(s, where, issue);
    case N_WAYS:
        break;
    }
    fail_msg("no such way");
    return NULL;
}

/* ---- looking ---- */

/* How many messages of the place only this person sees; the newest one's text (heap) or NULL. */
static int told(struct stage *s, const struct row *r, char **ret_text)
{
    char *path = xasprintf("/state?channel=%s", r->place);
    cJSON *state = control(s, path, NULL);
    int n = 0;

    for (const cJSON *m = json_items(state, "messages"); m; m = m->next) {
        if (!text_same(json_str(m, "shown_to"), r->person->id))
            continue;
        n++;
        if (ret_text)
            xreplace(ret_text, json_str(m, "text"));
    }
    cJSON_Delete(state);
    free(path);
    return n;
}

static bool has_been_told(struct stage *s, const void *arg)
{
    const struct row *r = arg;

    return told(s, r, NULL) > r->told;
}

static char *answer_of(struct stage *s, const char *envelope)
{
    char *path = xasprintf("/envelopes?id=%s", envelope);
    cJSON *list = control(s, path, NULL);
    const cJSON *answer = json_get(json_first(list), "answer");
    char *text = answer ? json_print(answer) : xstrdup("");

    cJSON_Delete(list);
    free(path);
    return text;
}

/* The App Home as this person sees it; heap. */
static char *home_of(struct stage *s, const char *user)
{
    cJSON *views = control(s, "/views", NULL);
    char *text = xstrdup("");

    for (const cJSON *v = json_first(views); v; v = v->next) {
        if (!text_same(json_str(v, "user"), user) ||
            !text_same(json_str(json_get(v, "view"), "type"), "home"))
            continue;
        free(text);
        text = json_print(v);
    }
    cJSON_Delete(views);
    return text;
}

struct home_wanted {
    const char *user, *text;
};

static bool home_shows(struct stage *s, const void *arg)
{
    const struct home_wanted *w = arg;
    char *text = home_of(s, w->user);
    bool shows = strstr(text, w->text) != NULL;

    free(text);
    return shows;
}

/* The modal that shows `text` and is not among the known ones; its id, heap, or NULL. */
struct modal_wanted {
    const char *text, *known;
};

static char *find_modal(struct stage *s, const struct modal_wanted *w)
{
    cJSON *views = control(s, "/views", NULL);
    char *id = NULL;

    for (const cJSON *v = json_first(views); v && !id; v = v->next) {
        const cJSON *view = json_get(v, "view");
        char *shown = json_print(view);
        if (text_same(json_str(view, "type"), "modal") && strstr(shown, w->text) &&
            !strstr(w->known, json_str(view, "id")))
            id = xstrdup(json_str(view, "id"));
        free(shown);
    }
    cJSON_Delete(views);
    return id;
}

static bool modal_is_open(struct stage *s, const void *arg)
{
    char *id = find_modal(s, arg);
    bool open = id != NULL;

    free(id);
    return open;
}

/* ---- what there is in every place ---- */

/* Threads need not be edited slowly here: the sandbox lets everything pass. */
static void write_config(struct stage *s)
{
    s->config = xasprintf("%s/dbconn.json", s->dir);
    FILE *file = fopen(s->config, "w");

    assert_non_null(file);
    fputs("{\"slack\": {\"edits_per_minute\": 3000}}\n", file);
    assert_int_equal(fclose(file), 0);
}

static void make_rows(struct matrix *m)
{
    for (size_t p = 0; p < N_PEOPLE; p++)
        for (size_t k = 0; k < N_PLACES; k++)
            m->rows[p * N_PLACES + k] =
                (struct row){ .person = &people[p], .place = places[k], .props = &m->props[k] };
}

static void ask_in_every_place(struct matrix *m)
{
    int jobs = N_PLACES;

    for (size_t k = 0; k < N_PLACES; k++)
        cJSON_Delete(use(&m->s, &m->rows[k], COMMAND, m->s.short_id));
    wait_until(&m->s, jobs_have_ended, &jobs, "an answer in every place");
}

static char *open_modal(struct stage *s, const char *place, const char *action, const char *text,
                        struct buf *known)
{
    const struct modal_wanted wanted = { text, buf_str(known) };

    cJSON_Delete(act(s, "/click", "{\"channel\":\"%s\",\"action_id\":\"%s\"}", place, action));
    wait_until(s, modal_is_open, &wanted, action);
    char *id = find_modal(s, &wanted);
    buf_addf(known, "%s ", id);
    return id;
}

/* A colleague writes of the issue; nothing begins by itself. */
static char *write_message(struct stage *s, const char *place)
{
    char *link = issue_link(s, "980000");
    cJSON *reply =
        act(s, "/message", "{\"channel\":\"%s\",\"text\":\"is it %s again?\"}", place, link);
    char *ts = xstrdup(json_str(reply, "ts"));

    cJSON_Delete(reply);
    free(link);
    return ts;
}

static void prepare_places(struct matrix *m)
{
    struct buf known = BUF_INIT;

    ask_in_every_place(m);
    for (size_t k = 0; k < N_PLACES; k++)
        m->props[k] = (struct props){
            .details = open_modal(&m->s, places[k], "dbconn_details", "Page 1 of", &known),
            .form =
                open_modal(&m->s, places[k], "dbconn_real_cause", "What was it really?", &known),
            .message = write_message(&m->s, places[k]),
        };
    buf_clear(&known);
}

/* ---- rows that are allowed ---- */

static bool makes_a_job(const struct row *r, enum way way)
{
    return strcmp(ways[way].outcome, "taken") == 0 && shown_how(r, way) == ways[way].shown;
}

struct log_count {
    const char *what;
    int n;
};

static bool is_in_log_so_often(struct stage *s, const void *arg)
{
    const struct log_count *c = arg;

    return count_in_log(s, c->what) >= c->n;
}

/* Each with an issue of its own, which Sentry need not know. */
static void use_what_is_allowed(struct matrix *m)
{
    struct log_count jobs = { "event=job.enqueued", count_in_log(&m->s, "event=job.enqueued") };

    for (enum way way = MENTION; way < N_WAYS; way++)
        for (size_t k = 0; k < N_PLACES; k++) {
            struct row *r = &m->rows[k];
            if (way == HOME && k > 0)
                continue;
            char *issue = xasprintf("%d", 990000 + (int)(way * N_PLACES + k));
            cJSON *reply = use(&m->s, r, way, issue);
            xreplace(&r->envelope, json_str(reply, "envelope_id"));
            cJSON_Delete(reply);
            wait_until(&m->s, is_acknowledged, r->envelope, "the acknowledgement");
            jobs.n += makes_a_job(r, way);
            free(issue);
        }
    wait_until(&m->s, is_in_log_so_often, &jobs, "a job of every row");
    assert_int_equal(count_in_log(&m->s, jobs.what), jobs.n);
    wait_until(&m->s, home_shows, &(struct home_wanted){ RAINER->id, m->s.short_id }, "the Home");
}

/* ---- rows that are refused ---- */

/* The words of a rule that refuses this row, and its key. */
static void check_words(const struct row *r, enum way way, const char *text)
{
    bool right = false;

    for (enum reason why = NOT_LISTED; why <= EXTERNAL; why++)
        right |=
            is_reason(r, why) && strstr(text, reasons[why].words) && strstr(text, reasons[why].key);
    if (!right)
        fail_msg("%s by %s in %s was answered with: %s", ways[way].event, r->person->id, r->place,
                 text);
}

static void check_refusal(struct stage *s, struct row *r, enum way way)
{
    char *text = NULL;

    wait_until(s, is_acknowledged, r->envelope, "the acknowledgement");
    switch (shown_how(r, way)) {
    case IN_CHANNEL: {
        char *what =
            xasprintf("the refusal of %s by %s in %s", ways[way].event, r->person->id, r->place);
        wait_until(s, has_been_told, r, what);
        free(what);
        assert_int_equal(told(s, r, &text), ++r->told);
        check_words(r, way, text);
        break;
    }
    case IN_FORM:
        text = answer_of(s, r->envelope);
        check_words(r, way, text);
        break;
    case IN_HOME:
        wait_until(s, home_shows,
                   &(struct home_wanted){ r->person->id, reasons[r->person->refused].words },
                   "the refusal in the App Home");
        text = home_of(s, r->person->id);
        check_words(r, way, text);
        break;
    case NOT_AT_ALL:
        break;
    }
    free(text);
}

/* Does the row ask for this at all, and is it to be refused? */
static bool is_refused_row(const struct row *r, enum way way)
{
    if (way == ALERT)
        return r->person == RAINER && is_shared(r); /* nobody asks: one row */
    if (way == HOME)
        return r->person->refused != MAY && strcmp(r->place, places[0]) == 0; /* has no place */
    if (way == VIEW_BUTTON && !is_shared(r))
        return false; /* decided as the submission is; its refusals have a rate to keep to */
    return is_refused(r);
}

static void try_what_is_refused(struct matrix *m, enum way way)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        struct row *r = &m->rows[i];
        if (!is_refused_row(r, way))
            continue;
        cJSON *reply = use(&m->s, r, way, m->s.short_id);
        xreplace(&r->envelope, json_str(reply, "envelope_id"));
        cJSON_Delete(reply);
    }
    for (size_t i = 0; i < N_ROWS; i++)
        if (is_refused_row(&m->rows[i], way))
            check_refusal(&m->s, &m->rows[i], way);
}

static int64_t count_sources(struct stage *s)
{
    return count_requests(s, "sentry") + count_requests(s, "github") +
           count_requests(s, "elasticsearch");
}

static bool is_disconnected(struct stage *s, const void *arg)
{
    return !is_connected(s, arg);
}

static void restart_with(struct stage *s, const char *external)
{
    stage_stop_bot(s);
    cJSON_ReplaceItemInObjectCaseSensitive(s->env, "DBCONN_ACCESS_EXTERNAL_CHANNELS",
                                           cJSON_CreateString(external));
    wait_until(s, is_disconnected, NULL, "the end of the connection");
    stage_start_bot(s);
}

static void refuse_every_row(struct matrix *m)
{
    struct stage *s = &m->s;

    for (size_t i = 0; i < N_ROWS; i++)
        m->rows[i].told = told(s, &m->rows[i], NULL);
    int64_t asked = count_sources(s), posted = count_calls(s, "chat.postMessage", 0),
            opened = count_calls(s, "views.open", 0), changed = count_calls(s, "views.update", 0);
    int jobs = count_in_log(s, "event=job.enqueued");
    for (enum way way = 0; way < N_WAYS; way++)
        try_what_is_refused(m, way);
    for (size_t i = 0; i < N_ROWS; i++) /* and nobody was told twice */
        assert_int_equal(told(s, &m->rows[i], NULL), m->rows[i].told);
    assert_int_equal(count_sources(s), asked);
    assert_int_equal(count_calls(s, "chat.postMessage", 0), posted);
    assert_int_equal(count_calls(s, "views.open", 0), opened);
    assert_int_equal(count_calls(s, "views.update", 0), changed);
    assert_int_equal(count_in_log(s, "event=job.enqueued"), jobs);
}

/* ---- the audit log ---- */

static cJSON *read_audit(struct stage *s)
{
    const char *const export[] = { "audit", "export", NULL }, *const verify[] = { "audit", "verify",
                                                                                  NULL };
    cJSON *entries = cJSON_CreateArray();
    int code;
    char *text = stage_run(s, export, &code), *line = text;

    assert_int_equal(code, 0);
    while (*line) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        cJSON *entry = cJSON_Parse(line);
        assert_non_null(entry);
        cJSON_AddItemToArray(entries, cJSON_DetachItemFromObjectCaseSensitive(entry, "entry"));
        cJSON_Delete(entry);
        line = end + 1;
    }
    free(text);
    free(stage_run(s, verify, &code));
    assert_int_equal(code, 0);
    return entries;
}

static bool is_named(const struct row *r, const char *name)
{
    for (enum reason why = NOT_LISTED; why <= EXTERNAL; why++)
        if (is_reason(r, why) && text_same(reasons[why].name, name))
            return true;
    return false;
}

static int count_entries(const cJSON *entries, const struct row *r, enum way way, bool refused)
{
    int n = 0;

    for (const cJSON *e = json_first(entries); e; e = e->next) {
        bool here = way == HOME || text_same(json_str(e, "channel"), r->place);
        bool who =
            way == ALERT ? !json_str(e, "who") : text_same(json_str(e, "who"), r->person->id);
        n += here && who && text_same(json_str(e, "event"), ways[way].event) &&
             text_same(json_str(e, "what"), ways[way].what) &&
             text_same(json_str(e, "outcome"), refused ? "refused" : ways[way].outcome) &&
             (!refused || is_named(r, json_str(e, "why")));
    }
    return n;
}

static int count_all_refused(const cJSON *entries)
{
    int n = 0;

    for (const cJSON *e = json_first(entries); e; e = e->next)
        n += text_same(json_str(e, "outcome"), "refused");
    return n;
}

static void check_audit(struct matrix *m)
{
    cJSON *entries = read_audit(&m->s);
    int refused = 0;

    for (enum way way = 0; way < N_WAYS; way++)
        for (size_t i = 0; i < N_ROWS; i++) {
            const struct row *r = &m->rows[i];
            bool audited = ways[way].shown == NOT_AT_ALL || shown_how(r, way) != NOT_AT_ALL;
            int want = is_refused_row(r, way) && audited;
            int got = want ? count_entries(entries, r, way, true) : 0;
            if (got != want)
                fail_msg("%s by %s in %s: %d entries in the audit log", ways[way].event,
                         r->person->id, r->place, got);
            refused += want;
            if (r->person != RAINER || (way == HOME && i > 0) || !audited)
                continue;
            if (count_entries(entries, r, way, false) != 1)
                fail_msg("%s in %s is not in the audit log once as %s", ways[way].event, r->place,
                         ways[way].outcome);
        }
    assert_int_equal(count_all_refused(entries), refused);
    print_message("%d refusals, each told once and audited once\n", refused);
    cJSON_Delete(entries);
}

static void matrix_clear(struct matrix *m)
{
    for (size_t i = 0; i < N_ROWS; i++)
        free(m->rows[i].envelope);
    for (size_t k = 0; k < N_PLACES; k++) {
        free(m->props[k].details);
        free(m->props[k].form);
        free(m->props[k].message);
    }
}

static void every_way_in_is_open_to_who_may_and_closed_to_everybody_else(void **state)
{
    static const char *const lifted[] = { "--lift-limits", NULL };
    static const char *const rules[] = { "DBCONN_ACCESS_ALLOW=S0MATRIX01",
                                         "DBCONN_ACCESS_EXTERNAL_CHANNELS=" SHARED,
                                         "DBCONN_AUTO_CHANNELS=" PLACES, NULL };
    struct stage_options options = { .sandbox_args = lifted, .bot_env = rules, .no_bot = true };
    struct matrix m = { 0 };

    (void)state;
    stage_open(&m.s, &options);
    make_rows(&m);
    cJSON_Delete(act(&m.s, "/config",
                     "{\"group\":{\"id\":\"S0MATRIX01\",\"handle\":\"responders\",\"users\":[%s]}}",
                     MEMBERS));
    write_config(&m.s);
    stage_start_bot(&m.s);
    prepare_places(&m);
    restart_with(&m.s, "");
    refuse_every_row(&m);
    restart_with(&m.s, SHARED);
    use_what_is_allowed(&m);
    stage_stop_bot(&m.s);
    check_audit(&m);
    assert_careful(&m.s);
    assert_no_secret(&m.s);
    matrix_clear(&m);
    stage_close(&m.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_in_is_open_to_who_may_and_closed_to_everybody_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
