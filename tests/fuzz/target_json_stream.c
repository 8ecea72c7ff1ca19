/* JSON read as it comes: any pieces give the same, which is JSON, and no larger than it may be. The
 * first line holds the wanted paths, separated by blanks, the second one the limits and pieces. */
#include <string.h>

#include "dbconn/base/json.h"
#include "dbconn/base/json_each.h"
#include "dbconn/base/json_stream.h"
#include "dbconn/base/text.h"
#include "fuzz.h"

#define MAX_PATHS 8
#define MAX_KEPT 4096

struct outcome {
    int rc;
    struct buf text;
    struct error err;
};

static void read_pieces(const uint8_t *data, size_t size, size_t piece, const char *const *paths,
                        const struct json_limits *limits, struct outcome *ret)
{
    struct json_stream *s = json_stream_new(paths, limits, "the text");

    *ret = (struct outcome){ .text = BUF_INIT, .err = ERROR_INIT };
    for (size_t i = 0; ret->rc == 0 && i < size; i += piece)
        ret->rc = json_stream_feed(s, (const char *)data + i, size - i < piece ? size - i : piece,
                                   &ret->text, &ret->err);
    if (ret->rc >= 0 && json_stream_end(s, &ret->text, &ret->err) < 0)
        ret->rc = -1;
    json_stream_free(s);
}

static int count(void *user, const cJSON *one, struct error *err)
{
    (void)one;
    (void)err;
    ++*(size_t *)user;
    return 0;
}

/* What was kept is what its reader takes for JSON. */
static void check_text(const struct outcome *o, const struct json_limits *limits)
{
    cJSON *tree = NULL;
    size_t n = 0;

    FUZZ_CHECK(o->text.len <= limits->kept);
    FUZZ_CHECK(text_is_utf8(buf_str(&o->text), o->text.len));
    FUZZ_CHECK(json_parse(buf_str(&o->text), o->text.len, "the text", &tree, NULL) == 0);
    int rc = json_each(buf_str(&o->text), o->text.len, "", "the text", count, &n, NULL, NULL);
    FUZZ_CHECK(rc == !cJSON_IsArray(tree));
    FUZZ_CHECK(rc == 1 || n == (size_t)cJSON_GetArraySize(tree));
    cJSON_Delete(tree);
}

/* Any text, as a list of another server: nothing of it is believed. */
static void check_each(const uint8_t *data, size_t size)
{
    cJSON *rest = NULL;
    size_t n = 0;

    if (json_each((const char *)data, size, "a.b", "the text", count, &n, &rest, NULL) >= 0)
        FUZZ_CHECK(rest);
    cJSON_Delete(rest);
}

void fuzz_json_stream(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    char *line = fuzz_line(&in), *numbers = fuzz_line(&in), *rest = line;
    const char *paths[MAX_PATHS + 1] = { NULL };
    unsigned char seed = (unsigned char)numbers[0];
    const struct json_limits limits = { .depth = 1 + seed % 16,
                                        .values = 1 + seed % 64,
                                        .string = 1 + seed * 4u,
                                        .kept = seed % 2 ? MAX_KEPT : 32 + seed };
    struct outcome whole, pieces;

    for (size_t n = 0; n < MAX_PATHS && (paths[n] = strsep(&rest, " ")); n++)
        continue;
    read_pieces(in.at, in.left, in.left + 1, paths, &limits, &whole);
    read_pieces(in.at, in.left, 1 + seed % 7, paths, &limits, &pieces);
    FUZZ_CHECK(whole.rc == pieces.rc && whole.err.code == pieces.err.code);
    if (whole.rc >= 0) {
        FUZZ_CHECK(strcmp(buf_str(&whole.text), buf_str(&pieces.text)) == 0);
        check_text(&whole, &limits);
    }
    check_each(in.at, in.left);
    buf_clear(&whole.text);
    buf_clear(&pieces.text);
    error_clear(&whole.err);
    error_clear(&pieces.err);
    free(line);
    free(numbers);
}
