/*
 * Golden transcripts (tests/golden/thread/<case>.in.json: a report document with the job's state
 * in "view") and the rules that every thread keeps: Slack's limits, one mention, nothing active
 * from outside. UPDATE_GOLDEN=1 rewrites the expected files; the diff is the review.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/report/report_json.h"
#include "dbconn/slack/modal.h"
#include "dbconn/slack/thread_view.h"
#include "dbconn/diagnosis/casefile.h"
#include "slack_limits.h"
#include "slack_transcript.h"

#define GOLDEN "tests/golden/thread"

struct golden_case {
    cJSON *doc;
    struct casefile casefile;
    struct seen_before before;
    struct thread_input input;
};

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct buf text = BUF_INIT;
    char chunk[4096];
    size_t n;

    if (!f)
        return NULL;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(&text, chunk, n);
    fclose(f);
    return text.data ? buf_take(&text) : xstrdup("");
}

static enum job_phase phase_of(const char *name)
{
    static const char *const names[] = {
        "queued", "running", "done", "failed", "cancelled", "dead"
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0)
            return (enum job_phase)i;
    }
    fail_msg("unknown phase %s", name);
    return PHASE_QUEUED;
}

static struct thread_options options_of(const cJSON *options)
{
    const char *style = json_str_or(options, "style", "plan");
    struct thread_options o = { .style = strcmp(style, "text") == 0     ? PROGRESS_TEXT
                                         : strcmp(style, "blocks") == 0 ? PROGRESS_BLOCKS
                                                                        : PROGRESS_PLAN };
    const char *chart = json_str_or(options, "chart", "auto");
    o.chart = strcmp(chart, "image") == 0  ? CHART_PICTURE
              : strcmp(chart, "text") == 0 ? CHART_TEXT
                                           : CHART_BLOCK;
    (void)json_bool(options, "quiet", &o.quiet);
    (void)json_bool(options, "at_most_once", &o.at_most_once);
    (void)json_bool(options, "broadcast", &o.reply_broadcast);
    return o;
}

static void take_before(struct golden_case *g, const cJSON *before)
{
    if (!before)
        return;
    g->before = (struct seen_before){ .at_ms = json_time(before, "at"),
                                      .issue = json_str(before, "issue"),
                                      .verdict = json_str(before, "verdict"),
                                      .judged = json_str(before, "judged"),
                                      .permalink = json_str(before, "permalink") };
    g->input.before = &g->before;
}

static void case_open(struct golden_case *g, const char *path)
{
    struct error err = ERROR_INIT;
    char *text = read_file(path);
    const cJSON *view;
    int64_t ahead = 0, attempts = 0, right = 0;

    *g = (struct golden_case){ 0 };
    assert_non_null(text);
    if (json_parse(text, strlen(text), path, &g->doc, &err) < 0 ||
        report_from_json(g->doc, &g->casefile, &err) < 0)
        fail_msg("%s: %s", path, error_text(&err));
    free(text);
    view = json_get(g->doc, "view");
    (void)json_i64(view, "ahead", &ahead);
    (void)json_i64(view, "attempts", &attempts);
    (void)json_i64(json_get(view, "feedback"), "right", &right);
    g->input = (struct thread_input){ .casefile = &g->casefile,
                                      .phase = phase_of(json_str_or(view, "phase", "done")),
                                      .ahead = (size_t)ahead,
                                      .job_id = "01J5T3KQ2V",
                                      .issue = json_str_or(view, "issue", "SHOP-1A2"),
                                      .asker_id = json_str(view, "asker_id"),
                                      .asker_name = json_str(view, "asker_name"),
                                      .command = "/dbconn",
                                      .reason = json_str(view, "reason"),
                                      .cancelled_by = json_str(view, "cancelled_by"),
                                      .attempts = (int)attempts,
                                      .asked_ms = json_time(view, "asked_at"),
                                      .now_ms = json_time(view, "now"),
                                      .said_right = (int)right,
                                      .options = options_of(json_get(view, "options")) };
    take_before(g, json_get(view, "before"));
}

static void case_close(struct golden_case *g)
{
    casefile_clear(&g->casefile);
    cJSON_Delete(g->doc);
}

static void compare_file(const char *path, const char *got)
{
    char *want;

    if (getenv("UPDATE_GOLDEN")) {
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        assert_int_equal(fwrite(got, 1, strlen(got), f), strlen(got));
        fclose(f);
        return;
    }
    want = read_file(path);
    if (!want)
        fail_msg("%s is missing; UPDATE_GOLDEN=1 writes it", path);
    if (strcmp(want, got) != 0)
        fail_msg("%s differs; UPDATE_GOLDEN=1 rewrites it. Got:\n%s", path, got);
    free(want);
}

/* One block a line, so that a difference can be read. */
static char *blocks_of(const struct thread_view *view)
{
    struct buf text = BUF_INIT;

    for (size_t i = 0; i < view->n; i++) {
        buf_addf(&text, "%s\"%s\":[", i ? "],\n" : "{", part_name(view->parts[i].id));
        for (const cJSON *b = json_first(view->parts[i].blocks); b; b = b->next) {
            char *block = json_print(b);
            buf_addf(&text, "\n %s%s", block, b->next ? "," : "");
            free(block);
        }
    }
    buf_adds(&text, "]}\n");
    return buf_take(&text);
}

