#include "dbconn/diagnosis/rules.h"

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/condition.h"

#define EVIDENCE_SHOWN 6

struct tally {
    double points[CAUSE_COUNT];
    bool out[CAUSE_COUNT]; /* its "requires" does not hold */
};

struct weighing {
    double floor, high, medium, margin;
};

static double number_or(const cJSON *obj, const char *key, double fallback)
{
    double value;

    return json_num(obj, key, &value) ? value : fallback;
}

static struct weighing weighing_of(const cJSON *document)
{
    const cJSON *w = json_get(document, "weighing");

    return (struct weighing){ .floor = number_or(w, "floor", 40),
                              .high = number_or(w, "high", 80),
                              .medium = number_or(w, "medium", 55),
                              .margin = number_or(w, "margin", 20) };
}

static bool holds(const cJSON *entry, const struct evidence *board)
{
    const cJSON *condition = json_get(entry, "if");

    return !condition || condition_holds(condition, board) == YES;
}

static double points_for(const cJSON *signal, enum cause cause)
{
    return number_or(json_get(signal, "points"), cause_name(cause), 0);
}

static void count_points(const cJSON *document, const struct evidence *board, struct tally *tally)
{
    const cJSON *signal;

    *tally = (struct tally){ 0 };
    tally->points[CAUSE_INCONCLUSIVE] = weighing_of(document).floor;
    cJSON_ArrayForEach (signal, json_get(document, "signals")) {
        if (!holds(signal, board))
            continue;
        for (size_t c = 0; c < CAUSE_COUNT; c++)
            tally->points[c] += points_for(signal, (enum cause)c);
    }
    for (size_t c = 0; c < CAUSE_COUNT; c++) {
        const cJSON *requires =
            json_path(document, "causes", cause_name((enum cause)c), "requires", NULL);
        tally->out[c] = requires && condition_holds(requires, board) != YES;
    }
}

static enum cause best_cause(const struct tally *tally, int except)
{
    int best = -1;

    for (int c = 0; c < CAUSE_COUNT; c++)
        if (c != except && !tally->out[c] && (best < 0 || tally->points[c] > tally->points[best]))
            best = c;
    return best < 0 ? CAUSE_INCONCLUSIVE : (enum cause)best;
}

static enum confidence confidence_parse(const char *name)
{
    return text_same(name, "high")     ? CONFIDENCE_HIGH
           : text_same(name, "medium") ? CONFIDENCE_MEDIUM
                                       : CONFIDENCE_LOW;
}

static bool cap_concerns(const cJSON *cap, enum cause cause)
{
    const cJSON *causes = json_get(cap, "causes"), *item;

    if (!causes)
        return true;
    cJSON_ArrayForEach (item, causes) {
        if (text_same(cJSON_GetStringValue(item), cause_name(cause)))
            return true;
    }
    return false;
}

static char *filled(const char *template, const struct evidence *board)
{
    struct buf text = BUF_INIT;

    sentence_fill(template, board, &text);
    return buf_take(&text);
}

static void add_missing(struct diagnosis *d, const char *template, const struct evidence *board)
{
    char *text = filled(template, board);

    for (size_t i = 0; i < d->n_missing; i++) {
        if (strcmp(d->missing[i], text) == 0) {
            free(text);
            return;
        }
    }
    string_add(&d->missing, &d->n_missing, &d->cap_missing, text);
    free(text);
}

static enum confidence weigh_confidence(const cJSON *document, const struct evidence *board,
                                        const struct tally *tally, struct diagnosis *d)
{
    struct weighing w = weighing_of(document);
    double points = tally->points[d->cause];
    double distance = points - tally->points[best_cause(tally, (int)d->cause)];
    enum confidence level = points >= w.high && distance >= w.margin ? CONFIDENCE_HIGH
                            : points >= w.medium                     ? CONFIDENCE_MEDIUM
                                                                     : CONFIDENCE_LOW;
    const cJSON *cap;

    cJSON_ArrayForEach (cap, json_get(document, "caps")) {
        if (!cap_concerns(cap, d->cause) || !holds(cap, board))
            continue;
        enum confidence at = confidence_parse(json_str(cap, "at"));
        if (at < level)
            level = at;
        if (json_str(cap, "say"))
            add_missing(d, json_str(cap, "say"), board);
    }
    return level;
}

/* The signals that hold and speak for (sign 1) or against (-1) the cause, strongest first. */
static void cite_signals(const cJSON *document, const struct evidence *board, enum cause cause,
                         double sign, struct finding **items, size_t *n, size_t *cap)
{
    const cJSON *signal;
    double strongest = 1e9, floor;

    do {
        floor = 0;
        cJSON_ArrayForEach (signal, json_get(document, "signals")) {
            double points = sign * points_for(signal, cause);
            if (points > floor && points < strongest)
                floor = points;
        }
        cJSON_ArrayForEach (signal, json_get(document, "signals")) {
            const char *cite = json_str(signal, "cite");
            const struct fact *source = cite ? evidence_get(board, cite) : NULL;
            if (floor <= 0 || sign * points_for(signal, cause) != floor || *n >= EVIDENCE_SHOWN ||
                !json_str(signal, "say") || !holds(signal, board))
                continue;
            char *text = filled(json_str(signal, "say"), board);
            finding_add(items, n, cap, text, source ? source->url : NULL);
            free(text);
        }
        strongest = floor;
    } while (floor > 0);
}

