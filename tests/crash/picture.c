#include "picture.h"

#include <ctype.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

/* After a number: the unit that it is told in, which changes with it ("110 min", "2 h 10 min"), and
 * what follows of it. */
static size_t rest_of_duration(const char *s)
{
    static const char *const units[] = { " min", " ms", " d", " h", " s" };

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        size_t n = strlen(units[i]), digits;
        if (!text_starts(s, units[i]) || isalpha((unsigned char)s[n]))
            continue;
        digits = s[n] == ' ' ? strspn(s + n + 1, "0123456789") : 0;
        return digits ? n + 1 + digits + rest_of_duration(s + n + 1 + digits) : n;
    }
    return 0;
}

/* How many bytes of `s` belong to a run that differs from run to run, and what stands for it. */
static size_t variable_run(const char *s, char *ret)
{
    static const char *const bars[] = { "·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    size_t n = strspn(s, "0123456789");

    *ret = '#';
    if (n > 0)
        return n + rest_of_duration(s + n);
    *ret = '~'; /* the bars of a chart, whose intervals begin at other times */
    for (size_t i = 0; i < ARRAY_LEN(bars); i++) {
        if (!text_starts(s + n, bars[i]))
            continue;
        n += strlen(bars[i]);
        i = (size_t)-1; /* and the next one */
    }
    return n;
}

static void mask(const char *s, struct buf *out)
{
    char stands;

    while (s && *s) {
        size_t n = variable_run(s, &stands);
        buf_addc(out, n > 0 ? stands : *s);
        s += n > 0 ? n : 1;
    }
}

/* Ids and values of buttons name the job; block ids are Slack's; which intervals a chart has
 * depends on when it was drawn. */
static bool is_made_up(const char *key)
{
    return text_same(key, "block_id") || text_same(key, "value") || text_same(key, "chart");
}

static void mask_tree(cJSON *item)
{
    cJSON *child = item->child, *next;

    if (cJSON_IsNumber(item))
        cJSON_SetNumberValue(item, 0);
    if (cJSON_IsString(item)) {
        struct buf masked = BUF_INIT;
        mask(item->valuestring, &masked);
        cJSON_SetValuestring(item, buf_str(&masked));
        buf_clear(&masked);
    }
    for (; child; child = next) {
        next = child->next;
        if (is_made_up(child->string))
            cJSON_Delete(cJSON_DetachItemViaPointer(item, child));
        else
            mask_tree(child);
    }
}

static char *look_of(const cJSON *message)
{
    cJSON *seen = cJSON_CreateObject();
    char *text;

    json_put_str(seen, "text", json_str(message, "text"));
    if (json_get(message, "blocks"))
        cJSON_AddItemToObject(seen, "blocks", cJSON_Duplicate(json_get(message, "blocks"), true));
    mask_tree(seen);
    text = json_print(seen);
    cJSON_Delete(seen);
    return text;
}

static void add_line(struct picture *p, const cJSON *message, const char *root_ts)
{
    struct picture_line *line = VEC_ADD(p->lines, p->n, p->cap);
    const cJSON *payload = json_path(message, "metadata", "event_payload", NULL);

    line->part = xstrdup(json_str_or(payload, "part", "-"));
    line->look = look_of(message);
    line->in_thread =
        json_str(message, "thread_ts") && text_same(json_str(message, "thread_ts"), root_ts);
}

void picture_take(struct stage *s, size_t channel, struct picture *ret)
{
    char *id = world_channel(channel), *path = xasprintf("/state?channel=%s", id);
    cJSON *state = stage_get(s, path);
    const char *root_ts = NULL;

    *ret = (struct picture){ 0 };
    for (const cJSON *m = json_items(state, "messages"); m; m = m->next) {
        if (json_str(m, "shown_to")) {
            ret->whispers++;
            continue;
        }
        if (!json_str(m, "thread_ts") || text_same(json_str(m, "thread_ts"), json_str(m, "ts")))
            root_ts = json_str(m, "ts");
        add_line(ret, m, root_ts);
    }
    cJSON_Delete(state);
    free(path);
    free(id);
}

void picture_clear(struct picture *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->lines[i].part);
        free(p->lines[i].look);
    }
    free(p->lines);
    *p = (struct picture){ 0 };
}

static int count_part(const struct picture *p, const char *part)
{
    int n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += strcmp(p->lines[i].part, part) == 0;
    return n;
}

static bool seen_before(const struct picture *p, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(p->lines[k].part, p->lines[i].part) == 0)
            return true;
    return false;
}

static void compare_counts(const struct picture *wanted, const struct picture *p,
                           struct picture_difference *sum, struct buf *text)
{
    for (size_t i = 0; i < wanted->n; i++) {
        const char *part = wanted->lines[i].part;
        int more = count_part(p, part) - count_part(wanted, part);
        if (more == 0 || seen_before(wanted, i))
            continue;
        *(more < 0 ? &sum->missing : &sum->doubled) += more < 0 ? -more : more;
        buf_addf(text, "  %s: %d instead of %d\n", part, count_part(p, part),
                 count_part(wanted, part));
    }
    for (size_t i = 0; i < p->n; i++) {
        if (count_part(wanted, p->lines[i].part) > 0)
            continue;
        sum->other++;
        buf_addf(text, "  one too many: %s %s\n", p->lines[i].part, p->lines[i].look);
    }
}

/* Some of both, around the place where they part. */
static void describe_difference(const char *a, const char *b, struct buf *text)
{
    size_t at = 0, from;

    while (a[at] && a[at] == b[at])
        at++;
    from = at > 60 ? at - 60 : 0;
    if (a[at] != b[at])
        buf_addf(text, "    wanted ...%.160s\n    got    ...%.160s\n", a + from, b + from);
}

void picture_compare(const struct picture *wanted, const struct picture *p, const char *any_look,
                     struct picture_difference *sum, struct buf *text)
{
    struct picture_difference before = *sum;

    compare_counts(wanted, p, sum, text);
    if (memcmp(&before, sum, sizeof(before)) != 0)
        return;
    for (size_t i = 0; i < wanted->n; i++) {
        const struct picture_line *a = &wanted->lines[i], *b = &p->lines[i];
        bool same = strcmp(a->look, b->look) == 0 || text_same(a->part, any_look);
        if (strcmp(a->part, b->part) == 0 && same && a->in_thread == b->in_thread)
            continue;
        sum->other++;
        buf_addf(text, "  place %zu differs: %s instead of %s%s\n", i + 1, b->part, a->part,
                 a->in_thread == b->in_thread ? "" : ", in another thread");
        describe_difference(a->look, b->look, text);
    }
}
