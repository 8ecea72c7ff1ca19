/* audit_key - the key of the audit log: audit.key, else one that is made once and kept beside the
 * store. */
#ifndef DBCONN_APP_AUDIT_KEY_H
#define DBCONN_APP_AUDIT_KEY_H

#include "dbconn/app/config.h"
#include "dbconn/queue/audit.h"

/* `make`: a key file that is not there is made (mode 0600). Errors: ERR_CONFIG naming the file. */
int audit_key_load(const struct config *config, const char *store_url, bool make,
                   struct audit_key *ret, struct error *err) MUST_CHECK;

#endif
