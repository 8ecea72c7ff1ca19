/* access: who may ask, where, about what; and what Slack's answers say about people and channels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/slack/access_facts.h"
#include "dbconn/base/text.h"

#define HOME "T0HOME"
#define OTHER "T0OTHER"

static const char *const at_home[] = { HOME };
static const char *const elsewhere[] = { OTHER };
static const char *const on_grid[] = { "T0SISTER", HOME, "E0GRID" };

static const struct access_person member = { .known = ACCESS_KNOWN,
                                             .teams = at_home,
                                             .n_teams = 1 };
static const struct access_person guest = {
    .known = ACCESS_KNOWN, .is_guest = true, .teams = at_home, .n_teams = 1
};
static const struct access_person stranger = { .known = ACCESS_KNOWN,
                                               .teams = elsewhere,
                                               .n_teams = 1 };
static const struct access_channel public_channel = { .known = ACCESS_KNOWN, .is_public = true };
static const struct access_channel private_channel = { .known = ACCESS_KNOWN };
static const struct access_channel shared_channel = { .known = ACCESS_KNOWN, .is_external = true };
static const struct access_channel hidden_channel = { .known = ACCESS_FAILED,
                                                      .why = "conversations.info: not found",
                                                      .hidden = "channel_not_found" };
static const struct access_channel broken_channel = { .known = ACCESS_FAILED,
                                                      .why = "Slack answered 503." };

/* "A,B": a rule each. */
static struct access *rules(const char *list)
{
    struct access *a = access_new();
    char *copy = xstrdup(list), *rest = copy;

    for (char *entry; (entry = strsep(&rest, ","));)
        if (*entry)
            assert_int_equal(access_allow(a, entry, NULL), 0);
    free(copy);
    return a;
}

static struct access_decision decide(const struct access *a, enum access_way way,
                                     const struct access_person *person,
                                     const struct access_channel *channel,
                                     const struct access_membership *groups)
{
    struct access_request request = { .way = way,
                                      .channel = way == ACCESS_HOME ? NULL : "C0HERE",
                                      .user = way == ACCESS_ALERT ? NULL : "U0ANNA" };
    struct access_facts facts = { .home_team = HOME, .groups = groups };

    if (person)
        facts.person = *person;
    if (channel)
        facts.channel = *channel;
    return access_decide(a, &request, &facts);
}

/* ---- the matrix ---- */

static void every_way_in_is_decided_alike_by_person_and_channel(void **state)
{
    static const struct {
        const char *name, *allow;
        const struct access_person *person;
        enum access_reason refusal; /* ACCESS_NO_REASON: the person may */
    } people[] = {
        { "nobody is listed", "", &member, ACCESS_NOBODY_LISTED },
        { "member, everybody listed", "*", &member, ACCESS_NO_REASON },
        { "member, listed by id", "U0ANNA", &member, ACCESS_NO_REASON },
        { "member, workspace listed", HOME, &member, ACCESS_NO_REASON },
        { "member, somebody else listed", "U0BERT", &member, ACCESS_NOT_LISTED },
        { "guest, everybody listed", "*", &guest, ACCESS_GUEST },
        { "guest, listed by id", "U0ANNA", &guest, ACCESS_NO_REASON },
        { "stranger, everybody listed", "*", &stranger, ACCESS_STRANGER },
        { "stranger, own workspace listed", OTHER, &stranger, ACCESS_NO_REASON },
    };
    static const struct {
        const char *name;
        const struct access_channel *channel;
        enum access_reason refusal;
    } channels[] = {
        { "public", &public_channel, ACCESS_NO_REASON },
        { "private", &private_channel, ACCESS_NO_REASON },
        { "shared with another company", &shared_channel, ACCESS_EXTERNAL_CHANNEL },
        { "hidden from the bot", &hidden_channel, ACCESS_HIDDEN_CHANNEL },
        { "not found out", &broken_channel, ACCESS_NOT_FOUND_OUT },
    };

    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(people); p++) {
        struct access *a = rules(people[p].allow);
        for (size_t c = 0; c < ARRAY_LEN(channels); c++) {
            for (int way = 0; way < ACCESS_WAY_COUNT; way++) {
                struct access_decision d =
                    decide(a, (enum access_way)way, people[p].person, channels[c].channel, NULL);
                enum access_reason expected = people[p].refusal;
                if (way == ACCESS_ALERT && expected != ACCESS_NOBODY_LISTED)
                    expected = ACCESS_NO_REASON; /* nobody asked */
                if (expected == ACCESS_NO_REASON && way != ACCESS_HOME)
                    expected = channels[c].refusal;
                enum access_verdict verdict =
                    expected == ACCESS_NO_REASON ? ACCESS_ALLOWED : ACCESS_REFUSED;
                if (d.reason != expected || d.verdict != verdict)
                    fail_msg("%s, %s, way %d: %d %s, expected %s", people[p].name, channels[c].name,
                             way, d.verdict, access_reason_name(d.reason),
                             access_reason_name(expected));
            }
        }
        access_free(a);
    }
}