typedef void case_fn(const char *name, struct golden_case *g);

static void each_case(case_fn *fn)
{
    struct dirent **names;
    int n = scandir(GOLDEN, &names, NULL, alphasort);
    size_t cases = 0;

    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        char *end = strstr(names[i]->d_name, ".in.json");
        if (end) {
            char *path = xasprintf("%s/%s", GOLDEN, names[i]->d_name);
            struct golden_case g;
            case_open(&g, path);
            *end = '\0';
            fn(names[i]->d_name, &g);
            case_close(&g);
            free(path);
            cases++;
        }
        free(names[i]);
    }
    free(names);
    assert_true(cases >= CAUSE_COUNT);
}

static void compare_case(const char *name, struct golden_case *g)
{
    char *out = xasprintf("%s/%s.out", GOLDEN, name);
    char *json = xasprintf("%s/%s.blocks.json", GOLDEN, name);
    struct buf transcript = BUF_INIT;
    struct thread_view view;
    char *blocks;

    thread_view_build(&g->input, &view);
    show_thread(&view, &transcript);
    blocks = blocks_of(&view);
    compare_file(out, buf_str(&transcript));
    compare_file(json, blocks);
    thread_view_clear(&view);
    buf_clear(&transcript);
    free(blocks);
    free(out);
    free(json);
}

static void every_golden_thread_is_as_reviewed(void **state)
{
    (void)state;
    each_case(compare_case);
}

/* docs.slack.dev/reference/methods/files.getUploadURLExternal: alt_txt at most 1,000. */
static void check_picture(const struct thread_part *p)
{
    assert_true((p->id == PART_CHART) == (p->picture != NULL));
    if (!p->picture)
        return;
    assert_in_range(strlen(p->picture->alt), 20, 1000);
    assert_non_null(strstr(p->picture->name, "01J5T3KQ2V")); /* it is found again by its name */
    assert_true(p->picture->series.n_counts > 0);
}

static void check_limits(const char *name, struct golden_case *g)
{
    struct thread_view view;

    for (int style = PROGRESS_PLAN; style <= PROGRESS_TEXT; style++) {
        g->input.options.style = (enum progress_style)style;
        thread_view_build(&g->input, &view);
        for (size_t i = 0; i < view.n; i++) {
            const struct thread_part *p = &view.parts[i];
            const char *problem = message_problem(p->text, p->blocks);
            if (problem)
                fail_msg("%s, style %d, %s: %s", name, style, part_name(p->id), problem);
            assert_true((style == PROGRESS_TEXT || p->picture) ==
                        (cJSON_GetArraySize(p->blocks) == 0));
            check_picture(p);
        }
        thread_view_clear(&view);
    }
}

