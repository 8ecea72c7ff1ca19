/*
 * docs - the scenario's log documents as Elasticsearch indexes them: flat field names, types,
 * words of text.
 */
#ifndef SANDBOX_ELASTIC_DOCS_H
#define SANDBOX_ELASTIC_DOCS_H

#include <stdbool.h>
#include <stdint.h>

#include "dbconn/base/error.h"
#include "dbconn/base/json.h"
#include "world/list.h"
#include "world/world.h"

enum field_type { TYPE_KEYWORD, TYPE_TEXT, TYPE_DATE, TYPE_LONG, TYPE_FLOAT, TYPE_BOOLEAN };

struct field {
    char *name; /* "host.name" */
    struct list values;
    enum field_type type;
};

struct doc {
    const char *index;
    char id[21];
    const cJSON *source;
    bool is_dynamic; /* strings are text with a .keyword beside it */
    struct field *fields;
    size_t n, cap;
};

struct docs {
    struct doc *items;
    size_t n;
    const char **indices; /* names, each once */
    size_t n_indices, cap_indices;
    const cJSON *spec; /* elasticsearch.indices */
};

/* A field as a query sees it: the value list and the type it has under that name. */
struct view {
    const struct list *values;
    enum field_type type;
};

void docs_init(struct docs *docs, const struct world *world);
void docs_clear(struct docs *docs);
/* False when the document has no such field. */
bool doc_field(const struct doc *doc, const char *name, struct view *ret);
const char *type_name(enum field_type type);
char *value_text(const cJSON *value); /* as a keyword: heap */
double value_number(const cJSON *value);
/* A date value in ms; false when it is none. */
bool value_date(const cJSON *value, int64_t *ret_ms);

/* Which indices an expression names ("logs-*,-logs-x,<alias>"). */
struct index_set {
    const char **names; /* lent by docs */
    size_t n, cap;
};
struct index_options {
    bool ignore_unavailable, refuse_none;
};
/* False with the name that is not there in *ret_missing (lent by nobody: heap). */
bool docs_resolve(const struct docs *docs, const char *expression,
                  const struct index_options *options, struct index_set *ret, char **ret_missing);
bool index_set_has(const struct index_set *set, const char *name);
char *index_stream(const char *index); /* the data stream of a backing index, or NULL; heap */

/* The words of a text, lower-case, as the standard analyzer cuts it. */
struct words {
    char *copy;
    char **item;
    size_t n, cap;
};
void words_of(const char *text, struct words *ret);
void words_clear(struct words *words);
bool words_have(const struct words *words, const char *word);
bool wildcard_fits(const char *pattern, const char *text, bool ignore_case);

#endif
