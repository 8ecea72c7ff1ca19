/*
 * Redaction: the same secret in several forms, between lines that a stranger chose, is never left
 * over; nor is one of our own tokens anywhere. Doing it again changes nothing.
 */
#include <string.h>

#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"
#include "fuzz.h"

#define OWN_TOKEN "own-token-7f3a9c"

static const char *const forms[] = {
    "postgresql://app:" FUZZ_SECRET "@db-1:5432/shop",
    "jdbc:mysql://db-1:3306/shop?user=app&password=" FUZZ_SECRET,
    "PGPASSWORD=" FUZZ_SECRET " psql -h db-1",
    "Server=db-1;User Id=app;Password=" FUZZ_SECRET ";",
    "{\"password\": \"" FUZZ_SECRET "\"}",
    "password: '" FUZZ_SECRET "'",
    "Authorization: Bearer " FUZZ_SECRET "aaaabbbbcccc",
};

static void check_idempotent(const char *text)
{
    struct buf once = BUF_INIT, twice = BUF_INIT;

    redact(text, &once);
    FUZZ_CHECK(!text_is_utf8(text, strlen(text)) || text_is_utf8(buf_str(&once), once.len));
    redact(buf_str(&once), &twice);
    FUZZ_CHECK(strcmp(buf_str(&once), buf_str(&twice)) == 0);
    buf_clear(&once);
    buf_clear(&twice);
}

static void check_hidden(const char *form, const char *before, const char *after)
{
    struct buf text = BUF_INIT, out = BUF_INIT;

    buf_addf(&text, "%s\n%s\n%s", before, form, after);
    redact(buf_str(&text), &out);
    FUZZ_CHECK(!strstr(buf_str(&out), FUZZ_SECRET));
    buf_clear(&text);
    buf_clear(&out);
}

static void check_own_token(const char *before, const char *after)
{
    struct buf text = BUF_INIT, out = BUF_INIT;

    redact_remember(OWN_TOKEN);
    buf_addf(&text, "%s" OWN_TOKEN "%s", before, after);
    redact(buf_str(&text), &out);
    FUZZ_CHECK(!strstr(buf_str(&out), OWN_TOKEN));
    redact_forget_all();
    buf_clear(&text);
    buf_clear(&out);
}

void fuzz_redact(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    char *before = fuzz_line(&in), *after = fuzz_rest(&in);

    check_idempotent(before);
    check_idempotent(after);
    (void)redact_is_secret_name(before);
    check_own_token(before, after);
    if (!strstr(before, FUZZ_SECRET) && !strstr(after, FUZZ_SECRET)) {
        for (size_t i = 0; i < ARRAY_LEN(forms); i++)
            check_hidden(forms[i], before, after);
    }
    free(before);
    free(after);
}
