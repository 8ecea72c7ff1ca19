/* schema - the store's tables, brought up to date. */
#ifndef DBCONN_SRC_QUEUE_SCHEMA_H
#define DBCONN_SRC_QUEUE_SCHEMA_H

#include "sql.h"

/* Brings the tables to the version that this program knows; refuses a newer one. */
int schema_migrate(struct sql *db, struct error *err) MUST_CHECK;

#endif
