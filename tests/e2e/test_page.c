/* The thread as a page, in a browser that presses a button. Needs Chromium; without it there is
 * nothing to test here, and that is said. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dbconn/base/json.h"

static const char *find_browser(void)
{
    static const char *const paths[] = { "/usr/bin/chromium", "/usr/bin/chromium-browser",
                                         "/usr/bin/google-chrome" };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (access(paths[i], X_OK) == 0)
            return paths[i];
    return NULL;
}

/* Photographs the page; the browser has as long as its scripts need. */
static int photograph(const struct stage *s, const char *browser, const char *page,
                      const char *picture)
{
    char *shot = xasprintf("--screenshot=%s", picture);
    char *profile = xasprintf("--user-data-dir=%s/browser", s->dir);
    char *url = xasprintf("%s%s", s->control, page);
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execl(browser, browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server",
              "--hide-scrollbars", "--window-size=820,2400", "--virtual-time-budget=5000", profile,
              shot, url, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    free(shot);
    free(profile);
    free(url);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool was_pressed(struct stage *s, const void *action)
{
    cJSON *list = control(s, "/envelopes", NULL);
    bool yes = false;

    for (const cJSON *e = json_first(list); e; e = e->next) {
        const cJSON *actions = json_path(e, "payload", "actions", NULL);
        const char *id = json_str(json_first(actions), "action_id");
        yes |= id && strcmp(id, action) == 0 && cJSON_IsTrue(json_get(e, "acknowledged"));
    }
    cJSON_Delete(list);
    return yes;
}

/* The action id of a button of the answer that changes nothing outside: "Details". */
static char *details_button(struct stage *s)
{
    char *page = control_text(s, "/thread.html");
    const char *end = strstr(page, ">Details</button>"), *at = NULL;

    for (const char *p = page; (p = strstr(p, "data-action=\"")) && p < end; p++)
        at = p;
    assert_non_null(at);
    at += strlen("data-action=\"");
    char *id = xstrndup(at, strcspn(at, "\""));
    free(page);
    return id;
}

static void a_button_on_the_page_presses_for_real(void **state)
{
    const char *browser = find_browser();
    struct stage_options options = { 0 };
    struct stage s;
    struct stat picture;

    (void)state;
    if (!browser) {
        print_message("no Chromium here: the page was not looked at\n");
        return;
    }
    stage_open(&s, &options);
    char *id = type_command(&s, INCIDENTS, s.short_id);
    wait_until(&s, job_has_ended, NULL, "the end of the job");
    char *action = details_button(&s);
    char *page = xasprintf("/thread.html?press=%s", action);
    char *path = xasprintf("%s/thread.png", s.dir);
    assert_int_equal(photograph(&s, browser, page, path), 0);
    assert_int_equal(stat(path, &picture), 0);
    assert_true(picture.st_size > 20000);
    wait_until(&s, was_pressed, action, "the press and its acknowledgement");
    free(path);
    free(page);
    free(action);
    free(id);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_button_on_the_page_presses_for_real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
