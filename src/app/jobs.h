/* What the subcommands of `dbconn jobs` share. */
#ifndef DBCONN_APP_JOBS_H
#define DBCONN_APP_JOBS_H

#include <cjson/cJSON.h>

#include "command.h"
#include "dbconn/app/config.h"
#include "dbconn/queue/store.h"

struct jobs {
    struct config *config;
    struct store *store;
    bool json;
    struct error err;
};

/* Reads the configuration and opens the store. EXIT_OK, or how to end; jobs_close() in any case. */
int jobs_open(const struct common_options *common, bool json, struct jobs *ret);
void jobs_close(struct jobs *j);
/* Prints j->err and gives the exit code. */
int jobs_failed(struct jobs *j);

/* A job as the queue knows it, without its response URL; the caller owns it. */
cJSON *job_to_json(const struct job *job);
const char *job_issue_name(const struct job *job); /* short id, else as it was asked for; lent */

int jobs_list(const struct common_options *common, int argc, char **argv);
int jobs_show(const struct common_options *common, int argc, char **argv);

#endif