static void every_message_keeps_slacks_limits_in_every_style(void **state)
{
    (void)state;
    each_case(check_limits);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
        n++;
    return n;
}

static void check_mentions(const char *name, struct golden_case *g)
{
    struct thread_view view;
    size_t mentions = 0, texts = 0;

    thread_view_build(&g->input, &view);
    for (size_t i = 0; i < view.n; i++) {
        char *blocks = json_print(view.parts[i].blocks);
        size_t users = count(blocks, "\"user_id\"");
        if (view.parts[i].id != PART_ANSWER && users + count(view.parts[i].text, "<@") > 0)
            fail_msg("%s: a mention in %s", name, part_name(view.parts[i].id));
        mentions += users;
        texts += count(view.parts[i].text, "<@");
        free(blocks);
    }
    bool ended = g->input.phase != PHASE_QUEUED && g->input.phase != PHASE_RUNNING;
    bool wanted = ended && !g->input.options.quiet;
    assert_int_equal(texts, wanted ? 1 : 0);
    if (g->input.options.style != PROGRESS_TEXT)
        assert_int_equal(mentions, wanted ? 1 : 0);
    thread_view_clear(&view);
}

static void the_asker_is_mentioned_once_and_only_in_the_answer(void **state)
{
    (void)state;
    each_case(check_mentions);
}

static void check_others(const char *name, struct golden_case *g)
{
    struct thread_view view;

    if (g->input.phase != PHASE_DONE)
        return;
    g->input.also[g->input.n_also++] = "S0ONCALL01";
    if (g->input.asker_id)
        g->input.also[g->input.n_also++] = g->input.asker_id; /* mentioned already */
    for (int quiet = 0; quiet <= 1; quiet++) {
        g->input.options.quiet = quiet;
        thread_view_build(&g->input, &view);
        for (size_t i = 0; i < view.n; i++) {
            size_t wanted = view.parts[i].id == PART_ANSWER && !quiet;
            if (count(view.parts[i].text, "<!subteam^S0ONCALL01>") != wanted ||
                count(view.parts[i].text, "<@") > wanted)
                fail_msg("%s: %s: %s", name, part_name(view.parts[i].id), view.parts[i].text);
        }
        thread_view_clear(&view);
    }
}

static void others_are_mentioned_once_and_never_in_quiet_hours(void **state)
{
    (void)state;
    each_case(check_others);
}

/* Every "<" that Slack would read must be one of ours: a date, a link, the asker. */
static void check_inert(const char *text)
{
    for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        bool ours = text_starts(at, "<!date^") || text_starts(at, "<https://") ||
                    text_starts(at, "<@U0AVERY1>");
        if (!ours)
            fail_msg("active mark-up from outside: %.60s", at);
    }
    assert_null(strstr(text, "``"));
    assert_null(strstr(text, "\xE2\x80\xAE")); /* right-to-left override */
    assert_null(strstr(text, "\xE2\x80\x8B")); /* zero-width space */
    assert_true(text_is_utf8(text, strlen(text)));
}

static void check_inert_mrkdwn(const cJSON *item)
{
    if (text_same(json_str(item, "type"), "mrkdwn"))
        check_inert(json_str_or(item, "text", ""));
    if (text_same(json_str(item, "type"), "link") || text_same(json_str(item, "type"), "button"))
        assert_true(!json_str(item, "url") || text_starts(json_str(item, "url"), "https://"));
    for (const cJSON *child = item->child; child; child = child->next)
        check_inert_mrkdwn(child);
}

