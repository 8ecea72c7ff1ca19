#include "sentry/search.h"

#include <ctype.h>
#include <fnmatch.h>
#include <strings.h>

#include "dbconn/base/clock.h"
#include "dbconn/base/text.h"

struct term {
    bool negated;
    char *key;     /* NULL: free text */
    char *value;   /* as written, without the quotes around it */
    char **values; /* of [a,b]; else the one */
    size_t n, cap;
};

struct search {
    const struct sentry_model *m;
    struct term *terms;
    size_t n, cap;
    struct tags tags; /* of the event at hand; kept for its memory */
};

void search_free(struct search *search)
{
    if (!search)
        return;
    for (size_t i = 0; i < search->n; i++) {
        struct term *t = &search->terms[i];
        for (size_t k = 0; k < t->n; k++)
            free(t->values[k]);
        free(t->values);
        free(t->key);
        free(t->value);
    }
    free(search->terms);
    tags_clear(&search->tags);
    free(search);
}

/* ---- reading ---- */

static char *unquote(const char *text, size_t len)
{
    struct buf out = BUF_INIT;
    bool quoted = len >= 2 && text[0] == '"' && text[len - 1] == '"';

    for (size_t i = quoted; i < len - quoted; i++) {
        if (quoted && text[i] == '\\' && i + 1 < len - 1)
            i++;
        buf_addc(&out, text[i]);
    }
    return buf_take(&out);
}

/* The end of a value: a quoted string, a list, or a word. */
static const char *value_end(const char *p)
{
    if (*p == '"') {
        for (p++; *p && *p != '"'; p++)
            if (*p == '\\' && p[1])
                p++;
        return *p ? p + 1 : p;
    }
    if (*p == '[') {
        const char *close = strchr(p, ']');
        return close ? close + 1 : p + strlen(p);
    }
    return p + strcspn(p, " \t\n");
}

static void read_values(struct term *t, const char *text, size_t len)
{
    if (text[0] != '[') {
        *VEC_ADD(t->values, t->n, t->cap) = unquote(text, len);
        return;
    }
    for (const char *p = text + 1, *end = text + len - 1; p < end;) {
        size_t n = strcspn(p, ",]");
        while (n > 0 && isspace((unsigned char)*p)) {
            p++;
            n--;
        }
        *VEC_ADD(t->values, t->n, t->cap) = unquote(p, n);
        p += n + 1;
    }
}

static bool is_key_char(char c)
{
    return isalnum((unsigned char)c) || strchr("._-", c);
}

/* Reads one term; gives what follows it. */
static const char *read_term(const char *p, struct term *t)
{
    const char *key = p, *end;

    *t = (struct term){ 0 };
    if (*p == '!') {
        t->negated = true;
        key = ++p;
    }
    while (*p && is_key_char(*p))
        p++;
    if (*p == ':' && p > key && p[1] && !isspace((unsigned char)p[1])) {
        t->key = xstrndup(key, (size_t)(p - key));
        p++;
    } else {
        p = key;
    }
    end = value_end(p);
    t->value = unquote(p, (size_t)(end - p));
    read_values(t, p, (size_t)(end - p));
    return end;
}

/* ---- comparing ---- */

static bool matches(const char *pattern, const char *value)
{
    if (!value)
        return false;
    if (strchr(pattern, '*'))
        return fnmatch(pattern, value, FNM_CASEFOLD | FNM_NOESCAPE) == 0;
    return strcmp(pattern, value) == 0;
}

static bool is_one(const struct term *t, const char *value)
{
    for (size_t i = 0; i < t->n; i++)
        if (matches(t->values[i], value))
            return true;
    return false;
}

static bool contains(const struct term *t, const char *value)
{
    if (!value)
        return false;
    return strchr(t->value, '*') ? matches(t->value, value) : text_icontains(value, t->value);
}

