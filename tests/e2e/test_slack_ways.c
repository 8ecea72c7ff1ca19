/* The ways in and the buttons: what people press, choose, mention and post, who may, and what comes
 * of it when it is done twice. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define RAINER "U0RAINER01"
#define GRACE "U0GRACE001"
#define GUEST "U0GUEST001"
#define PARTNER "U0PARTNER1"
#define SHARED "C0SHARED01"

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

/* The envelope of what was done; heap. */
static char *envelope_of(cJSON *reply)
{
    char *id = xstrdup(json_str(reply, "envelope_id"));

    cJSON_Delete(reply);
    assert_non_null(id);
    return id;
}

/* Waits until it is acknowledged. */
static void done(struct stage *s, cJSON *reply)
{
    char *id = envelope_of(reply);

    wait_until(s, is_acknowledged, id, "the acknowledgement");
    free(id);
}

static void press(struct stage *s, const char *user, const char *action)
{
    done(s, act(s, "/click", "{\"user\":\"%s\",\"action_id\":\"%s\"}", user, action));
}

static void run_to_the_end(struct stage *s)
{
    char *id = type_command(s, INCIDENTS, s->short_id);

    wait_until(s, is_acknowledged, id, "the acknowledgement");
    wait_until(s, job_has_ended, NULL, "the end of the job");
    free(id);
}

/* ---- looking ---- */

/* What a person sees in a channel, their own ephemeral messages too; heap. */
static char *seen_by(struct stage *s, const char *channel, const char *user)
{
    char *path = xasprintf("/transcript?channel=%s&user=%s&times=0", channel, user);
    char *text = control_text(s, path);

    free(path);
    return text;
}

struct sight {
    const char *channel, *user, *text;
};

static bool sees(struct stage *s, const void *arg)
{
    const struct sight *sight = arg;
    char *text = seen_by(s, sight->channel, sight->user);
    bool found = strstr(text, sight->text) != NULL;

    free(text);
    return found;
}

static void wait_for(struct stage *s, const char *user, const char *text)
{
    struct sight sight = { INCIDENTS, user, text };

    wait_until(s, sees, &sight, text);
}

/* The newest open view of that type ("modal", "home"); a copy, or NULL. */
static cJSON *view_of(struct stage *s, const char *type)
{
    cJSON *views = control(s, "/views", NULL), *found = NULL;

    for (const cJSON *v = json_first(views); v; v = v->next) {
        if (!text_same(json_str(json_get(v, "view"), "type"), type))
            continue;
        cJSON_Delete(found);
        found = cJSON_Duplicate(json_get(v, "view"), true);
    }
    cJSON_Delete(views);
    return found;
}

struct wanted_view {
    const char *type, *text;
};

static bool view_shows(struct stage *s, const void *arg)
{
    const struct wanted_view *wanted = arg;
    cJSON *view = view_of(s, wanted->type);
    char *text = view ? json_print(view) : NULL;
    bool shows = text && strstr(text, wanted->text);

    free(text);
    cJSON_Delete(view);
    return shows;
}

/* Its id; heap. */
static char *wait_for_view(struct stage *s, const char *type, const char *text)
{
    struct wanted_view wanted = { type, text };

    wait_until(s, view_shows, &wanted, text);
    cJSON *view = view_of(s, type);
    char *id = xstrdup(json_str(view, "id"));
    cJSON_Delete(view);
    return id;
}

static bool all_are_acknowledged(struct stage *s, const void *arg)
{
    cJSON *envelopes = control(s, "/envelopes", NULL);
    bool all = true, one;

    (void)arg;
    for (const cJSON *e = json_first(envelopes); e; e = e->next)
        all &= json_bool(e, "acknowledged", &one) && one;
    cJSON_Delete(envelopes);
    return all;
}

/* Slack delivers it once more, under a new name, to a process that has not seen it. */
static void deliver_again_after_a_restart(struct stage *s, const char *envelope)
{
    stage_stop_bot(s);
    stage_start_bot(s);
    cJSON_Delete(act(s, "/redeliver", "{\"envelope_id\":\"%s\",\"new_id\":true}", envelope));
    wait_until(s, all_are_acknowledged, NULL, "the acknowledgement of the second delivery");
}

static void close_stage(struct stage *s)
{
    assert_careful(s);
    assert_no_secret(s);
    stage_close(s);
}

/* ---- buttons ---- */