static void text_from_outside_stays_text(void **state)
{
    struct golden_case g;
    struct thread_view view;

    (void)state;
    case_open(&g, GOLDEN "/hostile.in.json");
    xreplace(&g.casefile.steps[0].title, "<!channel> \x1B[31m\xE2\x80\xAE<@U012345>");
    for (int style = PROGRESS_PLAN; style <= PROGRESS_TEXT; style++) {
        g.input.options.style = (enum progress_style)style;
        thread_view_build(&g.input, &view);
        for (size_t i = 0; i < view.n; i++) {
            char *blocks = json_print(view.parts[i].blocks);
            check_inert(view.parts[i].text);
            check_inert_mrkdwn(view.parts[i].blocks);
            assert_null(strstr(blocks, "javascript:"));
            assert_null(strstr(blocks, "\xE2\x80\xAE"));
            assert_null(strstr(blocks, "@evil.example/\""));
            free(blocks);
        }
        thread_view_clear(&view);
    }
    for (size_t page = 0; page < modal_details_pages(&g.casefile); page++) {
        cJSON *modal = modal_details(&g.casefile, g.input.job_id, page);
        char *text = json_print(modal);
        assert_null(strstr(text, "\\u001b"));
        assert_null(strstr(text, "\xE2\x80\xAE"));
        free(text);
        cJSON_Delete(modal);
    }
    case_close(&g);
}

/* A casefile in which everything is too long and too much. */
static void make_huge(struct casefile *c)
{
    struct buf text = BUF_INIT;

    for (int i = 0; i < 40; i++)
        buf_adds(&text, "The server said something long, <&> and it goes on. ");
    char *url = xasprintf("https://logs.example/%0900d", 1);
    for (int i = 0; i < 200; i++) {
        struct diagnosis *d = &c->diagnosis;
        finding_add(&d->evidence, &d->n_evidence, &d->cap_evidence, buf_str(&text), url);
        finding_add(&d->against, &d->n_against, &d->cap_against, buf_str(&text), url);
        string_add(&d->missing, &d->n_missing, &d->cap_missing, buf_str(&text));
        string_add(&d->next_actions, &d->n_next_actions, &d->cap_next_actions, buf_str(&text));
        for (size_t s = 0; s < c->n_steps; s++)
            finding_add(&c->steps[s].findings, &c->steps[s].n_findings, &c->steps[s].cap_findings,
                        buf_str(&text), url);
    }
    for (size_t i = 0; i < c->diagnosis.n_rules; i++)
        xreplace(&c->diagnosis.rules[i].why, buf_str(&text));
    for (size_t s = 0; s < c->n_steps; s++)
        xreplace(&c->steps[s].summary, buf_str(&text));
    xreplace(&c->diagnosis.summary, buf_str(&text));
    xreplace(&c->issue.error_line, buf_str(&text));
    for (int i = 0; i < 50; i++)
        *VEC_ADD(c->series.markers, c->series.n_markers, c->series.cap_markers) =
            (struct series_marker){ c->evaluated_ms - HOUR_MS, xstrdup(buf_str(&text)) };
    free(url);
    buf_clear(&text);
}

static void too_much_is_cut_and_says_so(void **state)
{
    struct golden_case g;
    struct thread_view view;

    (void)state;
    case_open(&g, GOLDEN "/database_down.in.json");
    make_huge(&g.casefile);
    check_limits("huge", &g);
    g.input.options.style = PROGRESS_PLAN;
    thread_view_build(&g.input, &view);
    assert_int_equal(view.n, 4);
    for (size_t i = 1; i < view.n; i++) {
        char *blocks = json_print(view.parts[i].blocks);
        assert_non_null(strstr(blocks, "more"));
        assert_non_null(strstr(blocks, "Details"));
        free(blocks);
    }
    /* What must not be missing: the action in bold, and all buttons. */
    char *answer = json_print(view.parts[2].blocks);
    assert_non_null(strstr(answer, "Do now:"));
    assert_non_null(strstr(answer, "dbconn_real_cause"));
    assert_non_null(strstr(answer, "dbconn_rerun"));
    assert_non_null(strstr(answer, "data_visualization"));
    assert_non_null(strstr(view.parts[2].text, "*Do now: "));
    free(answer);
    thread_view_clear(&view);
    case_close(&g);
}

