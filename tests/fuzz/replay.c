/* Runs every file of tests/fuzz/corpus/TARGET through its target: what was found once stays fixed,
 * and the targets stay alive where there is no libFuzzer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "dbconn/base/jsonc.h"
#include "dbconn/base/log.h"
#include "fuzz.h"

#define CORPUS "tests/fuzz/corpus"
#define MAX_CORPUS_FILE (1024 * 1024)

static void replay_file(const struct fuzz_target *target, const char *path)
{
    struct buf text = BUF_INIT;
    struct error err = ERROR_INIT;

    if (file_read(path, MAX_CORPUS_FILE, &text, &err) < 0)
        fail_msg("%s", error_text(&err));
    print_message("%s\n", path);
    /* A copy of its own size, so that the sanitizer sees a step beyond the end. */
    uint8_t *copy = xmalloc(text.len + 1);
    memcpy(copy, buf_str(&text), text.len);
    target->run(copy, text.len);
    free(copy);
    buf_clear(&text);
}

static void replay(void **state)
{
    const struct fuzz_target *target = *state;
    char *folder = xasprintf(CORPUS "/%s", target->name);
    DIR *dir = opendir(folder);
    size_t n = 0;

    if (!dir)
        fail_msg("there is no corpus in %s", folder);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        char *path = xasprintf("%s/%s", folder, e->d_name);
        replay_file(target, path);
        free(path);
        n++;
    }
    if (dir)
        closedir(dir);
    free(folder);
    assert_true(n > 0);
}

int main(void)
{
    struct CMUnitTest *tests = xcalloc(n_fuzz_targets, sizeof(*tests));
    int failed;

    log_set_level(LOG_NONE);
    for (size_t i = 0; i < n_fuzz_targets; i++)
        tests[i] = (struct CMUnitTest){ .name = fuzz_targets[i].name,
                                        .test_func = replay,
                                        .initial_state = (void *)(uintptr_t)&fuzz_targets[i] };
    failed = _cmocka_run_group_tests("every input of the corpora keeps its promises", tests,
                                     n_fuzz_targets, NULL, NULL);
    free(tests);
    return failed;
}
