#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/log.h"
#include "dbconn/base/redact.h"

struct stand {
    char folder[64], path[96];
    int journal;      /* receives datagrams */
    int err, kept;    /* reads what goes to stderr; the real one */
    char text[65536]; /* what came last */
};

static int setup(void **state)
{
    struct stand *s = xcalloc(1, sizeof(*s));
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int fds[2];

    snprintf(s->folder, sizeof(s->folder), "/tmp/dbconn-test-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->path, sizeof(s->path), "%s/journal", s->folder);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s", s->path);
    s->journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(s->journal, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    s->err = fds[0];
    s->kept = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stand *s = *state;

    (void)log_to_journal(NULL);
    log_set_format(LOG_LOGFMT);
    log_set_level(LOG_INFO);
    dup2(s->kept, STDERR_FILENO);
    close(s->kept);
    close(s->err);
    close(s->journal);
    unlink(s->path);
    rmdir(s->folder);
    free(s);
    return 0;
}

static const char *read_from(struct stand *s, int fd)
{
    ssize_t n = read(fd, s->text, sizeof(s->text) - 1);

    s->text[n > 0 ? n : 0] = '\0';
    return s->text;
}

static void a_line_is_logfmt_or_json_and_holds_no_secret(void **state)
{
    static const struct {
        enum log_format format;
        const char *rest; /* behind the time */
    } cases[] = {
        { LOG_LOGFMT, " level=warn event=a.b text=\"say \\\"\\\\\\\" ••• twice\" n=-3\n" },
        { LOG_JSON, "\",\"level\":\"warn\",\"event\":\"a.b\","
                    "\"text\":\"say \\\"\\\\\\\" ••• twice\",\"n\":-3}\n" },
    };
    struct stand *s = *state;

    redact_remember("hunter2hunter2");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        log_set_format(cases[i].format);
        LOG(WARN, "a.b", F_STR("text", "say \"\\\" hunter2hunter2\ntwice"), F_INT("n", -3));
        const char *line = read_from(s, s->err), *z = strchr(line, 'Z');
        assert_non_null(z);
        assert_string_equal(z + 1, cases[i].rest);
    }
    redact_forget_all();
}

static void below_the_level_nothing_is_said(void **state)
{
    struct stand *s = *state;

    LOG(DEBUG, "quiet", F_INT("n", 1));
    assert_string_equal(read_from(s, s->err), "");
    log_set_level(LOG_DEBUG);
    LOG(DEBUG, "loud", F_INT("n", 1));
    assert_non_null(strstr(read_from(s, s->err), "event=loud"));
}

static void the_journal_gets_fields(void **state)
{
    struct stand *s = *state;

    redact_remember("hunter2hunter2");
    assert_true(log_to_journal(s->path));
    LOG(ERROR, "job.end", F_STR("job", "1m8\nDBCONN_FAKE=x"), F_STR("took-ms", "hunter2hunter2"),
        F_INT("n", 7));
    assert_string_equal(read_from(s, s->journal),
                        "PRIORITY=3\nSYSLOG_IDENTIFIER=dbconn\n"
                        "MESSAGE=event=job.end job=\"1m8 DBCONN_FAKE=x\" took-ms=\"•••\" n=7\n"
                        "DBCONN_EVENT=job.end\nDBCONN_JOB=1m8 DBCONN_FAKE=x\n"
                        "DBCONN_TOOK_MS=•••\nDBCONN_N=7\n");
    assert_string_equal(read_from(s, s->err), "");
    redact_forget_all();
}

static void what_the_journal_does_not_take_goes_to_stderr(void **state)
{
    struct stand *s = *state;

    assert_true(log_to_journal(s->path));
    close(s->journal);
    s->journal = -1;
    LOG(INFO, "still.here", F_INT("n", 1));
    assert_non_null(strstr(read_from(s, s->err), "event=still.here n=1\n"));
}

static void a_journal_that_is_not_there_is_told(void **state)
{
    struct stand *s = *state;
    char far[200];

    memset(far, 'x', sizeof(far) - 1);
    far[sizeof(far) - 1] = '\0';
    assert_false(log_to_journal("/no/such/socket"));
    assert_false(log_to_journal(far));
    LOG(INFO, "still.here", F_INT("n", 1));
    assert_non_null(strstr(read_from(s, s->err), "event=still.here"));
}

static void journal_stream_names_the_file_descriptor(void **state)
{
    struct stat st;
    char right[64], wrong[64];

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(right, sizeof(right), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    snprintf(wrong, sizeof(wrong), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino + 1);
    assert_true(log_is_journal(right, STDERR_FILENO));
    assert_false(log_is_journal(wrong, STDERR_FILENO));
    assert_false(log_is_journal("", STDERR_FILENO));
    assert_false(log_is_journal("8", STDERR_FILENO));
    assert_false(log_is_journal(NULL, STDERR_FILENO));
    assert_false(log_is_journal(right, -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_logfmt_or_json_and_holds_no_secret, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(below_the_level_nothing_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(the_journal_gets_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_journal_does_not_take_goes_to_stderr, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_journal_that_is_not_there_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(journal_stream_names_the_file_descriptor, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
