#include "dbconn/analysis/event_row.h"

#include <string.h>

const char *event_row_tag(const struct event_row *row, const char *key)
{
    for (size_t i = 0; i < row->n_tags; i++) {
        const struct event_tag *t = &row->tags[i];

        if (t->key && t->value && *t->value && strcmp(t->key, key) == 0)
            return t->value;
    }
    return NULL;
}
