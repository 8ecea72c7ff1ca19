#include "dbconn/slack/modal.h"

#include <ctype.h>

#include "dbconn/base/json.h"
#include "dbconn/base/text.h"
#include "dbconn/report/wording.h"
#include "dbconn/slack/mrkdwn.h"
#include "thread_view_internal.h"

#define PAGE_BYTES 6000 /* a page that can still be read on a phone */
#define CAUSE_BLOCK "cause"
#define CAUSE_ACTION "cause_choice"
#define TEXT_BLOCK "text"
#define TEXT_ACTION "text_input"
#define FREE_TEXT_BYTES 3000

static const struct option causes[] = {
    { "deployment_config_change", "A deployment changed the connection settings" },
    { "deployment_regression", "A deployment broke the connection, settings unchanged" },
    { "broader_deployment_incident", "One deployment broke several services" },
    { "database_down", "The database was down" },
    { "database_restart", "The database restarted, or was away for a while" },
    { "network_connectivity", "The network to the database" },
    { "regional_network", "The network of one region or part" },
    { "connection_pool_exhaustion", "All connections were in use" },
    { "not_applicable", "It was not about a refused database connection" },
    { "inconclusive", "Something else, or nobody knows" },
};

/* The first topic of page `page`; pages are packed in order. */
static size_t page_start(const struct topics *t, size_t page)
{
    size_t bytes = 0, at = 0;

    for (size_t i = 0; i < t->n; i++) {
        size_t n = doc_bytes(&t->docs[i]);
        if (bytes > 0 && bytes + n > PAGE_BYTES) {
            if (++at > page)
                return i;
            bytes = 0;
        }
        if (at == page && bytes == 0)
            return i;
        bytes += n;
    }
    return t->n;
}

static size_t count_pages(const struct topics *t)
{
    size_t pages = 1;

    while (page_start(t, pages) < t->n)
        pages++;
    return pages;
}

size_t modal_details_pages(const struct casefile *c)
{
    struct topics t;
    size_t pages;

    topics_build(c, true, &t);
    pages = count_pages(&t);
    topics_clear(&t);
    return pages;
}

static void page_buttons(struct blocks *b, const char *job_id, size_t page, size_t pages)
{
    struct button items[2];
    char *values[2];
    size_t n = 0;

    if (page > 0) {
        values[n] = xasprintf("%s:%zu", job_id, page - 1);
        items[n] = (struct button){ .action_id = button_action_id(BUTTON_DETAILS_PREVIOUS),
                                    .text = "Previous page",
                                    .value = values[n] };
        n++;
    }
    if (page + 1 < pages) {
        values[n] = xasprintf("%s:%zu", job_id, page + 1);
        items[n] = (struct button){ .action_id = button_action_id(BUTTON_DETAILS_NEXT),
                                    .text = "Next page",
                                    .value = values[n] };
        n++;
    }
    blocks_buttons(b, "pages", items, n);
    while (n > 0)
        free(values[--n]);
}

static void page_head(struct blocks *b, const struct casefile *c, size_t page, size_t pages)
{
    struct buf words = BUF_INIT;
    struct doc d = DOC_INIT;

    doc_paragraph(&d);
    if (c->issue.url)
        doc_link(&d, c->issue.url, word_issue(c));
    else
        doc_sentence(&d, word_issue(c), 100);
    doc_words(&d, ": ");
    word_verdict(c, &words);
    doc_strong(&d, buf_str(&words));
    buf_reset(&words);
    buf_addf(&words, ". Page %zu of %zu.", page + 1, pages);
    doc_words(&d, buf_str(&words));
    doc_to_blocks(&d, b);
    doc_clear(&d);
    buf_clear(&words);
}

cJSON *modal_details(const struct casefile *c, const char *job_id, size_t page)
{
    struct topics t;
    struct blocks b;
    char *metadata;
    cJSON *view;

    topics_build(c, true, &t);
    size_t pages = count_pages(&t);
    page = page < pages ? page : pages - 1;
    blocks_init(&b, BLOCKS_MODAL);
    page_head(&b, c, page, pages);
    for (size_t i = page_start(&t, page), end = page_start(&t, page + 1); i < end; i++)
        doc_to_blocks(&t.docs[i], &b);
    page_buttons(&b, job_id, page, pages);
    metadata = xasprintf("%s:%zu", job_id, page);
    view = modal_view(MODAL_DETAILS, "Details", NULL, metadata, blocks_take(&b, ""));
    free(metadata);
    topics_clear(&t);
    return view;
}

bool modal_page_parse(const char *value, struct buf *job_id, size_t *ret_page)
{
    const char *colon = value ? strrchr(value, ':') : NULL;
    size_t page = 0;

    if (!colon || colon == value || !isdigit((unsigned char)colon[1]) || strlen(colon) > 6)
        return false;
    for (const char *p = colon + 1; *p; p++) {
        if (!isdigit((unsigned char)*p))
            return false;
        page = page * 10 + (size_t)(*p - '0');
    }
    buf_reset(job_id);
    buf_add(job_id, value, (size_t)(colon - value));
    *ret_page = page;
    return true;
}

cJSON *modal_real_cause(const struct casefile *c, const char *job_id)
{
    struct buf words = BUF_INIT;
    struct doc d = DOC_INIT;
    struct blocks b;

    blocks_init(&b, BLOCKS_MODAL);
    doc_paragraph(&d);
    doc_sentence(&d, word_issue(c), 100);
    doc_words(&d, ". My answer was: ");
    word_verdict(c, &words);
    doc_words(&d, buf_str(&words));
    doc_words(&d, ".");
    doc_to_blocks(&d, &b);
    blocks_select(&b, CAUSE_BLOCK, CAUSE_ACTION, "What was it really?", causes, ARRAY_LEN(causes));
    blocks_text_input(&b, TEXT_BLOCK, TEXT_ACTION, "What should I have seen?",
                      "Please no passwords and no names of people. It is kept with this "
                      "investigation.",
                      FREE_TEXT_BYTES, true);
    doc_clear(&d);
    buf_clear(&words);
    return modal_view(MODAL_REAL_CAUSE, "The real cause", "Save", job_id, blocks_take(&b, ""));
}

int modal_read_real_cause(const cJSON *view, enum cause *ret_cause, struct buf *job_id,
                          struct buf *text, struct error *err)
{
    const cJSON *values = json_path(view, "state", "values", NULL);
    const char *chosen =
        json_str(json_path(values, CAUSE_BLOCK, CAUSE_ACTION, "selected_option", NULL), "value");
    const char *typed = json_str(json_path(values, TEXT_BLOCK, TEXT_ACTION, NULL), "value");
    const char *job = json_str(view, "private_metadata");

    if (!job || !*job)
        return error_set(err, ERR_INVALID, "This form belongs to no investigation.");
    if (!cause_parse(chosen, ret_cause))
        return error_set(err, ERR_INVALID, "Please choose one of the causes.");
    buf_reset(job_id);
    buf_adds(job_id, job);
    buf_reset(text);
    plain_lines(text, typed, FREE_TEXT_BYTES);
    return 0;
}

cJSON *modal_real_cause_error(const struct error *err)
{
    cJSON *answer = cJSON_CreateObject();

    json_put_str(answer, "response_action", "errors");
    json_put_str(json_put_object(answer, "errors"), CAUSE_BLOCK, error_text(err));
    return answer;
}
