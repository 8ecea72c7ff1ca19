/* The report document: written again it is the same, and every view of it is fit to be shown. */
#include <string.h>

#include "dbconn/diagnosis/casefile.h"
#include "dbconn/report/chart.h"
#include "dbconn/report/report_json.h"
#include "dbconn/report/terminal.h"
#include "dbconn/slack/modal.h"
#include "dbconn/slack/thread_view.h"
#include "fuzz.h"
#include "show_check.h"

#define NOW INT64_C(1787047320000)
#define JOB "0123456789abcdefgh"

static void check_round_trip(const struct casefile *c)
{
    struct casefile again;
    char *once = report_print(c), *twice;

    FUZZ_CHECK(report_parse(once, strlen(once), &again, NULL) == 0);
    twice = report_print(&again);
    FUZZ_CHECK(strcmp(once, twice) == 0);
    casefile_clear(&again);
    free(once);
    free(twice);
}

static void check_terminal(const struct casefile *c)
{
    struct terminal_options o = { .width = 80, .now_ms = NOW };
    struct buf out = BUF_INIT;

    terminal_report(c, &o, &out);
    show_check_terminal(buf_str(&out));
    buf_reset(&out);
    (void)terminal_live(c, &o, 3, &out);
    show_check_terminal(buf_str(&out));
    buf_reset(&out);
    chart_bars(&c->series, 60, 8, &out);
    show_check_terminal(buf_str(&out));
    buf_clear(&out);
}

static void check_thread(const struct casefile *c, enum job_phase phase, enum progress_style style)
{
    struct thread_input in = { .casefile = c,
                               .phase = phase,
                               .job_id = JOB,
                               .issue = "SHOP-1",
                               .asker_id = SHOW_ASKER,
                               .asker_name = c->issue.title,
                               .command = "/dbconn",
                               .reason = c->issue.title,
                               .asked_ms = NOW,
                               .now_ms = NOW,
                               .real_cause = c->issue.error_line,
                               .options = { .style = style } };
    struct thread_view view;

    thread_view_build(&in, &view);
    for (size_t i = 0; i < view.n; i++) {
        show_check_mrkdwn(view.parts[i].text, true);
        FUZZ_CHECK(strlen(view.parts[i].text) <= 4000);
        FUZZ_CHECK(cJSON_GetArraySize(view.parts[i].blocks) <= 50);
        show_check_blocks(view.parts[i].blocks);
    }
    thread_view_clear(&view);
}

static void check_modals(const struct casefile *c)
{
    size_t pages = modal_details_pages(c);

    for (size_t i = 0; i < pages && i < 3; i++) {
        cJSON *view = modal_details(c, JOB, i);
        show_check_blocks(view);
        cJSON_Delete(view);
    }
    cJSON_Delete(modal_real_cause(c, JOB));
}

void fuzz_report(const uint8_t *data, size_t size)
{
    struct casefile c;
    struct error err = ERROR_INIT;

    if (report_parse((const char *)data, size, &c, &err) == 0) {
        check_round_trip(&c);
        check_terminal(&c);
        check_thread(&c, PHASE_RUNNING, PROGRESS_PLAN);
        check_thread(&c, PHASE_DONE, PROGRESS_PLAN);
        check_thread(&c, PHASE_DONE, PROGRESS_TEXT);
        check_thread(&c, PHASE_FAILED, PROGRESS_BLOCKS);
        check_modals(&c);
    } else {
        FUZZ_CHECK(err.code == ERR_INVALID || err.code == ERR_PROTOCOL);
    }
    error_clear(&err);
    casefile_clear(&c);
}