static void the_modal_shows_everything_in_pages(void **state)
{
    struct golden_case g;
    size_t found = 0;

    (void)state;
    case_open(&g, GOLDEN "/database_down.in.json");
    make_huge(&g.casefile);
    size_t pages = modal_details_pages(&g.casefile);
    assert_true(pages > 10);
    for (size_t page = 0; page < pages; page++) {
        cJSON *view = modal_details(&g.casefile, "01J5T3KQ2V", page);
        char *text = json_print(view);
        const char *problem = modal_problem(view);
        if (problem)
            fail_msg("page %zu: %s", page, problem);
        found += count(text, "logs.example/00");
        free(text);
        cJSON_Delete(view);
    }
    assert_int_equal(found, 200 * (2 + g.casefile.n_steps)); /* every finding, once */
    case_close(&g);
}

static void a_page_button_leads_to_its_neighbour(void **state)
{
    struct buf job = BUF_INIT;
    size_t page = 0;

    (void)state;
    assert_true(modal_page_parse("01J5T3KQ2V:12", &job, &page));
    assert_string_equal(buf_str(&job), "01J5T3KQ2V");
    assert_int_equal(page, 12);
    assert_false(modal_page_parse("01J5T3KQ2V", &job, &page));
    assert_false(modal_page_parse("01J5T3KQ2V:", &job, &page));
    assert_false(modal_page_parse(":3", &job, &page));
    assert_false(modal_page_parse("a:1x", &job, &page));
    assert_false(modal_page_parse("a:99999999", &job, &page));
    assert_false(modal_page_parse(NULL, &job, &page));
    buf_clear(&job);
}

static void the_real_cause_can_be_told(void **state)
{
    static const char submitted[] =
        "{\"private_metadata\":\"J1\",\"state\":{\"values\":{\"cause\":{\"cause_choice\":"
        "{\"selected_option\":{\"value\":\"database_restart\"}}},\"text\":{\"text_input\":"
        "{\"value\":\"it was\\u202e the backup\"}}}}}";
    struct error err = ERROR_INIT;
    struct buf job = BUF_INIT, text = BUF_INIT;
    struct golden_case g;
    enum cause cause;
    cJSON *view;

    (void)state;
    case_open(&g, GOLDEN "/database_down.in.json");
    view = modal_real_cause(&g.casefile, "J1");
    assert_null(modal_problem(view));
    for (int c = 0; c < CAUSE_COUNT; c++) {
        char *printed = json_print(view);
        char *value = xasprintf("\"value\":\"%s\"", cause_name((enum cause)c));
        assert_non_null(strstr(printed, value));
        free(printed);
        free(value);
    }
    cJSON_Delete(view);
    view = cJSON_Parse(submitted);
    assert_int_equal(modal_read_real_cause(view, &cause, &job, &text, &err), 0);
    assert_int_equal(cause, CAUSE_DATABASE_RESTART);
    assert_string_equal(buf_str(&job), "J1");
    assert_string_equal(buf_str(&text), "it was the backup");
    cJSON_DeleteItemFromObject(cJSON_GetObjectItem(cJSON_GetObjectItem(view, "state"), "values"),
                               "cause");
    assert_int_equal(modal_read_real_cause(view, &cause, &job, &text, &err), -1);
    cJSON *answer = modal_real_cause_error(&err);
    assert_string_equal(json_str(json_get(answer, "errors"), "cause"),
                        "Please choose one of the causes.");
    cJSON_Delete(answer);
    cJSON_Delete(view);
    case_close(&g);
    buf_clear(&job);
    buf_clear(&text);
    error_clear(&err);
}

