/*
 * access - who may ask, where, and about which projects. Fails closed: what no rule allows is
 * refused, and so is what could not be found out.
 *
 * Every way into the bot asks here, with the same facts:
 *
 *   - The list (`access.allow`) holds ids of people (U, W), user groups (S), conversations (C, G,
 *     D) and workspaces (T, E), or "*" for every full member of the workspace. One entry that
 *     fits is enough.
 *   - Guests, apps and people of another workspace are refused unless their own id is listed, or
 *     for people of another workspace, that workspace's.
 *   - Nobody is answered in a channel that is shared with another company, or about to be, unless
 *     it stands in `access.external_channels`: whoever is in it reads what is posted there.
 *   - `access.projects` says which Sentry projects may be looked at from which channel; with
 *     nothing set, all from everywhere.
 *   - help is answered to everybody.
 *
 * Pure: what Slack has to be asked comes in as facts, and a decision that lacks some says which.
 */
#ifndef DBCONN_SLACK_ACCESS_H
#define DBCONN_SLACK_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "dbconn/base/buf.h"
#include "dbconn/base/error.h"

struct access; /* opaque: the rules. Read-only once set up. */

struct access *access_new(void);
void access_free(struct access *a); /* NULL is fine */
/* An entry of each key; repeated ones are kept once. Errors: ERR_CONFIG, a sentence with an
 * example, for what can never match (a name instead of an id). */
int access_allow(struct access *a, const char *entry, struct error *err) MUST_CHECK;
int access_allow_external(struct access *a, const char *channel, struct error *err) MUST_CHECK;
/* "C0INCIDENTS=shop", "*=shop" (from everywhere), "C0INCIDENTS=*" (everything from there). */
int access_allow_project(struct access *a, const char *entry, struct error *err) MUST_CHECK;

bool access_is_empty(const struct access *a); /* nobody may */
bool access_is_open(const struct access *a);  /* "*" is listed */
bool access_has_projects(const struct access *a);
size_t access_group_count(const struct access *a);
const char *access_group_id(const struct access *a, size_t i);

enum access_way {
    ACCESS_COMMAND,  /* the slash command */
    ACCESS_BUTTON,   /* a button of a message */
    ACCESS_FORM,     /* what a modal sends: its buttons and its submission */
    ACCESS_MENTION,  /* @dbconn */
    ACCESS_SHORTCUT, /* "Diagnose this alert" on a message */
    ACCESS_HOME,     /* the App Home: has no channel */
    ACCESS_ALERT,    /* an alert posted by an app: has no person, its channel was chosen by the
                      * operator */
    ACCESS_WAY_COUNT,
};

struct access_request {
    enum access_way way;
    bool help;           /* only help is asked for */
    const char *channel; /* ids; NULL: not known, which is refused where there must be one */
    const char *user;
};

enum access_known {
    ACCESS_UNASKED,
    ACCESS_KNOWN,
    ACCESS_FAILED, /* asked, without an answer: see `why` */
};

struct access_person { /* users.info */
    enum access_known known;
    const char *why;
    bool is_guest, is_app, is_deactivated, is_stranger;
    const char *const *teams; /* workspaces that the person belongs to */
    size_t n_teams;
};

struct access_channel { /* conversations.info */
    enum access_known known;
    const char *why;
    const char *hidden; /* with ACCESS_FAILED: Slack's code when the bot cannot see it, or NULL */
    bool is_external;   /* shared with another company, or an invitation is out */
    bool is_public;     /* everybody of the workspace may read it */
};

struct access_membership { /* usergroups.users.list */
    enum access_known known;
    const char *why;
    bool is_member; /* this person is in it */
};

struct access_facts {
    const char *home_team; /* where the app is installed (auth.test); NULL: not known */
    const char *home_why;  /* why not, when that was asked */
    struct access_person person;
    struct access_channel channel;
    const struct access_membership *groups; /* access_group_count() of them; NULL: unasked */
};

enum access_verdict {
    ACCESS_REFUSED,
    ACCESS_ALLOWED,
    ACCESS_ASK, /* first find out what `ask` names */
};

enum access_ask {
    ACCESS_ASK_HOME = 1 << 0,
    ACCESS_ASK_PERSON = 1 << 1,
    ACCESS_ASK_CHANNEL = 1 << 2,
    ACCESS_ASK_GROUPS = 1 << 3, /* those that are unasked */
};

enum access_reason {
    ACCESS_NO_REASON,
    ACCESS_NOBODY_LISTED, /* access.allow is not set */
    ACCESS_NOT_LISTED,
    ACCESS_GUEST,
    ACCESS_APP,
    ACCESS_DEACTIVATED,
    ACCESS_STRANGER, /* of another workspace */
    ACCESS_EXTERNAL_CHANNEL,
    ACCESS_HIDDEN_CHANNEL, /* the bot cannot see it: `why` is Slack's code */
    ACCESS_NOT_FOUND_OUT,  /* `why` says what went wrong */
    ACCESS_INCOMPLETE,     /* the request lacks its person or channel */
    ACCESS_PROJECT,        /* by access_project_permitted(), not by access_decide() */
};

struct access_decision {
    enum access_verdict verdict;
    enum access_reason reason; /* with ACCESS_REFUSED */
    unsigned ask;              /* with ACCESS_ASK: bits of enum access_ask */
    const char *why;           /* lent by the facts; or NULL */
};

struct access_decision access_decide(const struct access *a, const struct access_request *request,
                                     const struct access_facts *facts);
const char *access_reason_name(enum access_reason reason); /* "guest": for the log */
/* What the person is told about a refusal, as mrkdwn. */
void access_explain(const struct access_decision *decision, struct buf *out);

/* May this project (its slug; NULL: not known) be looked at from that channel (NULL: from no
 * channel, as the App Home)? */
bool access_project_permitted(const struct access *a, const char *channel, const char *project);

/* May a line about somebody's job (its issue, its outcome) be shown to a reader elsewhere? To the
 * one who asked for it and in its own channel always; elsewhere only what was asked in a public
 * channel, and only while projects are not kept apart. */
struct access_line {
    const char *channel, *requester; /* of the job */
    bool is_public;                  /* its channel was when it was asked for */
};
bool access_line_visible(const struct access *a, const struct access_line *line,
                         const char *reader_channel, const char *reader);

#endif
