/* What the process leaves and shows on its machine: files that are nobody else's business, no core
 * dump, nothing for other users in /proc, and the audit log as a file. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define NOBODY 65534

static char *path_in(const struct stage *s, const char *name)
{
    return xasprintf("%s/%s", s->dir, name);
}

static char *read_text(const char *path)
{
    struct buf text = BUF_INIT;
    char bytes[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    while (fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0)
        buf_add(&text, bytes, (size_t)n);
    if (fd >= 0)
        close(fd);
    return buf_take(&text);
}

static void check_mode(const char *path, mode_t want)
{
    struct stat st;

    if (stat(path, &st) != 0)
        fail_msg("%s is not there", path);
    if ((st.st_mode & 07777) != want)
        fail_msg("%s has mode %04o, not %04o", path, (unsigned)(st.st_mode & 07777),
                 (unsigned)want);
}

static void put_env(struct stage *s, const char *name, const char *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(s->env, name);
    if (value)
        json_put_str(s->env, name, value);
}

static void what_it_makes_is_private_whatever_umask_says(void **state)
{
    static const char *const files[] = { "dbconn.db", "dbconn.db-wal", "dbconn.db-shm",
                                         "dbconn.db.lock", "dbconn.db.audit-key" };
    struct stage_options options = { .no_bot = true };
    struct stage s;
    mode_t before = umask(0);
    int code;

    (void)state;
    stage_open(&s, &options);
    char *home = path_in(&s, "home"), *audit = path_in(&s, "audit.jsonl"),
         *folder = path_in(&s, "home/dbconn"), *copy = path_in(&s, "copy.db");
    assert_int_equal(mkdir(home, 0700), 0);
    put_env(&s, "DBCONN_DATABASE_URL", NULL); /* the default place: it is made */
    put_env(&s, "XDG_STATE_HOME", home);
    put_env(&s, "DBCONN_AUDIT_FILE", audit);
    stage_start_bot(&s);
    free(type_command(&s, INCIDENTS, "status"));
    check_mode(folder, 0700);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char *path = xasprintf("%s/%s", folder, files[i]);
        check_mode(path, 0600);
        free(path);
    }
    check_mode(audit, 0600);
    const char *const backup[] = { "jobs", "backup", copy, NULL };
    free(stage_run(&s, backup, &code));
    assert_int_equal(code, 0);
    check_mode(copy, 0600);
    (void)umask(before);
    free(home);
    free(audit);
    free(folder);
    free(copy);
    stage_close(&s);
}

/* The value of a line of /proc/PID/limits or status: what follows the name. */
static void check_line(pid_t pid, const char *file, const char *name, const char *want)
{
    char *path = xasprintf("/proc/%d/%s", (int)pid, file), *text = read_text(path);
    const char *line = strstr(text, name);
    size_t n = line ? strspn(line + strlen(name), " \t") : 0;

    if (!line || !text_starts(line + strlen(name) + n, want))
        fail_msg("%s: \"%s\" is not followed by \"%s\":\n%s", path, name, want, text);
    free(text);
    free(path);
}

/* Of a process that may be dumped the files in /proc are its user's and group's, of others root's
 * (proc(5)). Root itself may look at all, so there the group tells. */
static bool is_root_owned(pid_t pid)
{
    char *path = xasprintf("/proc/%d/environ", (int)pid);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    free(path);
    return st.st_uid == 0 && st.st_gid == 0;
}

static void no_core_is_dumped_and_other_processes_see_nothing(void **state)
{
    struct stage_options options = { 0 };
    struct stage s;

    (void)state;
    if (geteuid() == 0)
        assert_int_equal(setgid(NOBODY), 0);
    stage_open(&s, &options);
    check_line(s.bot, "limits", "Max core file size", "0 ");
    assert_false(is_root_owned(s.sandbox)); /* else this test could not tell */
#ifndef __SANITIZE_ADDRESS__                /* whose search for leaks traces the process */
    assert_true(is_root_owned(s.bot));
#endif
    stage_close(&s);
    if (geteuid() == 0)
        assert_int_equal(setgid(0), 0);
}

/* ---- the audit log as a file ---- */

static int count_lines(const char *text)
{
    int n = 0;

    for (const char *p = text; (p = strchr(p, '\n')); p++)
        n++;
    return n;
}

struct lines_wanted {
    const char *path;
    int n;
};

static bool file_has_lines(struct stage *s, const void *arg)
{
    const struct lines_wanted *w = arg;
    char *text = read_text(w->path);
    int n = count_lines(text);

    (void)s;
    free(text);
    return n >= w->n;
}

/* Each line is an object whose chain goes on where the line before ended. */
static void check_chain(const char *text)
{
    char *hash = xstrdup("");
    int64_t seq, last = 0;

    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        char *one = xstrndup(line, strcspn(line, "\n"));
        cJSON *doc = cJSON_Parse(one);
        if (!doc || !cJSON_IsObject(json_get(doc, "entry")) || !json_i64(doc, "seq", &seq))
            fail_msg("this line is no entry: %s", one);
        assert_int_equal(seq, last + 1);
        assert_string_equal(json_str(doc, "prev_hash"), hash);
        xreplace(&hash, json_str(doc, "hash"));
        last = seq;
        cJSON_Delete(doc);
        free(one);
    }
    free(hash);
}

static void ask(struct stage *s, int n)
{
    for (int i = 0; i < n; i++) {
        char *id = type_command(s, INCIDENTS, "status");
        wait_until(s, is_acknowledged, id, "the acknowledgement");
        free(id);
    }
}

static bool is_disconnected(struct stage *s, const void *arg)
{
    return !is_connected(s, arg);
}

