/* Releases as rows of a dossier table. */
#ifndef DBCONN_COLLECTORS_RELEASE_ROWS_H
#define DBCONN_COLLECTORS_RELEASE_ROWS_H

#include "dbconn/sources/sentry.h"

cJSON *deploy_to_json(const struct sentry_deploy *deploy);
cJSON *releases_to_json(const struct sentry_releases *releases);

#endif