static void cancel_stops_a_running_investigation_once(void **state)
{
    static const char *const slow[] = { "--faults", "{\"sentry\":[{\"latency_ms\":1500}]}", NULL };
    struct stage_options options = { .sandbox_args = slow };
    struct stage s;
    char *id;

    (void)state;
    stage_open(&s, &options);
    id = type_command(&s, INCIDENTS, s.short_id);
    wait_for(&s, GRACE, "Cancel");
    press(&s, GRACE, "dbconn_cancel");
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    wait_for(&s, RAINER, "Cancelled by grace");
    assert_true(stage_log_has(&s, "event=job.end"));
    free(id);
    close_stage(&s);
}

static void rerun_begins_one_more_investigation_however_often_it_is_pressed(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;
    int two = 2;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    cJSON *first = act(&s, "/click", "{\"action_id\":\"dbconn_rerun\"}");
    cJSON *second = act(&s, "/click", "{\"action_id\":\"dbconn_rerun\",\"user\":\"" GRACE "\"}");
    char *pressed = xstrdup(json_str(first, "envelope_id"));
    done(&s, first);
    done(&s, second);
    wait_for(&s, GRACE, "Somebody pressed that already");
    wait_until(&s, jobs_have_ended, &two, "the end of both");
    wait_for(&s, RAINER, "Seen before:");
    deliver_again_after_a_restart(&s, pressed);
    assert_int_equal(count_in_log(&s, "event=job.enqueued"), 2);
    free(pressed);
    close_stage(&s);
}

static void failed_steps_are_asked_again_and_the_answer_changes(void **state)
{
    static const char *const down[] = { "--faults", "{\"elasticsearch\":[{\"status\":403}]}",
                                        NULL };
    struct stage_options options = { .sandbox_args = down };
    struct stage s;
    int two = 2;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    wait_for(&s, RAINER, "Retry failed steps");
    cJSON_Delete(control(&s, "/faults", "{\"elasticsearch\":[]}"));
    press(&s, RAINER, "dbconn_retry_failed");
    wait_until(&s, jobs_have_ended, &two, "the end of the second run");
    assert_does_not_show(&s, "Retry failed steps");
    assert_nothing_twice(&s, INCIDENTS);
    close_stage(&s);
}

static void details_open_in_pages(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;
    char *view;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    press(&s, GRACE, "dbconn_details");
    view = wait_for_view(&s, "modal", "Page 1 of");
    done(&s,
         act(&s, "/click",
             "{\"view_id\":\"%s\",\"user\":\"" GRACE "\",\"action_id\":\"dbconn_details_next\"}",
             view));
    free(view);
    view = wait_for_view(&s, "modal", "Page 2 of");
    free(view);
    close_stage(&s);
}

static void what_people_say_is_counted_under_the_answer(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    press(&s, RAINER, "dbconn_right");
    wait_for(&s, RAINER, "Noted: the answer was right.");
    wait_for(&s, GRACE, "1 person says this is right.");
    press(&s, GRACE, "dbconn_wrong");
    wait_for(&s, RAINER, "1 person says this is wrong.");
    press(&s, GRACE, "dbconn_right"); /* the last word counts */
    wait_for(&s, RAINER, "2 people say this is right.");
    assert_does_not_show(&s, "this is wrong");
    close_stage(&s);
}

static void the_real_cause_is_asked_for_and_kept(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;
    char *view;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    press(&s, RAINER, "dbconn_real_cause");
    view = wait_for_view(&s, "modal", "What was it really?");
    char *id = envelope_of(act(&s, "/submit", "{\"view_id\":\"%s\",\"values\":{}}", view));
    wait_until(&s, is_acknowledged, id, "the acknowledgement");
    char *path = xasprintf("/envelopes?id=%s", id), *answer = control_text(&s, path);
    assert_non_null(strstr(answer, "Please choose one of the causes."));
    done(&s, act(&s, "/submit",
                 "{\"view_id\":\"%s\",\"values\":{\"cause\":{\"cause_choice\":{\"selected_option\":"
                 "{\"value\":\"database_restart\"}}},\"text\":{\"text_input\":{\"value\":"
                 "\"it was patched, PGPASSWORD=hunter22\"}}}}",
                 view));
    wait_for(&s, GRACE, "The real cause, as told:");
    assert_does_not_show(&s, "hunter22");
    free(answer);
    free(path);
    free(id);
    free(view);
    close_stage(&s);
}

