/* The rules of access, out of the configuration's `access` section. */
#ifndef DBCONN_APP_ACCESS_CONFIG_H
#define DBCONN_APP_ACCESS_CONFIG_H

#include "dbconn/app/config.h"
#include "dbconn/slack/access.h"

/* The caller owns *ret (access_free()). Errors: ERR_CONFIG naming key and entry. */
int access_from_config(const struct config *config, struct access **ret,
                       struct error *err) MUST_CHECK;

#endif
