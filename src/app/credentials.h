/*
 * credentials - do the sources accept what the configuration gives them? Tried at the start, then
 * now and then, more often while one is refused. Loop thread only.
 */
#ifndef DBCONN_APP_CREDENTIALS_H
#define DBCONN_APP_CREDENTIALS_H

#include <uv.h>

#include "dbconn/base/tristate.h"
#include "dbconn/collectors/collectors.h"

struct credentials; /* opaque */

enum credential { CREDENTIAL_SENTRY, CREDENTIAL_GITHUB, CREDENTIAL_ELASTICSEARCH, CREDENTIALS };

struct credential_state {
    bool configured;
    enum tristate good; /* UNKNOWN: no answer yet, or the service cannot be reached */
    const char *why;    /* when it is not good, a sentence; else "". Lent. */
};

/* Begins to try. The caller owns it (credentials_free()). */
struct credentials *credentials_new(uv_loop_t *loop, const struct sources *sources);
void credentials_free(struct credentials *c); /* NULL is fine */
/* From now on these; they are tried at once. */
void credentials_use(struct credentials *c, const struct sources *sources);
void credentials_get(const struct credentials *c, enum credential which,
                     struct credential_state *ret);
const char *credential_name(enum credential which); /* "sentry" */

#endif
