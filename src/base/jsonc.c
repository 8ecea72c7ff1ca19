#include "dbconn/base/jsonc.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "dbconn/base/json.h"

#define MAX_FILE_BYTES (4u << 20)

static void blank(char *from, const char *to)
{
    for (; from < to; from++)
        if (*from != '\n')
            *from = ' ';
}

static char *skip_string(char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

static char *skip_comment(char *p)
{
    char *end;

    if (p[1] == '/') {
        end = p + strcspn(p, "\n");
    } else {
        end = strstr(p + 2, "*/");
        end = end ? end + 2 : p + strlen(p);
    }
    blank(p, end);
    return end;
}

/* Replaces comments and trailing commas by blanks; nothing moves. */
static void blank_comments(char *text)
{
    char *comma = NULL;

    for (char *p = text; *p;) {
        if (*p == '"') {
            comma = NULL;
            p = skip_string(p);
        } else if (*p == '/' && (p[1] == '/' || p[1] == '*')) {
            p = skip_comment(p);
        } else {
            if ((*p == '}' || *p == ']') && comma)
                *comma = ' ';
            if (*p == ',')
                comma = p;
            else if (!isspace((unsigned char)*p))
                comma = NULL;
            p++;
        }
    }
}

static int line_at(const char *text, const char *at)
{
    int line = 1;

    for (; text < at && *text; text++)
        line += *text == '\n';
    return line;
}

int jsonc_parse(const char *path, const char *text, struct jsonc *ret, struct error *err)
{
    char *copy = xstrdup(text);
    const char *end = NULL;

    blank_comments(copy);
    cJSON *tree = cJSON_ParseWithOpts(copy, &end, true);
    if (!tree) {
        int line = line_at(copy, end ? end : copy);
        free(copy);
        return error_set(err, ERR_CONFIG,
                         "%s:%d: this is no valid JSON (a missing comma or quote?)", path, line);
    }
    *ret = (struct jsonc){ xstrdup(path), copy, tree };
    return 0;
}

int file_read(const char *path, size_t max, struct buf *ret, struct error *err)
{
    char chunk[16384];
    size_t n;
    FILE *file = fopen(path, "re");

    if (!file)
        return error_set(err, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        if (!buf_add_capped(ret, chunk, n, max)) {
            fclose(file);
            return error_set(err, ERR_CONFIG, "%s is larger than %zu bytes", path, max);
        }
    }
    bool failed = ferror(file);
    fclose(file);
    return failed ? error_set(err, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno)) : 0;
}

int jsonc_load(const char *path, struct jsonc *ret, struct error *err)
{
    struct buf text = BUF_INIT;
    int rc = file_read(path, MAX_FILE_BYTES, &text, err);

    if (rc == 0)
        rc = jsonc_parse(path, buf_str(&text), ret, err);
    buf_clear(&text);
    return rc;
}

void jsonc_clear(struct jsonc *doc)
{
    free(doc->path);
    free(doc->text);
    cJSON_Delete(doc->tree);
    *doc = (struct jsonc){ 0 };
}

static char *skip_space(char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

/* `p` stands on a value; gives what follows it. The text is known to be valid. */
static char *skip_value(char *p)
{
    int depth = 0;

    p = skip_space(p);
    do {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        else if (*p == '}' || *p == ']')
            depth--;
        else if (depth == 0)
            return p + strcspn(p, ",]}\n");
        p++;
    } while (depth > 0 && *p);
    return p;
}

/* In the object at `p`: the value of that member, and in *ret_key where its name stands. */
static char *find_member(char *p, const char *name, size_t len, char **ret_key)
{
    for (p = skip_space(p + 1); *p == '"'; p = skip_space(p)) {
        char *key = p;
        p = skip_space(skip_string(p));
        char *value = skip_space(*p ? p + 1 : p);
        if (strncmp(key + 1, name, len) == 0 && key[1 + len] == '"') {
            *ret_key = key;
            return value;
        }
        p = skip_space(skip_value(value));
        if (*p != ',')
            break;
        p++;
    }
    return NULL;
}

static char *find_element(char *p, long index)
{
    for (p = skip_space(p + 1); index > 0; index--) {
        p = skip_space(skip_value(p));
        if (*p != ',')
            return NULL;
        p = skip_space(p + 1);
    }
    return p;
}

int jsonc_line(const struct jsonc *doc, const char *dotted)
{
    char *at = skip_space(doc->text), *known = at, *key = at;

    while (at && *dotted) {
        if (*dotted == '[') {
            char *end;
            long index = strtol(dotted + 1, &end, 10);
            key = at = *at == '[' ? find_element(at, index) : NULL;
            dotted = *end == ']' ? end + 1 : end;
        } else {
            size_t len = strcspn(dotted, ".[");
            at = *at == '{' ? find_member(at, dotted, len, &key) : NULL;
            dotted += len;
        }
        if (*dotted == '.')
            dotted++;
        if (at)
            known = key;
    }
    return line_at(doc->text, known);
}