int64_t search_period(const char *text)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {
        { 's', SECOND_MS }, { 'm', MINUTE_MS },  { 'h', HOUR_MS },
        { 'd', DAY_MS },    { 'w', 7 * DAY_MS },
    };
    char *end;
    long long n = strtoll(text, &end, 10);

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (end > text && end[0] == units[i].unit && end[1] == '\0' && n > 0)
            return n * units[i].ms;
    return 0;
}

struct bound {
    char op[3]; /* ">", ">=", "<", "<=", "" */
    int64_t at;
};

static const char *read_op(const char *text, struct bound *ret)
{
    size_t n = strspn(text, "<>=");

    memcpy(ret->op, text, n < 2 ? n : 2);
    ret->op[n < 2 ? n : 2] = '\0';
    return text + n;
}

/* "-24h" (since then), "+24h" (before then), ">2026-01-02T03:04:05" ... */
static bool read_time(const struct sentry_model *m, const char *text, struct bound *ret)
{
    const char *rest = read_op(text, ret);

    if ((*rest == '-' || *rest == '+') && search_period(rest + 1)) {
        ret->at = m->world->now_ms - search_period(rest + 1);
        memcpy(ret->op, *rest == '-' ? ">=" : "<=", 3);
        return true;
    }
    return time_parse_iso(rest, &ret->at);
}

static bool holds(const struct bound *b, int64_t value)
{
    if (strcmp(b->op, ">") == 0)
        return value > b->at;
    if (strcmp(b->op, ">=") == 0)
        return value >= b->at;
    if (strcmp(b->op, "<") == 0)
        return value < b->at;
    if (strcmp(b->op, "<=") == 0)
        return value <= b->at;
    return value == b->at;
}

/* ---- what a term may be about ---- */

enum subject {
    ABOUT_TEXT,
    ABOUT_IS,
    ABOUT_FIRST_SEEN,
    ABOUT_LAST_SEEN,
    ABOUT_TIMESTAMP,
    ABOUT_FIRST_RELEASE,
    ABOUT_TIMES_SEEN,
    ABOUT_PRIORITY,
    ABOUT_KIND,
    ABOUT_PROJECT,
    ABOUT_ISSUE,
    ABOUT_HAS,
    ABOUT_NOBODY,
    ABOUT_ERROR_TYPE,
    ABOUT_ERROR_VALUE,
    ABOUT_TITLE,
    ABOUT_MESSAGE,
    ABOUT_CULPRIT,
    ABOUT_PLATFORM,
    ABOUT_FILE,
    ABOUT_FUNCTION,
    ABOUT_MODULE,
    ABOUT_USER,
    ABOUT_TAG,
};

static const struct {
    const char *key;
    enum subject subject;
} subjects[] = {
    { "is", ABOUT_IS },
    { "firstSeen", ABOUT_FIRST_SEEN },
    { "age", ABOUT_FIRST_SEEN },
    { "lastSeen", ABOUT_LAST_SEEN },
    { "timestamp", ABOUT_TIMESTAMP },
    { "firstRelease", ABOUT_FIRST_RELEASE },
    { "timesSeen", ABOUT_TIMES_SEEN },
    { "issue.priority", ABOUT_PRIORITY },
    { "priority", ABOUT_PRIORITY },
    { "issue.category", ABOUT_KIND },
    { "issue.type", ABOUT_KIND },
    { "event.type", ABOUT_KIND },
    { "project", ABOUT_PROJECT },
    { "project.name", ABOUT_PROJECT },
    { "project.id", ABOUT_PROJECT },
    { "issue", ABOUT_ISSUE },
    { "issue.id", ABOUT_ISSUE },
    { "has", ABOUT_HAS },
    { "assigned", ABOUT_NOBODY },
    { "assigned_or_suggested", ABOUT_NOBODY },
    { "bookmarks", ABOUT_NOBODY },
    { "error.type", ABOUT_ERROR_TYPE },
    { "error.value", ABOUT_ERROR_VALUE },
    { "title", ABOUT_TITLE },
    { "message", ABOUT_MESSAGE },
    { "culprit", ABOUT_CULPRIT },
    { "platform", ABOUT_PLATFORM },
    { "platform.name", ABOUT_PLATFORM },
    { "stack.filename", ABOUT_FILE },
    { "stack.function", ABOUT_FUNCTION },
    { "stack.module", ABOUT_MODULE },
    { "user.id", ABOUT_USER },
};

