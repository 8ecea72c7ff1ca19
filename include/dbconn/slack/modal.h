/*
 * modal - the views that buttons open: the details in pages, and "The real cause was…".
 *
 * Gives the `view` object for views.open and views.update, and reads what was submitted. Pure.
 */
#ifndef DBCONN_SLACK_MODAL_H
#define DBCONN_SLACK_MODAL_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/error.h"
#include "dbconn/diagnosis/casefile.h"

#define MODAL_DETAILS "dbconn_details_view"       /* callback_id */
#define MODAL_REAL_CAUSE "dbconn_real_cause_view" /* callback_id; private_metadata: the job id */

/* Page `page` (from 0; too large: the last) of everything the investigation found. The buttons
 * for the neighbouring pages carry "job:page". The caller owns the view. */
cJSON *modal_details(const struct casefile *c, const char *job_id, size_t page);
size_t modal_details_pages(const struct casefile *c);
/* Reads "job:page" into its parts; false when it is neither. */
bool modal_page_parse(const char *value, struct buf *job_id, size_t *ret_page);

cJSON *modal_real_cause(const struct casefile *c, const char *job_id);
/* The submitted view (view_submission's payload.view). ERR_INVALID with a sentence for the person
 * when no cause was chosen. `text` is cleaned, not redacted. */
int modal_read_real_cause(const cJSON *view, enum cause *ret_cause, struct buf *job_id,
                          struct buf *text, struct error *err) MUST_CHECK;
/* What modal_read_real_cause() refused, as the ack's payload ("response_action":"errors"). */
cJSON *modal_real_cause_error(const struct error *err);

#endif