static void help_is_answered_to_everybody(void **state)
{
    struct access *a = rules("");

    (void)state;
    for (int way = 0; way < ACCESS_WAY_COUNT; way++) {
        struct access_request request = { .way = (enum access_way)way, .help = true };
        struct access_facts nothing = { 0 };
        assert_int_equal(access_decide(a, &request, &nothing).verdict, ACCESS_ALLOWED);
    }
    access_free(a);
}

static void a_request_without_its_person_or_channel_is_refused(void **state)
{
    struct access *a = rules("*");
    struct access_facts facts = { .home_team = HOME, .person = member, .channel = public_channel };
    struct access_request nobody = { .way = ACCESS_COMMAND, .channel = "C0HERE" };
    struct access_request nowhere = { .way = ACCESS_FORM, .user = "U0ANNA" };

    (void)state;
    assert_int_equal(access_decide(a, &nobody, &facts).reason, ACCESS_INCOMPLETE);
    assert_int_equal(access_decide(a, &nowhere, &facts).reason, ACCESS_INCOMPLETE);
    access_free(a);
}

static void a_channel_entry_admits_full_members_in_that_channel_only(void **state)
{
    struct access *here = rules("C0HERE"), *there = rules("C0THERE");

    (void)state;
    assert_int_equal(decide(here, ACCESS_COMMAND, &member, &public_channel, NULL).verdict,
                     ACCESS_ALLOWED);
    assert_int_equal(decide(here, ACCESS_COMMAND, &guest, &public_channel, NULL).reason,
                     ACCESS_GUEST);
    assert_int_equal(decide(here, ACCESS_HOME, &member, NULL, NULL).reason, ACCESS_NOT_LISTED);
    assert_int_equal(decide(there, ACCESS_COMMAND, &member, &public_channel, NULL).reason,
                     ACCESS_NOT_LISTED);
    access_free(here);
    access_free(there);
}

static void apps_and_deactivated_accounts_may_not(void **state)
{
    struct access *a = rules("*");
    struct access_person app = member, gone = member, foreign = member;

    (void)state;
    app.is_app = true;
    gone.is_deactivated = true;
    foreign.is_stranger = true;
    assert_int_equal(decide(a, ACCESS_BUTTON, &app, &public_channel, NULL).reason, ACCESS_APP);
    assert_int_equal(decide(a, ACCESS_BUTTON, &gone, &public_channel, NULL).reason,
                     ACCESS_DEACTIVATED);
    assert_int_equal(decide(a, ACCESS_BUTTON, &foreign, &public_channel, NULL).reason,
                     ACCESS_STRANGER);
    access_free(a);
}

static void one_of_several_workspaces_of_a_person_is_enough(void **state)
{
    struct access *a = rules("*");
    struct access_person sister = { .known = ACCESS_KNOWN, .teams = on_grid, .n_teams = 3 };

    (void)state;
    assert_int_equal(decide(a, ACCESS_COMMAND, &sister, &public_channel, NULL).verdict,
                     ACCESS_ALLOWED);
    access_free(a);
}

