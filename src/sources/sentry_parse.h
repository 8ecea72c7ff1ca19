/*
 * sentry_parse - reading Sentry's answers, beyond what sentry.h offers to everybody. Pure.
 *
 * The read_ functions fill a struct whose `meta` the caller has set, or that has none; they return
 * -1 with ERR_PROTOCOL when the JSON is not of that kind.
 */
#ifndef SOURCES_SENTRY_PARSE_H
#define SOURCES_SENTRY_PARSE_H

#include <cjson/cJSON.h>

#include "dbconn/sources/sentry.h"

int sentry_read_issue(const cJSON *json, struct source_mem *mem, struct sentry_issue *ret,
                      struct error *err) MUST_CHECK;
int sentry_read_event(const cJSON *json, struct source_mem *mem, struct sentry_event *ret,
                      struct error *err) MUST_CHECK;
/* Forgets all but the last frames of each stack trace, where the error is. */
void sentry_keep_frames(struct sentry_event *event, int max);
int sentry_read_row(const cJSON *json, struct source_mem *mem, struct sentry_event_row *ret,
                    struct error *err) MUST_CHECK;
int sentry_read_release(const cJSON *json, struct source_mem *mem, struct sentry_release *ret,
                        struct error *err) MUST_CHECK;
void sentry_read_commit(const cJSON *json, struct source_mem *mem, struct sentry_commit *ret);
void sentry_read_deploy(const cJSON *json, struct source_mem *mem, struct sentry_deploy *ret);
void sentry_read_tag(const cJSON *json, struct source_mem *mem, struct sentry_tag *ret);

/* [{"key", "value"}, ...]; malformed tags are left out. */
struct source_pair *sentry_read_tag_pairs(const cJSON *array, struct source_mem *mem,
                                          size_t *ret_n);
/* The one name under which a person is counted, from an event's "user" or its tag "user". */
const char *sentry_user_key(const cJSON *user, const char *tag, struct source_mem *mem);

/* [[epoch seconds, n], ...]; NULL when it is no array. The last interval is not over yet. */
struct source_series *sentry_read_stats(const cJSON *array, struct source_mem *mem);
/* Answers of events-timeseries and events-stats. NULL with ERR_PROTOCOL for anything else. */
struct source_series *sentry_parse_timeseries(const cJSON *json, struct source_mem *mem,
                                              struct error *err) MUST_CHECK;

/* What the functions above read of an answer, as paths of json_stream.h. */
extern const char *const sentry_wanted_event[],
    *const sentry_wanted_events[], *const sentry_wanted_rows[],
                                       *const sentry_wanted_issue[],
                                           *const sentry_wanted_issues[],
                                               *const sentry_wanted_release[],
                                                   *const sentry_wanted_releases[],
                                                       *const sentry_wanted_commits[],
                                                           *const sentry_wanted_deploys[],
                                                               *const sentry_wanted_files[];

/* The deepest of two forms: an ISO time, or epoch seconds as a number. */
int64_t sentry_time(const cJSON *obj, const char *key);

#endif
