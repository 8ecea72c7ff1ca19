/* The list of collectors. A new step is one new file and one line here. */
#include "dbconn/collectors/collectors.h"

#include "dbconn/base/text.h"

#include "steps.h"

static const struct collector *const collectors[] = {
    &collector_issue_details,    &collector_event_analysis, &collector_connection_details,
    &collector_release_timeline, &collector_code_change,    &collector_log_search,
    &collector_similar_issues,   &collector_issue_tags,
};

const struct collector *collector_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(collectors); i++)
        if (text_same(collectors[i]->name, name))
            return collectors[i];
    return NULL;
}
