/* The playbook: what was accepted can be linted and weighs any board. */
#include <string.h>

#include "app/playbook_lint.h"
#include "dbconn/base/json.h"
#include "dbconn/diagnosis/evidence.h"
#include "dbconn/playbook/playbook.h"
#include "dbconn/playbook/run.h"
#include "fuzz.h"

#define NOW INT64_C(1787047320000)

static struct evidence *board_with_facts(void)
{
    struct evidence *board = evidence_new();

    evidence_set_str(board, "issue_details", "trend.kind", "bounded", "It ended.", NULL);
    evidence_set_num(board, "issue_details", "trend.bursts", 3, NULL, NULL);
    evidence_set_num(board, "issue_details", "trend.onset", (double)NOW, NULL, NULL);
    evidence_set_bool(board, "log_search", "server.down", true, "The server stopped.", NULL);
    evidence_set_unknown(board, "log_search", "logs.looked", "The logs were not there.");
    return board;
}

static void weigh(const struct playbook *p)
{
    struct casefile c;
    struct evidence *board = board_with_facts();

    casefile_init(&c);
    run_evaluate(p, board, NOW, &c);
    FUZZ_CHECK(c.diagnosis.reached && c.diagnosis.cause < CAUSE_COUNT);
    FUZZ_CHECK(c.diagnosis.summary);
    casefile_clear(&c);
    evidence_free(board);
}

static void lint(const char *text)
{
    struct playbook *builtin;
    struct jsonc doc = { 0 };
    struct buf out = BUF_INIT;

    FUZZ_CHECK(playbook_builtin(&builtin, NULL) == 0);
    FUZZ_CHECK(jsonc_parse("playbook.json", text, &doc, NULL) == 0);
    FUZZ_CHECK((playbook_lint(&doc, builtin, &out) > 0) == (out.len > 0));
    jsonc_clear(&doc);
    buf_clear(&out);
    playbook_unref(builtin);
}

void fuzz_playbook(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct error err = ERROR_INIT;
    struct playbook *p = NULL;
    char *text = fuzz_rest(&in);

    if (playbook_parse("playbook.json", text, &p, &err) == 0) {
        FUZZ_CHECK(p->n_steps > 0 && p->n_steps <= PLAYBOOK_MAX_STEPS);
        weigh(p);
        lint(text);
        playbook_unref(p);
    } else {
        FUZZ_CHECK(err.code == ERR_CONFIG && *error_text(&err));
    }
    error_clear(&err);
    free(text);
}