static void a_shared_channel_can_be_allowed_knowingly(void **state)
{
    struct access *a = rules("*");

    (void)state;
    assert_int_equal(access_allow_external(a, "C0HERE", NULL), 0);
    assert_int_equal(decide(a, ACCESS_COMMAND, &member, &shared_channel, NULL).verdict,
                     ACCESS_ALLOWED);
    /* The people of the other company are refused all the same. */
    assert_int_equal(decide(a, ACCESS_BUTTON, &stranger, &shared_channel, NULL).reason,
                     ACCESS_STRANGER);
    access_free(a);
}

/* ---- what has to be asked ---- */

static void only_what_matters_is_asked_and_all_of_it_at_once(void **state)
{
    static const struct {
        const char *allow;
        enum access_way way;
        unsigned ask;
    } cases[] = {
        { "*", ACCESS_COMMAND, ACCESS_ASK_PERSON | ACCESS_ASK_CHANNEL },
        { "*", ACCESS_HOME, ACCESS_ASK_PERSON },
        { "*", ACCESS_ALERT, ACCESS_ASK_CHANNEL },
        { "S0ONCALL", ACCESS_COMMAND, ACCESS_ASK_PERSON | ACCESS_ASK_CHANNEL | ACCESS_ASK_GROUPS },
        { "S0ONCALL,*", ACCESS_COMMAND, ACCESS_ASK_PERSON | ACCESS_ASK_CHANNEL },
        { "U0ANNA", ACCESS_COMMAND, ACCESS_ASK_CHANNEL },
    };
    struct access *nobody = rules(""), *other = rules("U0BERT,C0THERE");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct access *a = rules(cases[i].allow);
        struct access_decision d = decide(a, cases[i].way, NULL, NULL, NULL);
        assert_int_equal(d.verdict, ACCESS_ASK);
        if (d.ask != cases[i].ask)
            fail_msg("%s: asks %u, expected %u", cases[i].allow, d.ask, cases[i].ask);
        access_free(a);
    }
    assert_int_equal(decide(nobody, ACCESS_COMMAND, NULL, NULL, NULL).verdict, ACCESS_REFUSED);
    assert_int_equal(decide(other, ACCESS_COMMAND, NULL, NULL, NULL).reason, ACCESS_NOT_LISTED);
    access_free(nobody);
    access_free(other);
}

static void a_workspace_that_is_not_known_is_asked_for_or_refused(void **state)
{
    struct access *a = rules("*");
    struct access_request request = { .way = ACCESS_HOME, .user = "U0ANNA" };
    struct access_facts facts = { .person = member };

    (void)state;
    assert_int_equal(access_decide(a, &request, &facts).ask, ACCESS_ASK_HOME);
    facts.home_why = "auth.test: Slack answered 503.";
    assert_int_equal(access_decide(a, &request, &facts).reason, ACCESS_NOT_FOUND_OUT);
    access_free(a);
}

static void what_cannot_be_found_out_is_refused_with_the_reason(void **state)
{
    struct access *a = rules("*");
    struct access_person unknown = { .known = ACCESS_FAILED,
                                     .why = "users.info: missing_scope (users:read)" };
    struct access_decision d = decide(a, ACCESS_COMMAND, &unknown, &public_channel, NULL);
    struct buf text = BUF_INIT;

    (void)state;
    assert_int_equal(d.reason, ACCESS_NOT_FOUND_OUT);
    access_explain(&d, &text);
    assert_non_null(strstr(buf_str(&text), "users:read"));
    assert_non_null(strstr(buf_str(&text), "did not start anything"));
    buf_clear(&text);
    access_free(a);
}

