/*
 * fuzz - one function for each parser of outside data, fed with arbitrary bytes.
 *
 * A target reads its bytes as its parser would, checks what must hold for any input, and frees all
 * it got; a broken promise ends the process. The same table serves libFuzzer (`make fuzz`) and the
 * replay of the corpora in tests/fuzz/corpus/ (`make check`). Where a parser takes several texts,
 * each is a line of the input, so that a corpus file can be read and written by people.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *name; /* also the folder of its corpus */
    void (*run)(const uint8_t *data, size_t size);
};

extern const struct fuzz_target fuzz_targets[];
extern const size_t n_fuzz_targets;
const struct fuzz_target *fuzz_target_find(const char *name); /* or NULL */

/* Says what was promised and aborts, which libFuzzer reports with the input. */
#define FUZZ_CHECK(promise) ((promise) ? (void)0 : fuzz_broken(#promise, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *promise, const char *file, int line);

/* What is left of an input that holds several texts. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};
/* The next line (without its end) or all that is left, up to a NUL at most. Heap. */
char *fuzz_line(struct fuzz_input *in);
char *fuzz_rest(struct fuzz_input *in);

/* A password that no input holds by chance. */
#define FUZZ_SECRET "S3cr3tF00"

void fuzz_command(const uint8_t *data, size_t size);
void fuzz_config(const uint8_t *data, size_t size);
void fuzz_diff(const uint8_t *data, size_t size);
void fuzz_dsn(const uint8_t *data, size_t size);
void fuzz_elasticsearch(const uint8_t *data, size_t size);
void fuzz_envelope(const uint8_t *data, size_t size);
void fuzz_failure(const uint8_t *data, size_t size);
void fuzz_github(const uint8_t *data, size_t size);
void fuzz_headers(const uint8_t *data, size_t size);
void fuzz_investigation(const uint8_t *data, size_t size);
void fuzz_issue_ref(const uint8_t *data, size_t size);
void fuzz_json_stream(const uint8_t *data, size_t size);
void fuzz_logline(const uint8_t *data, size_t size);
void fuzz_mrkdwn(const uint8_t *data, size_t size);
void fuzz_playbook(const uint8_t *data, size_t size);
void fuzz_redact(const uint8_t *data, size_t size);
void fuzz_report(const uint8_t *data, size_t size);
void fuzz_sentry(const uint8_t *data, size_t size);
void fuzz_slack_reply(const uint8_t *data, size_t size);
void fuzz_text(const uint8_t *data, size_t size);

#endif
