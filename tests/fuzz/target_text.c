/* UTF-8 repair, cleaning and cutting. */
#include <string.h>

#include "dbconn/base/text.h"
#include "fuzz.h"

static void check_repair(const char *bytes, size_t size)
{
    struct buf once = BUF_INIT, twice = BUF_INIT;

    text_repair_utf8(bytes, size, &once);
    FUZZ_CHECK(text_is_utf8(buf_str(&once), once.len));
    if (text_is_utf8(bytes, size))
        FUZZ_CHECK(once.len == size && (size == 0 || memcmp(once.data, bytes, size) == 0));
    text_repair_utf8(buf_str(&once), once.len, &twice);
    FUZZ_CHECK(once.len == twice.len && strcmp(buf_str(&once), buf_str(&twice)) == 0);
    buf_clear(&once);
    buf_clear(&twice);
}

static void check_clean(const char *text, bool one_line)
{
    struct buf once = BUF_INIT, twice = BUF_INIT;

    text_clean(text, one_line, &once);
    FUZZ_CHECK(text_is_utf8(buf_str(&once), once.len));
    FUZZ_CHECK(!one_line || !strpbrk(buf_str(&once), "\n\r\t"));
    text_clean(buf_str(&once), one_line, &twice);
    FUZZ_CHECK(strcmp(buf_str(&once), buf_str(&twice)) == 0);
    buf_clear(&once);
    buf_clear(&twice);
}

static void check_cut(const char *text, size_t max)
{
    struct buf whole = BUF_INIT, cut = BUF_INIT;

    text_repair_utf8(text, strlen(text), &whole);
    size_t at = text_cut(buf_str(&whole), max);
    FUZZ_CHECK(at <= max && at <= whole.len);
    FUZZ_CHECK(text_is_utf8(buf_str(&whole), at));
    text_add_cut(&cut, buf_str(&whole), max);
    FUZZ_CHECK(cut.len <= max);
    FUZZ_CHECK(text_is_utf8(buf_str(&cut), cut.len));
    FUZZ_CHECK(whole.len > max || strcmp(buf_str(&cut), buf_str(&whole)) == 0);
    buf_clear(&whole);
    buf_clear(&cut);
}

void fuzz_text(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };

    check_repair((const char *)data, size);
    if (size == 0)
        return;
    in.at++, in.left--;
    char *text = fuzz_rest(&in);
    check_clean(text, false);
    check_clean(text, true);
    check_cut(text, data[0]);
    free(text);
}