static void membership_in_any_listed_group_is_enough(void **state)
{
    static const struct {
        struct access_membership first, second;
        enum access_verdict verdict;
        enum access_reason reason;
    } cases[] = {
        { { ACCESS_KNOWN, NULL, true }, { ACCESS_UNASKED, NULL, false }, ACCESS_ALLOWED, 0 },
        { { ACCESS_FAILED, "x", false }, { ACCESS_KNOWN, NULL, true }, ACCESS_ALLOWED, 0 },
        { { ACCESS_KNOWN, NULL, false },
          { ACCESS_KNOWN, NULL, false },
          ACCESS_REFUSED,
          ACCESS_NOT_LISTED },
        { { ACCESS_KNOWN, NULL, false },
          { ACCESS_FAILED, "x", false },
          ACCESS_REFUSED,
          ACCESS_NOT_FOUND_OUT },
        { { ACCESS_KNOWN, NULL, false }, { ACCESS_UNASKED, NULL, false }, ACCESS_ASK, 0 },
    };
    struct access *a = rules("S0ONE,S0TWO");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct access_membership groups[] = { cases[i].first, cases[i].second };
        struct access_decision d = decide(a, ACCESS_COMMAND, &member, &public_channel, groups);
        assert_int_equal(d.verdict, cases[i].verdict);
        assert_int_equal(d.reason, cases[i].reason);
        d = decide(a, ACCESS_COMMAND, &guest, &public_channel, groups);
        assert_int_equal(d.reason, ACCESS_GUEST); /* a group makes no full member */
    }
    access_free(a);
}

/* ---- projects and lines ---- */