static enum subject subject_of(const struct term *t)
{
    if (!t->key)
        return ABOUT_TEXT;
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
        if (strcmp(subjects[i].key, t->key) == 0)
            return subjects[i].subject;
    return ABOUT_TAG;
}

static bool is_state(const struct issue *g, const char *word)
{
    static const char *const statuses[] = { "unresolved", "resolved" };
    const char *substatus = json_str_or(g->spec, "substatus", "ongoing");

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (strcmp(word, statuses[i]) == 0)
            return strcmp(g->status, word) == 0;
    if (strcmp(word, "archived") == 0 || strcmp(word, "ignored") == 0)
        return strcmp(g->status, "ignored") == 0;
    if (strcmp(word, "unassigned") == 0)
        return json_str(g->spec, "assigned") == NULL;
    if (strcmp(word, "assigned") == 0)
        return json_str(g->spec, "assigned") != NULL;
    if (strcmp(word, "for_review") == 0 || strcmp(word, "unlinked") == 0)
        return true;
    return strcmp(word, substatus) == 0;
}

static bool is_known_state(const char *word)
{
    static const char *const words[] = { "unresolved", "resolved",   "archived", "ignored",
                                         "unassigned", "assigned",   "new",      "for_review",
                                         "ongoing",    "escalating", "unlinked", "regressed",
                                         "linked" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool frame_has(const struct term *t, const cJSON *trace, int column)
{
    for (const cJSON *x = json_items(trace, "exceptions"); x; x = x->next)
        for (const cJSON *f = json_items(x, "frames"); f; f = f->next)
            if (is_one(t, cJSON_GetStringValue(cJSON_GetArrayItem(f, column))))
                return true;
    return false;
}

static bool exception_has(const struct term *t, const cJSON *trace, const char *member,
                          const char *main_value)
{
    for (const cJSON *x = json_items(trace, "exceptions"); x; x = x->next)
        if (is_one(t, json_str(x, member)))
            return true;
    return is_one(t, main_value);
}

/* Terms about the error itself: the same for an issue's variant and for an event. */
static bool error_has(const struct term *t, enum subject subject, const cJSON *trace,
                      const cJSON *variant, const char *culprit)
{
    const cJSON *x = trace_exception(trace);
    const char *type = json_str_or(x, "type", "Error"), *value = variant_value(variant, x);
    char *line = xasprintf("%s: %s", type, value ? value : "");
    bool yes = false;

    if (subject == ABOUT_ERROR_TYPE)
        yes = exception_has(t, trace, "type", NULL);
    else if (subject == ABOUT_ERROR_VALUE)
        yes = exception_has(t, trace, "value", value);
    else if (subject == ABOUT_TITLE)
        yes = is_one(t, line);
    else if (subject == ABOUT_TEXT)
        yes =
            contains(t, line) || contains(t, culprit) || contains(t, json_str(variant, "message"));
    else if (subject == ABOUT_MESSAGE)
        yes = contains(t, line);
    else if (subject == ABOUT_CULPRIT)
        yes = is_one(t, culprit);
    else if (subject == ABOUT_PLATFORM)
        yes = is_one(t, json_str(trace, "platform"));
    else if (subject == ABOUT_FILE)
        yes = frame_has(t, trace, 0);
    else if (subject == ABOUT_FUNCTION)
        yes = frame_has(t, trace, 1);
    else if (subject == ABOUT_MODULE)
        yes = frame_has(t, trace, 4);
    free(line);
    return yes;
}

static bool event_has_tag(struct search *s, const struct event *e, const struct term *t,
                          enum subject subject)
{
    const char *user;

    event_tags(s->m, e, &s->tags);
    if (subject == ABOUT_HAS)
        return tags_get(&s->tags, t->value) != NULL;
    if (subject == ABOUT_USER) {
        user = tags_get(&s->tags, "user");
        return user && is_one(t, user + strlen("id:"));
    }
    return is_one(t, tags_get(&s->tags, t->key));
}

static bool issue_time(const struct search *s, const struct term *t, int64_t at)
{
    struct bound b;

    return read_time(s->m, t->value, &b) && holds(&b, at);
}

static bool issue_error(const struct search *s, const struct issue *g, const struct term *t,
                        enum subject subject)
{
    for (size_t i = 0; i < g->variants.n; i++) {
        int64_t trace = 0;
        (void)json_i64(g->variants.item[i], "trace", &trace);
        if (error_has(t, subject, list_at(&s->m->traces, (size_t)trace), g->variants.item[i],
                      issue_culprit(g)))
            return true;
    }
    return false;
}

static bool any_event_has(struct search *s, const struct issue *g, const struct term *t,
                          enum subject subject)
{
    for (size_t i = 0; i < g->n; i++)
        if (event_has_tag(s, &g->events[i], t, subject))
            return true;
    return false;
}

static bool issue_count(const struct issue *g, const struct term *t)
{
    struct bound b;
    const char *rest = read_op(t->value, &b);

    b.at = strtoll(rest, NULL, 10);
    return holds(&b, g->count);
}

static bool issue_fits(struct search *s, const struct issue *g, const struct term *t)
{
    enum subject subject = subject_of(t);

    switch (subject) {
    case ABOUT_IS:
        return is_state(g, t->value);
    case ABOUT_FIRST_SEEN:
        return issue_time(s, t, g->first_ms);
    case ABOUT_LAST_SEEN:
    case ABOUT_TIMESTAMP:
        return issue_time(s, t, g->last_ms);
    case ABOUT_FIRST_RELEASE:
        return is_one(t, g->first_release);
    case ABOUT_TIMES_SEEN:
        return issue_count(g, t);
    case ABOUT_PRIORITY:
        return is_one(t, g->priority);
    case ABOUT_KIND:
        return is_one(t, "error");
    case ABOUT_PROJECT:
        return is_one(t, json_str(g->project, "slug")) || is_one(t, json_str(g->project, "id")) ||
               is_one(t, json_str(g->project, "name"));
    case ABOUT_ISSUE:
        return is_one(t, g->short_id) || is_one(t, g->id);
    case ABOUT_NOBODY:
        return false;
    case ABOUT_HAS:
    case ABOUT_USER:
    case ABOUT_TAG:
        return any_event_has(s, g, t, subject);
    case ABOUT_TEXT:
    case ABOUT_ERROR_TYPE:
    case ABOUT_ERROR_VALUE:
    case ABOUT_TITLE:
    case ABOUT_MESSAGE:
    case ABOUT_CULPRIT:
    case ABOUT_PLATFORM:
    case ABOUT_FILE:
    case ABOUT_FUNCTION:
    case ABOUT_MODULE:
        break;
    }
    return issue_error(s, g, t, subject);
}

static bool event_fits(struct search *s, const struct event *e, const struct term *t)
{
    enum subject subject = subject_of(t);
    const struct issue *g = e->issue;

    switch (subject) {
    case ABOUT_TIMESTAMP:
        return issue_time(s, t, e->at_ms);
    case ABOUT_ISSUE:
        return is_one(t, g->short_id) || is_one(t, g->id);
    case ABOUT_KIND:
        return is_one(t, "error");
    case ABOUT_PROJECT:
        return is_one(t, json_str(g->project, "slug")) || is_one(t, json_str(g->project, "id"));
    case ABOUT_IS:
    case ABOUT_FIRST_SEEN:
    case ABOUT_LAST_SEEN:
    case ABOUT_FIRST_RELEASE:
    case ABOUT_TIMES_SEEN:
    case ABOUT_PRIORITY:
    case ABOUT_NOBODY:
    case ABOUT_HAS:
    case ABOUT_USER:
    case ABOUT_TAG:
        return event_has_tag(s, e, t, subject);
    case ABOUT_TEXT:
    case ABOUT_ERROR_TYPE:
    case ABOUT_ERROR_VALUE:
    case ABOUT_TITLE:
    case ABOUT_MESSAGE:
    case ABOUT_CULPRIT:
    case ABOUT_PLATFORM:
    case ABOUT_FILE:
    case ABOUT_FUNCTION:
    case ABOUT_MODULE:
        break;
    }
    return error_has(t, subject, event_trace(s->m, e), event_variant(e),
                     json_str_or(g->spec, "culprit", event_transaction(e)));
}

bool search_takes_issue(struct search *s, const struct issue *g)
{
    for (size_t i = 0; i < s->n; i++)
        if (issue_fits(s, g, &s->terms[i]) == s->terms[i].negated)
            return false;
    return true;
}

bool search_takes_event(struct search *s, const struct event *e)
{
    for (size_t i = 0; i < s->n; i++)
        if (event_fits(s, e, &s->terms[i]) == s->terms[i].negated)
            return false;
    return true;
}

/* ---- checking ---- */

static int check_term(const struct sentry_model *m, const struct term *t, bool for_issues,
                      struct error *err)
{
    enum subject subject = subject_of(t);
    struct bound b;

    if (subject == ABOUT_IS && for_issues && !is_known_state(t->value))
        return error_set(err, ERR_INVALID,
                         "Error parsing search query: Invalid value for \"is\" "
                         "search: '%s'",
                         t->value);
    if ((subject == ABOUT_FIRST_SEEN || subject == ABOUT_LAST_SEEN || subject == ABOUT_TIMESTAMP) &&
        !read_time(m, t->value, &b))
        return error_set(err, ERR_INVALID, "Error parsing search query: %s: Invalid date: %s.",
                         t->key, t->value);
    return 0;
}

int search_parse(const struct sentry_model *m, const char *query, bool for_issues,
                 struct search **ret, struct error *err)
{
    struct search *s = xcalloc(1, sizeof(*s));

    s->m = m;
    for (const char *p = query; *p;) {
        struct term t;
        if (isspace((unsigned char)*p)) {
            p++;
            continue;
        }
        p = read_term(p, &t);
        *VEC_ADD(s->terms, s->n, s->cap) = t;
        if (!t.key && (strcmp(t.value, "AND") == 0 || strcmp(t.value, "OR") == 0)) {
            search_free(s);
            return error_set(err, ERR_INVALID,
                             "Error parsing search query: Boolean statements "
                             "containing \"OR\" or \"AND\" are not supported");
        }
        if (check_term(m, &t, for_issues, err) < 0) {
            search_free(s);
            return -1;
        }
    }
    *ret = s;
    return 0;
}

const char *search_value(const struct search *search, const char *key)
{
    for (size_t i = 0; i < search->n; i++)
        if (text_same(search->terms[i].key, key))
            return search->terms[i].value;
    return NULL;
}

bool search_has_more_than(const struct search *search, const char *key)
{
    for (size_t i = 0; i < search->n; i++)
        if (!text_same(search->terms[i].key, key))
            return true;
    return false;
}

int search_window(const struct params *query, int64_t *ret_since, int64_t *ret_until,
                  struct error *err)
{
    const char *period = params_get(query, "statsPeriod");
    const char *start = params_get(query, "start"), *end = params_get(query, "end");
    int64_t now = clock_wall_ms();

    *ret_since = *ret_until = 0;
    if (period) {
        if (!search_period(period))
            return error_set(err, ERR_INVALID, "Invalid statsPeriod: '%s'", period);
        *ret_since = now - search_period(period);
        *ret_until = now + MINUTE_MS;
        return 0;
    }
    if (!start && !end)
        return 0;
    if (!start || !end)
        return error_set(err, ERR_INVALID, "start and end are both required");
    if (!time_parse_iso(start, ret_since) || !time_parse_iso(end, ret_until))
        return error_set(err, ERR_INVALID, "start and end are not valid dates");
    if (*ret_since >= *ret_until)
        return error_set(err, ERR_INVALID, "start must be before end");
    return 0;
}