static void a_button_of_a_job_that_is_gone_says_so(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    /* The same workspace, a new store: as after the retention. */
    stage_stop_bot(&s);
    char *url = xasprintf("sqlite:%s/other.db", s.dir);
    cJSON_ReplaceItemInObjectCaseSensitive(s.env, "DBCONN_DATABASE_URL", cJSON_CreateString(url));
    free(url);
    stage_start_bot(&s);
    press(&s, RAINER, "dbconn_rerun");
    wait_for(&s, RAINER, "This investigation is too old");
    close_stage(&s);
}

/* ---- who may ---- */

static void guests_and_strangers_are_refused_on_every_way_in(void **state)
{
    static const char *const people[] = { GUEST, PARTNER };
    static const char *const words[] = { "guests may not ask", "another workspace" };
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    for (size_t i = 0; i < ARRAY_LEN(people); i++) {
        done(&s, act(&s, "/command", "{\"user\":\"%s\",\"text\":\"%s\"}", people[i], s.short_id));
        wait_for(&s, people[i], words[i]);
        press(&s, people[i], "dbconn_rerun");
        press(&s, people[i], "dbconn_wrong");
        press(&s, people[i], "dbconn_details");
        done(&s, act(&s, "/mention", "{\"user\":\"%s\",\"text\":\"%s\"}", people[i], s.short_id));
        done(&s, act(&s, "/home", "{\"user\":\"%s\"}", people[i]));
        free(wait_for_view(&s, "home", words[i]));
    }
    assert_int_equal(count_in_log(&s, "event=job.enqueued"), 1);
    assert_int_equal(count_calls(&s, "views.open", 0), 0);
    assert_does_not_show(&s, "this is wrong");
    close_stage(&s);
}

static void a_channel_shared_with_another_company_is_refused(void **state)
{
    static const char *const allowed[] = { "DBCONN_ACCESS_EXTERNAL_CHANNELS=" SHARED, NULL };
    struct stage_options options = { 0 }, knowingly = { .bot_env = allowed };
    struct sight refused = { SHARED, RAINER, "access.external_channels" };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    free(type_command(&s, SHARED, s.short_id));
    wait_until(&s, sees, &refused, "the refusal");
    assert_int_equal(count_messages(&s, SHARED), 0);
    free(type_command(&s, SHARED, "help"));
    refused.text = "Give me a Sentry issue";
    wait_until(&s, sees, &refused, "help");
    close_stage(&s);

    stage_open(&s, &knowingly);
    free(type_command(&s, SHARED, s.short_id));
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    assert_true(count_messages(&s, SHARED) > 0);
    close_stage(&s);
}

static void with_nothing_configured_only_help_is_answered(void **state)
{
    static const char *const nobody[] = { "DBCONN_ACCESS_ALLOW=", NULL };
    struct stage_options options = { .bot_env = nobody };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    free(type_command(&s, INCIDENTS, "help"));
    wait_for(&s, RAINER, "Give me a Sentry issue");
    free(type_command(&s, INCIDENTS, s.short_id));
    wait_for(&s, RAINER, "`DBCONN_ACCESS_ALLOW`");
    assert_int_equal(count_messages(&s, INCIDENTS), 0);
    close_stage(&s);
}

static void a_user_group_admits_its_members(void **state)
{
    static const char *const group[] = { "DBCONN_ACCESS_ALLOW=S0ONCALL01", NULL };
    struct stage_options options = { .bot_env = group };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    done(&s, act(&s, "/command", "{\"user\":\"" GUEST "\",\"text\":\"status\"}"));
    wait_for(&s, GUEST, "guests may not ask");
    done(&s, act(&s, "/command", "{\"user\":\"" GRACE "\",\"text\":\"status\"}"));
    wait_for(&s, GRACE, "Nothing runs and nothing waits.");
    done(&s, act(&s, "/command", "{\"user\":\"" GRACE "\",\"text\":\"status\"}"));
    assert_int_equal(count_calls(&s, "usergroups.users.list", 0), 1); /* known for some minutes */
    close_stage(&s);
}

static void what_cannot_be_found_out_is_refused_and_says_what_is_missing(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    cJSON_Delete(control(&s, "/config",
                         "{\"scopes\":\"commands,chat:write,chat:write.public,channels:read\"}"));
    stage_start_bot(&s);
    free(type_command(&s, INCIDENTS, s.short_id));
    wait_for(&s, RAINER, "users:read");
    assert_int_equal(count_messages(&s, INCIDENTS), 0);
    close_stage(&s);
}

