/* A whole investigation whose sources answer anything (transport.h), and all that is shown of it.
 */
#include <string.h>
#include <uv.h>

#include "dbconn/analysis/failure.h"
#include "dbconn/base/json.h"
#include "dbconn/net/loop.h"
#include "dbconn/playbook/run.h"
#include "dbconn/report/report_json.h"
#include "dbconn/report/terminal.h"
#include "dbconn/slack/thread_view.h"
#include "dbconn/sources/elasticsearch.h"
#include "dbconn/sources/github.h"
#include "dbconn/sources/sentry.h"
#include "show_check.h"
#include "transport.h"

#define NOW INT64_C(1787047320000)

/* What is costly to make and never changes. */
struct shared {
    struct failure_reader *reader;
    struct playbook *playbook;
};

static const struct shared *shared(void)
{
    static struct shared kept;

    if (!kept.reader) {
        kept.reader = failure_reader_new();
        FUZZ_CHECK(playbook_builtin(&kept.playbook, NULL) == 0);
    }
    return &kept;
}

static void open_sources(struct http *http, struct sources *ret)
{
    static const struct sentry_options sentry = { .url = "https://sentry.io",
                                                  .org = "acme",
                                                  .token = "sntrys_fuzz" };
    static const struct github_options github = { .url = "https://api.github.com",
                                                  .token = "ghp_fuzz" };
    static const struct es_options es = { .url = "https://logs.example.com:9200",
                                          .api_key = "ZnV6eg==" };

    *ret = (struct sources){ .reader = shared()->reader };
    FUZZ_CHECK(sentry_new(http, &sentry, &ret->sentry, NULL) == 0);
    FUZZ_CHECK(github_new(http, &github, &ret->github, NULL) == 0);
    FUZZ_CHECK(es_new(http, &es, &ret->es, NULL) == 0);
}

static void close_sources(struct sources *s)
{
    sentry_free(s->sentry);
    github_free(s->github);
    es_free(s->es);
}

static void check_shown(const struct casefile *c)
{
    struct terminal_options o = { .width = 100, .now_ms = NOW };
    struct thread_input in = { .casefile = c,
                               .phase = PHASE_DONE,
                               .job_id = "0123456789abcdefgh",
                               .issue = "SHOP-1",
                               .asker_id = SHOW_ASKER,
                               .command = "/dbconn",
                               .asked_ms = NOW,
                               .now_ms = NOW };
    struct thread_view view;
    struct buf out = BUF_INIT;

    terminal_report(c, &o, &out);
    show_check_terminal(buf_str(&out));
    buf_clear(&out);
    thread_view_build(&in, &view);
    for (size_t i = 0; i < view.n; i++) {
        show_check_mrkdwn(view.parts[i].text, true);
        show_check_blocks(view.parts[i].blocks);
    }
    thread_view_clear(&view);
    free(report_print(c));
}

/* A step that is stored and restored is the same. */
static void check_resume(const struct run *run, const struct run_options *options)
{
    struct run *again = run_new(options);
    const struct casefile *c = run_casefile(run);

    for (size_t i = 0; i < c->n_steps; i++) {
        cJSON *doc = run_checkpoint(run, &c->steps[i]);
        run_restore(again, doc);
        cJSON_Delete(doc);
    }
    run_free(again);
}

static void on_done(struct run *run, const struct error *err, void *user)
{
    int *ended = user;

    (void)run;
    FUZZ_CHECK(!err || *error_text(err));
    *ended += err ? 2 : 1;
}

static void investigate(struct http *http, const struct sources *sources, uv_loop_t *loop,
                        const char *issue)
{
    int ended = 0;
    struct run_options options = { .loop = loop,
                                   .playbook = shared()->playbook,
                                   .sources = sources,
                                   .issue = issue,
                                   .now_ms = NOW,
                                   .on_done = on_done,
                                   .user = &ended };
    struct run *run = run_new(&options);

    run_start(run);
    transport_run(http);
    FUZZ_CHECK(ended == 1 || ended == 2);
    if (ended == 1) {
        check_shown(run_casefile(run));
        check_resume(run, &options);
    }
    run_free(run);
}

void fuzz_investigation(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct http *http = transport_new(&in);
    struct sources sources;
    uv_loop_t loop;

    FUZZ_CHECK(uv_loop_init(&loop) == 0);
    open_sources(http, &sources);
    investigate(http, &sources, &loop, "77");
    close_sources(&sources);
    FUZZ_CHECK(loop_finish(&loop));
    transport_free(http);
}