/* The sandbox has seen the end of the old connection: what is typed goes to the new one. */
static void start_again(struct stage *s)
{
    wait_until(s, is_disconnected, NULL, "the end of the connection");
    stage_start_bot(s);
}

static void every_entry_is_one_line_of_the_audit_file_and_none_is_there_twice(void **state)
{
    const char *const export[] = { "audit", "export", NULL };
    struct stage_options options = { .no_bot = true };
    struct stage s;
    int code;

    (void)state;
    stage_open(&s, &options);
    char *path = path_in(&s, "audit.jsonl");
    put_env(&s, "DBCONN_AUDIT_FILE", path);
    stage_start_bot(&s);
    ask(&s, 3);
    wait_until(&s, file_has_lines, &(struct lines_wanted){ path, 3 }, "three lines");
    stage_stop_bot(&s);
    start_again(&s); /* it goes on behind what is there */
    ask(&s, 2);
    wait_until(&s, file_has_lines, &(struct lines_wanted){ path, 5 }, "two more lines");
    stage_kill_bot(&s);
    start_again(&s);
    ask(&s, 1);
    wait_until(&s, file_has_lines, &(struct lines_wanted){ path, 6 }, "one more line");
    stage_stop_bot(&s);
    char *file = read_text(path), *all = stage_run(&s, export, &code);
    assert_int_equal(code, 0);
    assert_string_equal(file, all);
    check_chain(file);
    free(file);
    free(all);
    free(path);
    stage_close(&s);
}

/* A rotation moves the file away; the entries go on under its name. */
static void a_rotated_audit_file_is_begun_anew_without_a_gap(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    char *path = path_in(&s, "audit.jsonl"), *old = path_in(&s, "audit.jsonl.1");
    put_env(&s, "DBCONN_AUDIT_FILE", path);
    stage_start_bot(&s);
    ask(&s, 2);
    wait_until(&s, file_has_lines, &(struct lines_wanted){ path, 2 }, "two lines");
    assert_int_equal(rename(path, old), 0);
    ask(&s, 2);
    wait_until(&s, file_has_lines, &(struct lines_wanted){ path, 2 }, "two lines of the new file");
    check_mode(path, 0600);
    stage_stop_bot(&s);
    char *before = read_text(old), *after = read_text(path),
         *both = xasprintf("%s%s", before, after);
    check_chain(both);
    assert_int_equal(count_lines(both), 4);
    free(before);
    free(after);
    free(both);
    free(path);
    free(old);
    stage_close(&s);
}

#define PARTS 4

struct parts {
    char *paths[PARTS]; /* in the order of their entries */
    int n_lines;
};

static char *read_parts(const struct parts *p)
{
    struct buf all = BUF_INIT;

    for (size_t i = 0; i < PARTS; i++) {
        char *text = access(p->paths[i], R_OK) == 0 ? read_text(p->paths[i]) : xstrdup("");
        buf_adds(&all, text);
        free(text);
    }
    return buf_take(&all);
}

static bool parts_have_lines(struct stage *s, const void *arg)
{
    const struct parts *p = arg;
    char *text = read_parts(p);
    int n = count_lines(text);

    (void)s;
    free(text);
    return n >= p->n_lines;
}

/* What is in the store by the start is written at once. */
static void start_and_wait_for(struct stage *s, struct parts *p, int n_lines)
{
    p->n_lines = n_lines;
    start_again(s);
    wait_until(s, parts_have_lines, p, "the lines of what was asked");
}

/* As logrotate(8) does it with `create`: the file gets another name, and an empty one its place. */
static void rotate(const char *path, const char *old, bool create)
{
    assert_int_equal(rename(path, old), 0);
    if (create) {
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
    }
}

/* Rotated while it runs, with nothing written to the new file until the next start; rotated while
 * it is stopped; rotated after a kill. */
static void a_rotation_and_a_restart_neither_repeat_nor_lose_an_entry(void **state)
{
    struct stage_options options = { .no_bot = true };
    struct stage s;

    (void)state;
    stage_open(&s, &options);
    struct parts p = { .paths = { path_in(&s, "audit.jsonl.1"), path_in(&s, "audit.jsonl.2"),
                                  path_in(&s, "audit.jsonl.3"), path_in(&s, "audit.jsonl") } };
    const char *path = p.paths[PARTS - 1];
    put_env(&s, "DBCONN_AUDIT_FILE", path);
    stage_start_bot(&s);
    ask(&s, 2);
    stage_stop_bot(&s);
    start_and_wait_for(&s, &p, 2);
    rotate(path, p.paths[0], true);
    ask(&s, 2);
    stage_stop_bot(&s);
    start_and_wait_for(&s, &p, 4);
    ask(&s, 1);
    stage_stop_bot(&s);
    rotate(path, p.paths[1], false);
    start_and_wait_for(&s, &p, 5);
    ask(&s, 1); /* once it is acknowledged, the store knows what was written before */
    stage_kill_bot(&s);
    rotate(path, p.paths[2], true);
    start_and_wait_for(&s, &p, 6);
    stage_stop_bot(&s);
    char *all = read_parts(&p);
    assert_int_equal(count_lines(all), 6);
    check_chain(all);
    free(all);
    for (size_t i = 0; i < PARTS; i++)
        free(p.paths[i]);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_makes_is_private_whatever_umask_says),
        cmocka_unit_test(no_core_is_dumped_and_other_processes_see_nothing),
        cmocka_unit_test(every_entry_is_one_line_of_the_audit_file_and_none_is_there_twice),
        cmocka_unit_test(a_rotated_audit_file_is_begun_anew_without_a_gap),
        cmocka_unit_test(a_rotation_and_a_restart_neither_repeat_nor_lose_an_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