static void the_hash_changes_with_the_content_only(void **state)
{
    struct golden_case g;
    struct thread_view a, b, c;

    (void)state;
    case_open(&g, GOLDEN "/state_running.in.json");
    g.input.now_ms = g.casefile.steps[1].started_ms + 11 * SECOND_MS;
    thread_view_build(&g.input, &a);
    g.input.now_ms += 5 * SECOND_MS;
    thread_view_build(&g.input, &b);
    g.input.now_ms += 5 * SECOND_MS;
    thread_view_build(&g.input, &c);
    assert_int_equal(strlen(a.parts[1].hash), 16);
    assert_string_equal(a.parts[1].hash, b.parts[1].hash); /* a sign of life every 10 s */
    assert_string_not_equal(b.parts[1].hash, c.parts[1].hash);
    assert_string_equal(a.parts[0].hash, c.parts[0].hash); /* the channel message stays */
    const cJSON *payload = json_get(a.parts[1].metadata, "event_payload");
    assert_string_equal(json_str(a.parts[1].metadata, "event_type"), "dbconn_part");
    assert_string_equal(json_str(payload, "part"), "plan");
    assert_string_equal(json_str(payload, "hash"), a.parts[1].hash);
    assert_false(a.parts[1].settled);
    thread_view_clear(&a);
    thread_view_clear(&b);
    thread_view_clear(&c);
    case_close(&g);
}

static void a_done_job_without_a_diagnosis_is_shown_as_failed(void **state)
{
    struct thread_input in = { .phase = PHASE_DONE,
                               .job_id = "J1",
                               .issue = "SHOP-1",
                               .asked_ms = TIME_UNKNOWN,
                               .now_ms = TIME_UNKNOWN };
    struct thread_view view;

    (void)state;
    thread_view_build(&in, &view);
    assert_int_equal(view.n, 2);
    assert_non_null(strstr(view.parts[0].text, "Could not look into"));
    thread_view_clear(&view);
}

/* Slack refuses a plan without cards. */
static void there_is_no_plan_before_there_are_steps(void **state)
{
    struct thread_input in = { .phase = PHASE_RUNNING,
                               .job_id = "J1",
                               .issue = "SHOP-1",
                               .asked_ms = TIME_UNKNOWN,
                               .now_ms = TIME_UNKNOWN };
    struct casefile empty;
    struct thread_view view;

    (void)state;
    thread_view_build(&in, &view);
    assert_int_equal(view.n, 1);
    thread_view_clear(&view);
    casefile_init(&empty);
    in.casefile = &empty;
    thread_view_build(&in, &view);
    assert_int_equal(view.n, 1);
    thread_view_clear(&view);
}

static void button_and_part_names_lead_back(void **state)
{
    enum button_action b;
    enum part_id p;

    (void)state;
    for (int i = 0; i < BUTTON_COUNT; i++) {
        assert_true(button_parse(button_action_id((enum button_action)i), &b));
        assert_int_equal(b, i);
    }
    for (int i = 0; i < PART_COUNT; i++) {
        assert_true(part_parse(part_name((enum part_id)i), &p));
        assert_int_equal(p, i);
    }
    assert_false(button_parse("other", &b));
    assert_false(part_parse(NULL, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_thread_is_as_reviewed),
        cmocka_unit_test(every_message_keeps_slacks_limits_in_every_style),
        cmocka_unit_test(the_asker_is_mentioned_once_and_only_in_the_answer),
        cmocka_unit_test(others_are_mentioned_once_and_never_in_quiet_hours),
        cmocka_unit_test(text_from_outside_stays_text),
        cmocka_unit_test(too_much_is_cut_and_says_so),
        cmocka_unit_test(the_modal_shows_everything_in_pages),
        cmocka_unit_test(a_page_button_leads_to_its_neighbour),
        cmocka_unit_test(the_real_cause_can_be_told),
        cmocka_unit_test(the_hash_changes_with_the_content_only),
        cmocka_unit_test(a_done_job_without_a_diagnosis_is_shown_as_failed),
        cmocka_unit_test(there_is_no_plan_before_there_are_steps),
        cmocka_unit_test(button_and_part_names_lead_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
