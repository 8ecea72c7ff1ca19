/* Finds where values begin and end; what they are is for json_parse() to say. */
#include "dbconn/base/json_each.h"

#include <string.h>

#include "dbconn/base/json.h"

struct cursor {
    const char *at, *end;
};

static char skip_space(struct cursor *c)
{
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at)
        c->at++;
    return c->at < c->end ? *c->at : '\0';
}

/* From a quote behind its partner. */
static bool skip_string(struct cursor *c)
{
    const char *start = c->at + 1, *quote = c->at, *before;

    do {
        quote = memchr(quote + 1, '"', (size_t)(c->end - quote - 1));
        if (!quote) {
            c->at = c->end;
            return false;
        }
        for (before = quote; before > start && before[-1] == '\\'; before--)
            continue;
    } while ((quote - before) % 2 != 0); /* escaped */
    c->at = quote + 1;
    return true;
}

static bool skip_brackets(struct cursor *c)
{
    size_t depth = 0;

    while (c->at < c->end) {
        char byte = *c->at;
        if (byte == '"') {
            if (!skip_string(c))
                return false;
            continue;
        }
        c->at++;
        byte |= 0x20; /* [ and { differ in this bit, and so do ] and } */
        if (byte == '{')
            depth++;
        else if (byte == '}' && --depth == 0)
            return true;
    }
    return false;
}

static bool skip_value(struct cursor *c)
{
    const char *start;

    switch (skip_space(c)) {
    case '"':
        return skip_string(c);
    case '[':
    case '{':
        return skip_brackets(c);
    default:
        start = c->at;
        while (c->at < c->end && *c->at && !strchr(",]} \t\r\n", *c->at))
            c->at++;
        return c->at > start;
    }
}

/* From `{` to the value of the first member with that name. */
static bool enter(struct cursor *c, const char *name, size_t len)
{
    if (skip_space(c) != '{')
        return false;
    do {
        c->at++;
        if (skip_space(c) != '"')
            return false;
        const char *start = c->at + 1;
        if (!skip_string(c))
            return false;
        bool same = (size_t)(c->at - 1 - start) == len && memcmp(start, name, len) == 0;
        if (skip_space(c) != ':')
            return false;
        c->at++;
        (void)skip_space(c);
        if (same)
            return true;
        if (!skip_value(c))
            return false;
    } while (skip_space(c) == ',');
    return false;
}

static bool find_list(struct cursor *c, const char *path)
{
    while (*path) {
        size_t len = strcspn(path, ".");
        if (!enter(c, path, len))
            return false;
        path += len + (path[len] == '.');
    }
    return skip_space(c) == '[';
}

static int parse_rest(const char *text, size_t len, const char *list, const char *list_end,
                      const char *what, cJSON **ret, struct error *err)
{
    struct buf rest = BUF_INIT;

    buf_add(&rest, text, (size_t)(list - text));
    buf_adds(&rest, "[]");
    buf_add(&rest, list_end, len - (size_t)(list_end - text));
    int rc = json_parse(buf_str(&rest), rest.len, what, ret, err);
    buf_clear(&rest);
    return rc;
}

static int take_elements(struct cursor *c, const char *what, json_each_text_fn *each, void *user,
                         struct error *err)
{
    int rc = 0;

    c->at++;
    if (skip_space(c) == ']')
        return 0;
    while (rc == 0) {
        const char *start = c->at;
        if (!skip_value(c))
            return error_set(err, ERR_PROTOCOL, "%s is not valid JSON", what);
        rc = each(user, start, (size_t)(c->at - start), err);
        char next = rc == 0 ? skip_space(c) : ']';
        if (next == ']')
            break;
        if (next != ',')
            return error_set(err, ERR_PROTOCOL, "%s is not valid JSON", what);
        c->at++;
    }
    return rc < 0 ? -1 : 0;
}

int json_each_text(const char *text, size_t len, const char *path, const char *what,
                   json_each_text_fn *each, void *user, cJSON **ret_rest, struct error *err)
{
    struct cursor c = { text, text + len }, list;
    cJSON *rest = NULL;

    if (!find_list(&c, path)) {
        if (json_parse(text, len, what, &rest, err) < 0)
            return -1;
        if (ret_rest)
            *ret_rest = rest;
        else
            cJSON_Delete(rest);
        return 1;
    }
    list = c;
    if (!skip_value(&c))
        return error_set(err, ERR_PROTOCOL, "%s is not valid JSON", what);
    if (ret_rest && parse_rest(text, len, list.at, c.at, what, &rest, err) < 0)
        return -1;
    list.end = c.at;
    if (take_elements(&list, what, each, user, err) < 0) {
        cJSON_Delete(rest);
        return -1;
    }
    if (ret_rest)
        *ret_rest = rest;
    return 0;
}

struct parsing {
    const char *what;
    json_each_fn *each;
    void *user;
};

static int parse_one(void *user, const char *text, size_t len, struct error *err)
{
    const struct parsing *p = user;
    cJSON *one = NULL;
    int rc = json_parse(text, len, p->what, &one, err);

    if (rc == 0)
        rc = p->each(p->user, one, err);
    cJSON_Delete(one);
    return rc;
}

int json_each(const char *text, size_t len, const char *path, const char *what, json_each_fn *each,
              void *user, cJSON **ret_rest, struct error *err)
{
    struct parsing p = { what, each, user };

    return json_each_text(text, len, path, what, parse_one, &p, ret_rest, err);
}
