#include "dbconn/base/json.h"
#include "dbconn/net/url.h"
#include "webapi_internal.h"

/* A form's value: text as it stands, everything else as JSON text (docs.slack.dev/apis/web-api). */
static void add_value(struct buf *out, const cJSON *value)
{
    if (cJSON_IsString(value)) {
        url_add_escaped(out, value->valuestring);
        return;
    }
    char *text = json_print(value);
    url_add_escaped(out, text);
    free(text);
}

static void write_form(const cJSON *args, struct buf *out)
{
    for (const cJSON *item = args ? args->child : NULL; item; item = item->next) {
        if (cJSON_IsNull(item))
            continue;
        if (out->len)
            buf_addc(out, '&');
        url_add_escaped(out, item->string);
        buf_addc(out, '=');
        add_value(out, item);
    }
}

void webapi_write_body(const struct method_info *info, const cJSON *args, struct buf *out)
{
    if (info->form) {
        write_form(args, out);
        return;
    }
    char *text = args ? json_print(args) : xstrdup("{}");
    buf_adds(out, text);
    free(text);
}
