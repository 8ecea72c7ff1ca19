/*
 * playbook_facts - the facts that the steps write and a playbook may ask for, with their meaning.
 *
 * For people who write playbooks: `dbconn playbook facts` prints them, `dbconn playbook lint` warns
 * of names that are none of them. Nothing in the evaluation reads this list.
 */
#ifndef DBCONN_APP_PLAYBOOK_FACTS_H
#define DBCONN_APP_PLAYBOOK_FACTS_H

#include <stdbool.h>
#include <stddef.h>

struct fact_help {
    const char *name; /* a trailing ".*" stands for any last part */
    const char *step; /* which step of the shipped playbook writes it, or "assessment" */
    const char *kind; /* "yes/no", "number", "text", "time", "ms", "share", "list" */
    const char *meaning;
};

extern const struct fact_help fact_helps[];
extern const size_t n_fact_helps;

const struct fact_help *fact_help_find(const char *name); /* NULL: no such fact */

#endif
