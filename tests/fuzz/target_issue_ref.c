/* What a person typed as the issue. Lines: the configured server, the organization, the text. */
#include <string.h>

#include "dbconn/analysis/issue_ref.h"
#include "dbconn/base/text.h"
#include "fuzz.h"

static bool is_issue(const char *s)
{
    return *s && strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == strlen(s);
}

static void check(const struct issue_ref *ref, const char *organization)
{
    FUZZ_CHECK(ref->issue || ref->event);
    FUZZ_CHECK(!ref->issue || is_issue(ref->issue));
    FUZZ_CHECK(!ref->event ||
               strspn(ref->event, "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(ref->event));
    /* A number may be the id of the configured one: the server knows. */
    FUZZ_CHECK(!organization || !ref->organization ||
               strspn(ref->organization, "0123456789") == strlen(ref->organization) ||
               text_isame(ref->organization, organization));
}

void fuzz_issue_ref(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct error err = ERROR_INIT;
    struct issue_ref ref = { 0 };
    char *server = fuzz_line(&in), *organization = fuzz_line(&in), *text = fuzz_rest(&in);

    if (issue_ref_parse(text, *server ? server : "https://sentry.io",
                        *organization ? organization : NULL, &ref, &err) == 0) {
        check(&ref, *organization ? organization : NULL);
        issue_ref_clear(&ref);
    } else {
        FUZZ_CHECK(err.code == ERR_USAGE || err.code == ERR_INVALID ||
                   (err.code == ERR_CONFIG && *server));
        FUZZ_CHECK(!ref.issue && !ref.event && *error_text(&err));
    }
    error_clear(&err);
    free(server);
    free(organization);
    free(text);
}
