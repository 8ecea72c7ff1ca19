/* dbconn run: one investigation in the terminal. */
#include "command.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/app/services.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "dbconn/net/loop.h"
#include "dbconn/playbook/run.h"
#include "dbconn/report/report_json.h"
#include "dbconn/report/terminal.h"

struct terminal {
    struct services *services;
    struct run *run;
    struct terminal_options view;
    struct loop_timer *tick;
    unsigned ticks;
    size_t drawn; /* lines of the live view on the screen */
    bool live, json;
    int exit_code;
};

/* What was put together from harmless pieces, and names that had to stay whole, are redacted here.
 */
static void put(const struct buf *text, FILE *out)
{
    struct buf safe = BUF_INIT;

    redact(buf_str(text), &safe);
    fwrite(buf_str(&safe), 1, safe.len, out);
    fflush(out);
    buf_clear(&safe);
}

static void erase(struct terminal *t)
{
    if (t->drawn)
        fprintf(stderr, "\033[%zuA\033[J", t->drawn);
    t->drawn = 0;
}

static void draw(struct terminal *t)
{
    struct buf text = BUF_INIT;

    erase(t);
    t->view.now_ms = clock_wall_ms();
    t->drawn = terminal_live(run_casefile(t->run), &t->view, t->ticks, &text);
    put(&text, stderr);
    buf_clear(&text);
}

static void on_tick(void *user)
{
    struct terminal *t = user;

    t->ticks++;
    draw(t);
    loop_timer_start(t->tick, 120);
}

static void on_step(struct run *run, const struct step_record *step, void *user)
{
    struct terminal *t = user;
    struct buf text = BUF_INIT;

    if (t->live) {
        if (t->run)
            draw(t);
        return;
    }
    if (step->status == STEP_RUNNING)
        return;
    terminal_step_line(run_casefile(run), step, &t->view, &text);
    put(&text, stderr);
    buf_clear(&text);
}

static void print_error(const struct terminal *t, const struct error *err, const char *source)
{
    fprintf(stderr, "dbconn: %s\n", error_text(err));
    if (t->json) {
        char *text = report_error_print(err, source);
        puts(text);
        free(text);
    }
}

static void on_done(struct run *run, const struct error *err, void *user)
{
    struct terminal *t = user;
    struct buf text = BUF_INIT;

    if (t->live)
        erase(t);
    loop_timer_free(t->tick);
    t->tick = NULL;
    if (err) {
        print_error(t, err, "sentry");
        t->exit_code = EXIT_NOT_DONE;
    } else if (t->json) {
        char *doc = report_print(run_casefile(run));
        puts(doc);
        free(doc);
    } else {
        terminal_report(run_casefile(run), &t->view, &text);
        put(&text, stdout);
    }
    buf_clear(&text);
    uv_stop(&t->services->loop);
}

static int columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void investigate(struct terminal *t, const struct config *config,
                        const struct issue_ref *ref)
{
    t->run = run_new(&(struct run_options){
        .loop = &t->services->loop,
        .playbook = t->services->playbook,
        .sources = &t->services->sources,
        .issue = ref->issue,
        .event = ref->event,
        .now_ms = clock_wall_ms(),
        .budget_ms = config_num(config, "limits.job_seconds") * 1000,
        .step_ms = config_num(config, "limits.step_seconds") * 1000,
        .owner = 1,
        .on_step = on_step,
        .on_done = on_done,
        .user = t,
    });
    if (t->live) {
        t->tick = loop_timer_new(&t->services->loop, on_tick, t);
        loop_timer_start(t->tick, 0);
    }
    run_start(t->run);
    uv_run(&t->services->loop, UV_RUN_DEFAULT);
    run_free(t->run);
}

static int with_services(struct terminal *t, const struct config *config, const char *text)
{
    struct services services;
    struct issue_ref ref = { 0 };
    struct error err = ERROR_INIT;

    if (services_open(config, &services, &err) < 0) {
        print_error(t, &err, "config");
        t->exit_code = EXIT_USAGE;
    } else if (issue_ref_parse(text, config_str(config, "sentry.url"),
                               config_str(config, "sentry.organization"), &ref, &err) < 0) {
        print_error(t, &err, "command");
        t->exit_code = EXIT_NOT_DONE;
    } else {
        /* cppcheck-suppress autoVariables ; only for the time of the call */
        t->services = &services;
        investigate(t, config, &ref);
        t->services = NULL;
    }
    issue_ref_clear(&ref);
    (void)services_close(&services); /* without a socket no thread of libuv is at work */
    error_clear(&err);
    return t->exit_code;
}

static int run(int argc, char **argv)
{
    struct common_options options;
    struct terminal t = { .exit_code = EXIT_OK };
    const char *issue = NULL;
    int exit_code, n = common_options_read(&command_run, argc, argv, &options, &exit_code);

    if (n < 0)
        return exit_code;
    for (int i = 1; i <= n; i++) {
        if (text_same(argv[i], "--json")) {
            t.json = true;
        } else if (argv[i][0] == '-' || issue) {
            fprintf(stderr, "dbconn run: %s was not expected; see dbconn run --help\n", argv[i]);
            return EXIT_USAGE;
        } else {
            issue = argv[i];
        }
    }
    if (!issue) {
        fprintf(stderr, "dbconn run: which issue? For instance: dbconn run SHOP-1A2\n");
        return EXIT_USAGE;
    }
    struct config *config = load_config(&options);
    if (!config)
        return EXIT_USAGE;
    if (text_same(config_source(config, "log.level"), "default"))
        log_set_level(LOG_ERROR); /* somebody looks at a report, not at a log */
    t.live = isatty(STDERR_FILENO) && !t.json;
    t.view = (struct terminal_options){ .width = columns(),
                                        .colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
                                        .now_ms = TIME_UNKNOWN };
    exit_code = with_services(&t, config, issue);
    config_free(config);
    return exit_code;
}

const struct app_command command_run = {
    "run",
    "one investigation in the terminal",
    "Usage: dbconn run ISSUE [--json] [--config FILE]\n"
    "\n"
    "Investigates a Sentry issue and prints the diagnosis.\n"
    "\n"
    "ISSUE is a short id (SHOP-1A2), a numeric id, or any URL of the issue.\n"
    "\n"
    "  --json         print one report document on stdout (config/report.schema.json);\n"
    "                 progress goes to stderr\n"
    "  --config FILE  configuration; environment variables override it\n"
    "\n"
    "Exit code: 0 a diagnosis was reached (also \"inconclusive\" and \"not applicable\"),\n"
    "1 the investigation could not be done, 2 usage or configuration.\n",
    run,
};