static void a_project_of_another_channel_is_not_shown(void **state)
{
    static const char *const apart[] = { "DBCONN_ACCESS_PROJECTS=C0SECRET01=*", NULL };
    struct stage_options options = { .bot_env = apart };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    assert_shows(&s, "may not be looked at from this channel");
    assert_does_not_show(&s, "refused");
    assert_does_not_show(&s, "confidence");
    press(&s, RAINER, "dbconn_rerun");
    free(type_command(&s, "C0SECRET01", s.short_id));
    struct sight there = { "C0SECRET01", RAINER, "confidence" };
    wait_until(&s, sees, &there, "the answer where it may be looked at");
    /* Who reads elsewhere does not learn of it either. */
    done(&s, act(&s, "/command", "{\"user\":\"" GRACE "\",\"text\":\"history %s\"}", s.short_id));
    char *text = seen_by(&s, INCIDENTS, GRACE);
    assert_null(strstr(text, "confidence"));
    free(text);
    close_stage(&s);
}

/* ---- the audit log ---- */

static char *audit(struct stage *s, const char *what)
{
    const char *args[] = { "audit", what, NULL };
    int code;
    char *text = stage_run(s, args, &code);

    if (code != 0)
        fail_msg("dbconn audit %s ended with %d: %s", what, code, text);
    return text;
}

