#include "dbconn/base/redact_json.h"

#include <stdlib.h>

#include "dbconn/base/json.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"

static void replace_text(cJSON *item, const char *text)
{
    if (!cJSON_SetValuestring(item, text))
        abort(); /* out of memory, as in alloc.h */
}

/* The larger tables on the board are JSON in a string: their members have names to go by. What
 * holds no secret stays as it is, to the blank. */
static bool redact_nested(cJSON *item)
{
    cJSON *inner = item->valuestring[0] == '{' || item->valuestring[0] == '['
                       ? cJSON_Parse(item->valuestring)
                       : NULL;

    if (!inner)
        return false;
    char *before = json_print(inner);
    redact_json(inner);
    char *after = json_print(inner);
    if (!text_same(before, after))
        replace_text(item, after);
    cJSON_free(before);
    cJSON_free(after);
    cJSON_Delete(inner);
    return true;
}

static void redact_string(cJSON *item)
{
    char *safe;

    if (redact_nested(item))
        return;
    safe = item->string && item->valuestring[0] && redact_is_secret_name(item->string)
               ? xstrdup(REDACTED)
               : redact_dup(item->valuestring);
    if (!text_same(safe, item->valuestring))
        replace_text(item, safe);
    free(safe);
}

void redact_json(cJSON *tree)
{
    cJSON *item;

    if (cJSON_IsString(tree))
        redact_string(tree);
    cJSON_ArrayForEach (item, tree) {
        redact_json(item);
    }
}
