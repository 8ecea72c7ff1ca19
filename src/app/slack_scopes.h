/* slack_scopes - the scopes of the bot token, what each is for, and how bad it is to lack one. */
#ifndef DBCONN_APP_SLACK_SCOPES_H
#define DBCONN_APP_SLACK_SCOPES_H

#include <stdbool.h>
#include <stddef.h>

struct slack_scope {
    const char *name;
    const char *why;      /* what it is for */
    const char *without;  /* what happens when it is missing */
    bool required;        /* nothing useful works without it */
    bool only_for_groups; /* needed only when access.allow names user groups */
};

extern const struct slack_scope slack_scopes[];
extern const size_t n_slack_scopes;

/* Is it one of the scopes in "chat:write,commands"? */
bool slack_scope_granted(const char *granted, const char *name);
/* The scopes in `granted` that are none of ours, to be told one by one. */
void slack_scopes_surplus(const char *granted, void (*each)(void *user, const char *name),
                          void *user);

#endif
