#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dbconn/base/alloc.h"

const struct fuzz_target fuzz_targets[] = {
    { "command", fuzz_command },
    { "config", fuzz_config },
    { "diff", fuzz_diff },
    { "dsn", fuzz_dsn },
    { "elasticsearch", fuzz_elasticsearch },
    { "envelope", fuzz_envelope },
    { "failure", fuzz_failure },
    { "github", fuzz_github },
    { "headers", fuzz_headers },
    { "investigation", fuzz_investigation },
    { "issue_ref", fuzz_issue_ref },
    { "json_stream", fuzz_json_stream },
    { "logline", fuzz_logline },
    { "mrkdwn", fuzz_mrkdwn },
    { "playbook", fuzz_playbook },
    { "redact", fuzz_redact },
    { "report", fuzz_report },
    { "sentry", fuzz_sentry },
    { "slack_reply", fuzz_slack_reply },
    { "text", fuzz_text },
};
const size_t n_fuzz_targets = ARRAY_LEN(fuzz_targets);

const struct fuzz_target *fuzz_target_find(const char *name)
{
    for (size_t i = 0; i < n_fuzz_targets; i++)
        if (strcmp(fuzz_targets[i].name, name) == 0)
            return &fuzz_targets[i];
    return NULL;
}

_Noreturn void fuzz_broken(const char *promise, const char *file, int line)
{
    fprintf(stderr, "%s:%d: it was promised that %s\n", file, line, promise);
    abort();
}

static char *take(struct fuzz_input *in, size_t len, size_t skip)
{
    char *text = xmalloc(len + 1);

    if (len)
        memcpy(text, in->at, len);
    text[len] = '\0';
    in->at += len + skip;
    in->left -= len + skip;
    return text;
}

char *fuzz_line(struct fuzz_input *in)
{
    const uint8_t *end = in->left ? memchr(in->at, '\n', in->left) : NULL;

    return end ? take(in, (size_t)(end - in->at), 1) : take(in, in->left, 0);
}

char *fuzz_rest(struct fuzz_input *in)
{
    return take(in, in->left, 0);
}
