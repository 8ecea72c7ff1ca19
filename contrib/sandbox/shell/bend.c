#include "shell/bend.h"

#include <string.h>

#include "dbconn/base/json.h"

#define DEEP 50000
#define BOMB_BYTES (50 * 1024 * 1024)

/* ---- types and nulls ---- */

static cJSON *other_type(const cJSON *value)
{
    if (cJSON_IsString(value))
        return cJSON_CreateNumber(-1.5);
    if (cJSON_IsNumber(value) || cJSON_IsBool(value))
        return cJSON_CreateString("not what it was");
    if (cJSON_IsArray(value))
        return cJSON_CreateObject();
    if (cJSON_IsObject(value))
        return cJSON_CreateArray();
    return cJSON_CreateTrue();
}

static void replace_values(cJSON *tree, bool with_null)
{
    for (cJSON *v = tree->child, *next; v; v = next) {
        next = v->next;
        cJSON_ReplaceItemViaPointer(tree, v, with_null ? cJSON_CreateNull() : other_type(v));
    }
}

/* Of an array of objects the objects stay, so that their members are looked at. */
static void bend_values(cJSON *tree, bool with_null)
{
    bool array = cJSON_IsArray(tree) && cJSON_IsObject(tree->child);

    for (cJSON *v = array ? tree->child : NULL; v; v = v->next)
        replace_values(v, with_null);
    if (!array)
        replace_values(tree, with_null);
}

/* ---- duplicate ---- */

/* Cuts the text before each member's name in two: `"name":null,"name":`. */
static void duplicate(const cJSON *tree, struct buf *out)
{
    char *text;
    bool first = true;

    if (!cJSON_IsObject(tree) && !cJSON_IsArray(tree)) {
        text = json_print(tree);
        buf_adds(out, text);
        free(text);
        return;
    }
    buf_addc(out, cJSON_IsObject(tree) ? '{' : '[');
    for (const cJSON *v = tree->child; v; v = v->next, first = false) {
        buf_adds(out, first ? "" : ",");
        if (cJSON_IsObject(tree)) {
            cJSON *name = cJSON_CreateString(v->string);
            text = json_print(name);
            buf_addf(out, "%s:null,%s:", text, text);
            free(text);
            cJSON_Delete(name);
        }
        duplicate(v, out);
    }
    buf_addc(out, cJSON_IsObject(tree) ? '}' : ']');
}

/* ---- gzip ---- */

struct bits {
    struct buf *out;
    uint32_t held;
    int n;
};

static void put_bits(struct bits *b, uint32_t value, int n)
{
    b->held |= value << b->n;
    for (b->n += n; b->n >= 8; b->n -= 8, b->held >>= 8)
        buf_addc(b->out, (char)(b->held & 255));
}

/* Blanks, as one block of fixed codes (RFC 1951, 3.2.6): a blank, then "258 more like the last one"
 * again and again. The checksum at the end is wrong: who unpacks so much has lost already. */
static void bomb(struct reply *reply)
{
    static const unsigned char head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
    struct bits b = { .out = &reply->body };

    buf_reset(&reply->body);
    buf_add(&reply->body, head, sizeof(head));
    put_bits(&b, 3, 3);    /* the last block, fixed codes */
    put_bits(&b, 0x0a, 8); /* ' ' is 0x50, the most significant bit first */
    for (size_t n = 0; n < BOMB_BYTES; n += 258)
        put_bits(&b, 0xa3, 13); /* length code 285 is 11000101, then distance code 0 */
    put_bits(&b, 0, 7 + 8);
    for (int i = 0; i < 8; i++)
        buf_addc(&reply->body, 0);
    reply_header(reply, "content-encoding", "gzip");
}

static void nest(struct buf *body)
{
    buf_reset(body);
    for (int i = 0; i < DEEP; i++)
        buf_addc(body, '[');
    for (int i = 0; i < DEEP; i++)
        buf_addc(body, ']');
}

static const char *const known[] = { "types", "nulls", "deep", "duplicate", "gzip" };

bool bend_is_known(const char *how)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i], how) == 0)
            return true;
    return false;
}

void bend(const char *how, struct reply *reply)
{
    cJSON *tree = cJSON_Parse(buf_str(&reply->body));

    if (strcmp(how, "deep") == 0) {
        nest(&reply->body);
    } else if (strcmp(how, "gzip") == 0) {
        bomb(reply);
    } else if (tree && strcmp(how, "duplicate") == 0) {
        buf_reset(&reply->body);
        duplicate(tree, &reply->body);
    } else if (tree) {
        bend_values(tree, strcmp(how, "nulls") == 0);
        char *text = json_print(tree);
        buf_reset(&reply->body);
        buf_adds(&reply->body, text);
        free(text);
    }
    cJSON_Delete(tree);
}