/* The first entry of `list` that holds, or NULL. */
static const cJSON *first_that_holds(const cJSON *list, const struct evidence *board)
{
    const cJSON *entry;

    cJSON_ArrayForEach (entry, list) {
        if (holds(entry, board))
            return entry;
    }
    return NULL;
}

static void add_rule(const cJSON *rule, const struct evidence *board, struct diagnosis *d)
{
    struct rule_result *result = VEC_ADD(d->rules, d->n_rules, d->cap_rules);
    const cJSON *entry = first_that_holds(json_get(rule, "contradicts"), board);
    int64_t number = 0;

    (void)json_i64(rule, "number", &number);
    result->number = (int)number;
    if (entry) {
        result->outcome = RULE_CONTRADICTS;
    } else if ((entry = first_that_holds(json_get(rule, "supports"), board))) {
        result->outcome = RULE_SUPPORTS;
    }
    result->why =
        filled(entry ? json_str_or(entry, "say", "") : json_str_or(rule, "unknown", ""), board);
}

static char *why_not(const cJSON *document, const struct evidence *board, const struct tally *tally,
                     enum cause cause, const struct diagnosis *d)
{
    struct finding *against = NULL;
    size_t n = 0, cap = 0;
    const cJSON *entry = json_path(document, "causes", cause_name(cause), NULL);
    char *text = NULL;

    if (tally->out[cause] && json_str(entry, "without"))
        return filled(json_str(entry, "without"), board);
    cite_signals(document, board, cause, -1, &against, &n, &cap);
    if (n > 0)
        text = xstrdup(against[0].text);
    else if (tally->points[cause] <= 0)
        text = xstrdup("nothing that was found speaks for it");
    else
        text = xasprintf("less speaks for it than for %s", cause_name(d->cause));
    for (size_t i = 0; i < n; i++) {
        free(against[i].text);
        free(against[i].url);
    }
    free(against);
    return text;
}

static double score_of(const struct tally *tally, enum cause cause)
{
    double score = tally->points[cause] / 100;

    if (tally->out[cause] && score > 0.2)
        score = 0.2; /* what it lacks is decisive, however much else speaks for it */
    return score < 0 ? 0 : score > 1 ? 1 : score;
}

static int by_score(const void *a, const void *b)
{
    const struct alternative *x = a, *y = b;

    return x->score != y->score ? (x->score < y->score ? 1 : -1) : (int)x->cause - (int)y->cause;
}

static void add_alternatives(const cJSON *document, const struct evidence *board,
                             const struct tally *tally, struct diagnosis *d)
{
    for (int c = 0; c < CAUSE_COUNT; c++) {
        if (c == (int)d->cause || c == CAUSE_INCONCLUSIVE || c == CAUSE_NOT_APPLICABLE)
            continue;
        struct alternative *alt = VEC_ADD(d->alternatives, d->n_alternatives, d->cap_alternatives);
        alt->cause = (enum cause)c;
        alt->score = score_of(tally, (enum cause)c);
        alt->why_not = why_not(document, board, tally, (enum cause)c, d);
    }
    qsort(d->alternatives, d->n_alternatives, sizeof(*d->alternatives), by_score);
}

static void add_next_actions(const cJSON *document, const struct evidence *board,
                             struct diagnosis *d)
{
    const cJSON *list = json_path(document, "causes", cause_name(d->cause), "next_actions", NULL);
    const cJSON *entry;

    cJSON_ArrayForEach (entry, list) {
        if (!holds(entry, board))
            continue;
        char *text = filled(json_str_or(entry, "say", ""), board);
        string_add(&d->next_actions, &d->n_next_actions, &d->cap_next_actions, text);
        free(text);
    }
}

/* "summary" is a sentence, or a list of { "if", "say" } of which the first that holds is taken. */
static char *summary_of(const cJSON *document, const struct evidence *board, enum cause cause)
{
    const cJSON *summary = json_path(document, "causes", cause_name(cause), "summary", NULL);
    const char *template = cJSON_IsString(summary)
                               ? summary->valuestring
                               : json_str(first_that_holds(summary, board), "say");

    return filled(template ? template : cause_name(cause), board);
}

void rules_weigh(const cJSON *document, const struct evidence *board, struct diagnosis *d)
{
    struct tally tally;
    const cJSON *entry;

    count_points(document, board, &tally);
    d->reached = true;
    d->cause = best_cause(&tally, -1);
    d->confidence = weigh_confidence(document, board, &tally, d);
    d->summary = summary_of(document, board, d->cause);
    cite_signals(document, board, d->cause, 1, &d->evidence, &d->n_evidence, &d->cap_evidence);
    cite_signals(document, board, d->cause, -1, &d->against, &d->n_against, &d->cap_against);
    cJSON_ArrayForEach (entry, json_get(document, "rules")) {
        add_rule(entry, board, d);
    }
    add_alternatives(document, board, &tally, d);
    cJSON_ArrayForEach (entry, json_get(document, "missing")) {
        if (holds(entry, board))
            add_missing(d, json_str_or(entry, "say", ""), board);
    }
    add_next_actions(document, board, d);
}