static void every_request_but_help_is_in_the_audit_log_and_the_log_is_sound(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    free(type_command(&s, INCIDENTS, "help"));
    wait_for(&s, RAINER, "Give me a Sentry issue");
    done(&s, act(&s, "/command", "{\"user\":\"" GUEST "\",\"text\":\"%s\"}", s.short_id));
    wait_for(&s, GUEST, "guests may not ask");
    run_to_the_end(&s);
    press(&s, GRACE, "dbconn_right");
    done(&s, act(&s, "/home", "{\"user\":\"" GRACE "\"}"));
    stage_stop_bot(&s);
    char *list = audit(&s, "list"), *lines = audit(&s, "export"), *said = audit(&s, "verify");
    static const char *const wanted[] = {
        "\"who\":\"" GUEST "\"",
        "\"outcome\":\"refused\"}",
        "\"outcome\":\"taken\",\"job\":\"",
        "\"sources\":[\"sentry\",\"github\",\"elasticsearch\"]",
        "\"outcome\":\"done\"",
        "\"what\":\"dbconn_right\"",
        "\"what\":\"home\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (!strstr(lines, wanted[i]))
            fail_msg("%s is not in the audit log:\n%s", wanted[i], lines);
    assert_null(strstr(lines, "help"));
    assert_non_null(strstr(list, "investigate"));
    assert_non_null(strstr(said, "unchanged and without a gap"));
    free(list);
    free(lines);
    free(said);
    close_stage(&s);
}

/* ---- mentions, shortcuts, alerts, the home ---- */

static void a_mention_is_answered_once_below_it(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;
    int in_channel = 0;

    (void)state;
    stage_open(&s, &options);
    /* Slack tells of it twice, as a message and as a mention. */
    cJSON *reply = act(&s, "/mention", "{\"text\":\"please look at %s\"}", s.short_id);
    char *ts = xstrdup(json_str(reply, "ts")), *id = envelope_of(reply);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    deliver_again_after_a_restart(&s, id);
    cJSON *channel = control(&s, "/state?channel=" INCIDENTS, NULL);
    for (const cJSON *m = json_items(channel, "messages"); m; m = m->next)
        in_channel += json_str(m, "bot_id") && !text_same(json_str(m, "thread_ts"), ts);
    assert_int_equal(in_channel, 0);
    assert_shows(&s, "confidence");
    assert_shows(&s, "Asked by rainer");
    assert_int_equal(count_in_log(&s, "event=job.enqueued"), 1);
    assert_nothing_twice(&s, INCIDENTS);
    done(&s, act(&s, "/mention", "{\"text\":\"thank you!\"}"));
    wait_for(&s, RAINER, "names no Sentry issue");
    cJSON_Delete(channel);
    free(id);
    free(ts);
    close_stage(&s);
}

/* An alert as Sentry's app posts it; its ts, heap. */
static char *post_alert(struct stage *s)
{
    const cJSON *env = json_get(s->start, "env");
    cJSON *reply = act(s, "/message",
                       "{\"bot_id\":\"B0SENTRY01\",\"attachments\":[{\"title\":\"ConnectionError\","
                       "\"title_link\":\"%s/organizations/%s/issues/%s/?referrer=slack\"}]}",
                       json_str(env, "SENTRY_URL"), json_str(env, "SENTRY_ORG"), s->short_id);
    char *ts = xstrdup(json_str(reply, "ts"));

    cJSON_Delete(reply);
    return ts;
}

static void the_shortcut_diagnoses_the_alert_it_is_used_on(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    char *ts = post_alert(&s);
    assert_int_equal(count_in_log(&s, "event=job.enqueued"), 0); /* not by itself */
    done(&s, act(&s, "/shortcut", "{\"ts\":\"%s\",\"callback_id\":\"dbconn_diagnose\"}", ts));
    wait_for(&s, RAINER, "I am on it");
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    assert_shows(&s, "confidence");
    cJSON *other = act(&s, "/message", "{\"text\":\"lunch?\"}");
    done(&s, act(&s, "/shortcut", "{\"ts\":\"%s\",\"callback_id\":\"dbconn_diagnose\"}",
                 json_str(other, "ts")));
    wait_for(&s, RAINER, "I found no link to a Sentry issue");
    cJSON_Delete(other);
    free(ts);
    close_stage(&s);
}

static void an_alert_starts_by_itself_where_that_is_wanted_and_once(void **state)
{
    static const char *const here[] = { "DBCONN_AUTO_CHANNELS=" INCIDENTS, NULL };
    struct stage_options options = { .bot_env = here };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    free(post_alert(&s));
    free(post_alert(&s));
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    free(post_alert(&s));
    done(&s, act(&s, "/command", "{\"text\":\"status\"}")); /* after it in the same line */
    wait_for(&s, RAINER, "Nothing runs and nothing waits.");
    assert_int_equal(count_in_log(&s, "event=job.enqueued"), 1);
    assert_shows(&s, "Started by itself");
    assert_shows(&s, "confidence");
    close_stage(&s);
}

static void an_alert_about_something_else_stays_without_an_answer(void **state)
{
    static const char *const here[] = { "DBCONN_AUTO_CHANNELS=" INCIDENTS, NULL };
    struct stage_options options = { .scenario = "not-applicable", .bot_env = here };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    free(post_alert(&s));
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    assert_true(stage_log_has(&s, "cause=\"not_applicable\""));
    assert_int_equal(count_calls(&s, "chat.postMessage", 0), 0);
    close_stage(&s);
}

static void the_home_shows_what_was_found(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    run_to_the_end(&s);
    done(&s, act(&s, "/home", "{\"user\":\"" GRACE "\"}"));
    free(wait_for_view(&s, "home", s.short_id));
    close_stage(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_stops_a_running_investigation_once),
        cmocka_unit_test(rerun_begins_one_more_investigation_however_often_it_is_pressed),
        cmocka_unit_test(failed_steps_are_asked_again_and_the_answer_changes),
        cmocka_unit_test(details_open_in_pages),
        cmocka_unit_test(what_people_say_is_counted_under_the_answer),
        cmocka_unit_test(the_real_cause_is_asked_for_and_kept),
        cmocka_unit_test(a_button_of_a_job_that_is_gone_says_so),
        cmocka_unit_test(guests_and_strangers_are_refused_on_every_way_in),
        cmocka_unit_test(a_channel_shared_with_another_company_is_refused),
        cmocka_unit_test(with_nothing_configured_only_help_is_answered),
        cmocka_unit_test(a_user_group_admits_its_members),
        cmocka_unit_test(what_cannot_be_found_out_is_refused_and_says_what_is_missing),
        cmocka_unit_test(a_project_of_another_channel_is_not_shown),
        cmocka_unit_test(every_request_but_help_is_in_the_audit_log_and_the_log_is_sound),
        cmocka_unit_test(a_mention_is_answered_once_below_it),
        cmocka_unit_test(the_shortcut_diagnoses_the_alert_it_is_used_on),
        cmocka_unit_test(an_alert_starts_by_itself_where_that_is_wanted_and_once),
        cmocka_unit_test(an_alert_about_something_else_stays_without_an_answer),
        cmocka_unit_test(the_home_shows_what_was_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
