#include "dbconn/playbook/playbook.h"

#include <openssl/evp.h>

#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"
#include "dbconn/collectors/collectors.h"
#include "dbconn/diagnosis/condition.h"
#include "dbconn/diagnosis/rules.h"

static char *sha256_hex(const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf hex = BUF_INIT;

    if (EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL) != 1)
        abort(); /* only without memory */
    for (unsigned i = 0; i < len; i++)
        buf_addf(&hex, "%02x", digest[i]);
    return buf_take(&hex);
}

static int find_step(const struct playbook *p, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(p->steps[i].id, id) == 0)
            return (int)i;
    return -1;
}

/* A step may only need steps that stand before it, so the graph has no cycles. */
static int read_needs(struct playbook *p, struct playbook_step *step, const cJSON *needs,
                      struct error *err)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, needs) {
        const char *id = cJSON_GetStringValue(item);
        int at = id ? find_step(p, p->n_steps, id) : -1;
        if (at < 0)
            return error_set(err, ERR_CONFIG, "needs: %s is no step that stands before this one",
                             id ? id : "this");
        step->needs |= 1u << at;
    }
    return 0;
}

static int read_step(struct playbook *p, const cJSON *entry, struct error *err)
{
    struct playbook_step step = { 0 };
    int64_t number = 0;

    step.id = json_str(entry, "id");
    step.title = json_str(entry, "title");
    step.collector = json_str(entry, "collector");
    step.when = json_get(entry, "when");
    step.skipped = json_str(entry, "skipped");
    if (!step.id || !step.title || !step.collector || !json_i64(entry, "number", &number))
        return error_set(err, ERR_CONFIG, "number, id, title and collector are needed");
    step.number = (int)number;
    if (!collector_find(step.collector))
        return error_set(err, ERR_CONFIG, "collector: there is no collector \"%s\"",
                         step.collector);
    if (find_step(p, p->n_steps, step.id) >= 0)
        return error_set(err, ERR_CONFIG, "id: \"%s\" is there already", step.id);
    if (step.when && condition_check(step.when, err) < 0)
        return error_context(err, "when");
    if (read_needs(p, &step, json_get(entry, "needs"), err) < 0)
        return -1;
    p->steps[p->n_steps++] = step;
    return 0;
}

static int read_steps(struct playbook *p, const struct jsonc *doc, struct error *err)
{
    const cJSON *steps = json_get(doc->tree, "steps"), *entry;
    int i = 0;

    if (!cJSON_IsArray(steps) || !steps->child || cJSON_GetArraySize(steps) > PLAYBOOK_MAX_STEPS)
        return error_set(err, ERR_CONFIG, "%s: \"steps\" must be a list of 1 to %d steps",
                         doc->path, PLAYBOOK_MAX_STEPS);
    cJSON_ArrayForEach (entry, steps) {
        char where[32];
        snprintf(where, sizeof(where), "steps[%d]", i++);
        if (read_step(p, entry, err) < 0)
            return error_context(err, "%s:%d: %s", doc->path, jsonc_line(doc, where), where);
    }
    return 0;
}

static int read_document(struct playbook *p, struct jsonc *doc, struct error *err)
{
    p->id = xstrdup(json_str(doc->tree, "id"));
    p->title = xstrdup(json_str(doc->tree, "title"));
    if (!p->id || !p->title)
        return error_set(err, ERR_CONFIG, "%s: \"id\" and \"title\" are needed", doc->path);
    if (read_steps(p, doc, err) < 0)
        return -1;
    if (rules_check(doc->tree, err) < 0) {
        char *where = xstrndup(error_text(err), strcspn(error_text(err), ":"));
        error_context(err, "%s:%d", doc->path, jsonc_line(doc, where));
        free(where);
        return -1;
    }
    return 0;
}

int playbook_parse(const char *path, const char *text, struct playbook **ret, struct error *err)
{
    struct jsonc doc = { 0 };

    if (jsonc_parse(path, text, &doc, err) < 0)
        return -1;
    struct playbook *p = xcalloc(1, sizeof(*p));
    p->references = 1;
    p->hash = sha256_hex(text);
    int rc = read_document(p, &doc, err);
    p->tree = doc.tree;
    doc.tree = NULL;
    jsonc_clear(&doc);
    if (rc < 0)
        playbook_unref(p);
    else
        *ret = p;
    return rc;
}

int playbook_load(const char *path, struct playbook **ret, struct error *err)
{
    struct buf text = BUF_INIT;
    int rc = file_read(path, 1u << 20, &text, err);

    if (rc == 0)
        rc = playbook_parse(path, buf_str(&text), ret, err);
    buf_clear(&text);
    return rc;
}

struct playbook *playbook_ref(struct playbook *p)
{
    p->references++;
    return p;
}

void playbook_unref(struct playbook *p)
{
    if (!p || --p->references > 0)
        return;
    free(p->id);
    free(p->title);
    free(p->hash);
    cJSON_Delete(p->tree);
    free(p);
}

const cJSON *playbook_settings(const struct playbook *p)
{
    return json_get(p->tree, "settings");
}

extern const char dbconn_builtin_playbook[]; /* builtin.S */

int playbook_builtin(struct playbook **ret, struct error *err)
{
    return playbook_parse("(built-in playbook)", dbconn_builtin_playbook, ret, err);
}

const char *playbook_builtin_text(void)
{
    return dbconn_builtin_playbook;
}
