/*
 * filter_path - "?filter_path=took,hits.hits._source,aggregations": only these parts of an answer.
 * Names may hold '*', a "**" stands for any depth. What is left out leaves no trace: an answer
 * without any of it is {}.
 */
#ifndef SANDBOX_ELASTIC_FILTER_PATH_H
#define SANDBOX_ELASTIC_FILTER_PATH_H

#include <cjson/cJSON.h>

/* Takes `tree` and gives what is left; `paths` NULL or empty leaves all. */
cJSON *filter_path(const char *paths, cJSON *tree);

#endif