static void projects_are_kept_apart_by_channel_once_any_is_named(void **state)
{
    static const struct {
        const char *channel, *project;
        bool permitted;
    } cases[] = {
        { "C0SHOP", "shop", true },   { "C0SHOP", "billing", false },
        { "C0ALL", "billing", true }, { "C0OTHER", "shop", false },
        { NULL, "shop", false },      { "C0OTHER", "status", true },
        { NULL, "status", true },     { "C0SHOP", NULL, false },
        { "C0ALL", NULL, true },      { "C0SHOP", "shopping", false },
    };
    struct access *a = access_new();

    (void)state;
    assert_true(access_project_permitted(a, "C0SHOP", "billing"));
    assert_true(access_project_permitted(a, NULL, NULL));
    assert_int_equal(access_allow_project(a, "C0SHOP=shop", NULL), 0);
    assert_int_equal(access_allow_project(a, "C0ALL=*", NULL), 0);
    assert_int_equal(access_allow_project(a, "*=status", NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(access_project_permitted(a, cases[i].channel, cases[i].project),
                         cases[i].permitted);
    access_free(a);
}

static void a_job_is_listed_only_to_those_who_may_know_of_it(void **state)
{
    struct access *a = rules("*");
    struct access_line open = { "C0HERE", "U0ANNA", true }, closed = { "C0HERE", "U0ANNA", false },
                       alert = { "C0HERE", NULL, false };

    (void)state;
    assert_true(access_line_visible(a, &open, "C0THERE", "U0BERT"));
    assert_true(access_line_visible(a, &open, NULL, "U0BERT"));
    assert_false(access_line_visible(a, &closed, "C0THERE", "U0BERT"));
    assert_true(access_line_visible(a, &closed, "C0HERE", "U0BERT"));
    assert_true(access_line_visible(a, &closed, "C0THERE", "U0ANNA"));
    assert_false(access_line_visible(a, &alert, NULL, NULL)); /* nobody is not somebody */
    assert_int_equal(access_allow_project(a, "C0HERE=shop", NULL), 0);
    assert_false(access_line_visible(a, &open, "C0THERE", "U0BERT"));
    access_free(a);
}

/* ---- setting up ---- */

static void entries_that_can_never_match_are_refused(void **state)
{
    static const char *const bad[] = { "#incidents", "@anna", "anna",     "u0anna",
                                       "U",          "",      "everyone", "U0 ANNA" };
    static const char *const bad_projects[] = { "shop", "C0HERE=", "=shop", "#shop=shop", "" };
    struct access *a = access_new();
    struct error err = ERROR_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(access_allow(a, bad[i], &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_int_equal(access_allow_external(a, bad[i], &err), -1);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad_projects); i++)
        assert_int_equal(access_allow_project(a, bad_projects[i], &err), -1);
    assert_true(access_is_empty(a));
    assert_false(access_has_projects(a));
    access_free(a);
    error_clear(&err);
}

static void every_refusal_names_the_key_that_would_allow_it(void **state)
{
    static const struct {
        enum access_reason reason;
        const char *text;
    } cases[] = {
        { ACCESS_NOBODY_LISTED, "`access.allow`" },
        { ACCESS_NOBODY_LISTED, "`DBCONN_ACCESS_ALLOW`" },
        { ACCESS_NOT_LISTED, "`access.allow`" },
        { ACCESS_GUEST, "guests" },
        { ACCESS_STRANGER, "another workspace" },
        { ACCESS_EXTERNAL_CHANNEL, "`access.external_channels`" },
        { ACCESS_HIDDEN_CHANNEL, "/invite" },
        { ACCESS_INCOMPLETE, "could not find out" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct access_decision d = { .reason = cases[i].reason, .why = "channel_not_found" };
        struct buf text = BUF_INIT;
        access_explain(&d, &text);
        if (!strstr(buf_str(&text), cases[i].text))
            fail_msg("%s: %s", access_reason_name(d.reason), buf_str(&text));
        buf_clear(&text);
    }
}

/* ---- Slack's answers ---- */

static void a_person_is_read_from_users_info(void **state)
{
    static const struct {
        const char *user;
        bool guest, app, deactivated, stranger;
        size_t teams;
    } cases[] = {
        { "{\"id\":\"U1\",\"team_id\":\"T1\",\"is_restricted\":false,"
          "\"is_ultra_restricted\":false,\"is_bot\":false,\"deleted\":false}",
          false, false, false, false, 1 },
        { "{\"id\":\"U1\",\"team_id\":\"T1\",\"is_restricted\":true}", true, false, false, false,
          1 },
        { "{\"id\":\"U1\",\"team_id\":\"T1\",\"is_ultra_restricted\":true}", true, false, false,
          false, 1 },
        { "{\"id\":\"U1\",\"team_id\":\"T1\",\"is_bot\":true}", false, true, false, false, 1 },
        { "{\"id\":\"U1\",\"team_id\":\"T1\",\"deleted\":true}", false, false, true, false, 1 },
        { "{\"id\":\"U1\",\"team_id\":\"T2\",\"is_stranger\":true}", false, false, false, true, 1 },
        { "{\"id\":\"U1\",\"team_id\":\"T1\",\"enterprise_user\":{\"enterprise_id\":\"E1\","
          "\"teams\":[\"T1\",\"T2\",null]}}",
          false, false, false, false, 3 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("{\"ok\":true,\"user\":%s}", cases[i].user);
        cJSON *reply = cJSON_Parse(text);
        struct access_person person = { 0 };
        struct id_list teams = { 0 };
        assert_int_equal(access_read_person(reply, "U1", &person, &teams, NULL), 0);
        assert_int_equal(person.known, ACCESS_KNOWN);
        assert_int_equal(person.is_guest, cases[i].guest);
        assert_int_equal(person.is_app, cases[i].app);
        assert_int_equal(person.is_deactivated, cases[i].deactivated);
        assert_int_equal(person.is_stranger, cases[i].stranger);
        assert_int_equal(teams.n, cases[i].teams);
        id_list_clear(&teams);
        cJSON_Delete(reply);
        free(text);
    }
}

static void an_answer_about_nobody_or_somebody_else_is_none(void **state)
{
    static const char *const cases[] = {
        "{\"ok\":true}",
        "{\"user\":null}",
        "{\"user\":[]}",
        "{\"user\":{\"id\":\"U1\"}}",
        "{\"user\":{\"id\":\"U2\",\"team_id\":\"T1\"}}",
        "{\"user\":{\"id\":\"U1\",\"team_id\":1}}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *reply = cJSON_Parse(cases[i]);
        struct access_person person = { 0 };
        struct id_list teams = { 0 };
        assert_int_equal(access_read_person(reply, "U1", &person, &teams, NULL), -1);
        assert_int_equal(person.known, ACCESS_UNASKED);
        cJSON_Delete(reply);
    }
}

static void a_channel_is_read_from_conversations_info(void **state)
{
    static const struct {
        const char *channel;
        bool external, is_public;
    } cases[] = {
        { "{\"id\":\"C1\",\"is_private\":false,\"is_ext_shared\":false}", false, true },
        { "{\"id\":\"C1\",\"is_private\":true}", false, false },
        { "{\"id\":\"C1\",\"is_private\":false,\"is_ext_shared\":true}", true, true },
        { "{\"id\":\"C1\",\"is_private\":false,\"is_pending_ext_shared\":true}", true, true },
        { "{\"id\":\"C1\",\"is_private\":false,\"is_shared\":true,\"is_org_shared\":true}", false,
          true },
        { "{\"id\":\"D1\",\"is_im\":true}", false, false },
        { "{\"id\":\"G1\",\"is_mpim\":true,\"is_private\":false}", false, false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("{\"ok\":true,\"channel\":%s}", cases[i].channel);
        cJSON *reply = cJSON_Parse(text);
        struct access_channel channel = { 0 };
        assert_int_equal(access_read_channel(reply, &channel, NULL), 0);
        assert_int_equal(channel.is_external, cases[i].external);
        assert_int_equal(channel.is_public, cases[i].is_public);
        cJSON_Delete(reply);
        free(text);
    }
    struct access_channel none = { 0 };
    assert_int_equal(access_read_channel(NULL, &none, NULL), -1);
}

static void a_group_is_read_from_its_list_of_people(void **state)
{
    cJSON *reply = cJSON_Parse("{\"ok\":true,\"users\":[\"U1\",7,\"U2\"]}");
    struct id_list members = { 0 };

    (void)state;
    assert_int_equal(access_read_members(reply, &members, NULL), 0);
    assert_true(id_list_has(&members, "U2"));
    assert_false(id_list_has(&members, "U3"));
    assert_false(id_list_has(&members, NULL));
    id_list_clear(&members);
    cJSON_Delete(reply);
    assert_int_equal(access_read_members(NULL, &members, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_in_is_decided_alike_by_person_and_channel),
        cmocka_unit_test(help_is_answered_to_everybody),
        cmocka_unit_test(a_request_without_its_person_or_channel_is_refused),
        cmocka_unit_test(a_channel_entry_admits_full_members_in_that_channel_only),
        cmocka_unit_test(apps_and_deactivated_accounts_may_not),
        cmocka_unit_test(one_of_several_workspaces_of_a_person_is_enough),
        cmocka_unit_test(a_shared_channel_can_be_allowed_knowingly),
        cmocka_unit_test(only_what_matters_is_asked_and_all_of_it_at_once),
        cmocka_unit_test(a_workspace_that_is_not_known_is_asked_for_or_refused),
        cmocka_unit_test(what_cannot_be_found_out_is_refused_with_the_reason),
        cmocka_unit_test(membership_in_any_listed_group_is_enough),
        cmocka_unit_test(projects_are_kept_apart_by_channel_once_any_is_named),
        cmocka_unit_test(a_job_is_listed_only_to_those_who_may_know_of_it),
        cmocka_unit_test(entries_that_can_never_match_are_refused),
        cmocka_unit_test(every_refusal_names_the_key_that_would_allow_it),
        cmocka_unit_test(a_person_is_read_from_users_info),
        cmocka_unit_test(an_answer_about_nobody_or_somebody_else_is_none),
        cmocka_unit_test(a_channel_is_read_from_conversations_info),
        cmocka_unit_test(a_group_is_read_from_its_list_of_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
