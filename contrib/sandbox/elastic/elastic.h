/*
 * elastic - the scenario's logs behind the search API of Elasticsearch 8.
 * https://www.elastic.co/docs/api/doc/elasticsearch/
 */
#ifndef SANDBOX_ELASTIC_ELASTIC_H
#define SANDBOX_ELASTIC_ELASTIC_H

#include "shell/shell.h"
#include "world/world.h"

struct elastic; /* opaque */

/* Errors: ERR_CONFIG. */
struct elastic *elastic_new(struct shell *shell, const struct world *world, int port,
                            struct error *err) MUST_CHECK;
void elastic_free(struct elastic *elastic);
struct service *elastic_service(const struct elastic *elastic);
const char *elastic_api_key(const struct elastic *elastic);

#endif
