/*
 * playbook - the document that declares an investigation: its steps, what each needs, and how the
 * evidence is weighed.
 *
 * config/playbooks/database-connection-refused.json is the one that ships; the reference of its
 * members stands in its own comments. A playbook is read-only after loading, shared by all
 * investigations that run it, and counted: an investigation ends with the version it began with.
 */
#ifndef DBCONN_PLAYBOOK_PLAYBOOK_H
#define DBCONN_PLAYBOOK_PLAYBOOK_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "dbconn/base/error.h"

#define PLAYBOOK_MAX_STEPS 16

struct playbook_step {
    int number;            /* as people count them */
    const char *id;        /* "issue_details" */
    const char *title;     /* for people */
    const char *collector; /* a name in collectors.c */
    unsigned needs;        /* bit i: waits for the end of steps[i] */
    const cJSON *when;     /* condition; NULL: always */
    const char *skipped;   /* the sentence that says why it did not run */
};

struct playbook {
    char *id, *title;
    char *hash;  /* SHA-256 of the document's text, hex: the version */
    cJSON *tree; /* the whole document */
    struct playbook_step steps[PLAYBOOK_MAX_STEPS];
    size_t n_steps;
    int references;
};

/* Reads and checks a document; *ret starts with one reference. Errors: ERR_CONFIG with the file,
 * the line, the member and what was expected. */
int playbook_load(const char *path, struct playbook **ret, struct error *err) MUST_CHECK;
int playbook_parse(const char *path, const char *text, struct playbook **ret,
                   struct error *err) MUST_CHECK;
struct playbook *playbook_ref(struct playbook *p);
void playbook_unref(struct playbook *p); /* NULL is fine */

/* What the collectors and the assessment may be tuned with ("settings"); lent, may be NULL. */
const cJSON *playbook_settings(const struct playbook *p);

/* The document that was built into the program; never fails but for our own mistakes. */
int playbook_builtin(struct playbook **ret, struct error *err) MUST_CHECK;
const char *playbook_builtin_text(void); /* as it was written, with its comments */

#endif
