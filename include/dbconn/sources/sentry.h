/*
 * sentry - a typed client of the Sentry Web API: sentry.io, its regions, and self-hosted servers.
 *
 * Only organization-scoped paths are used; the older ones without the organization are tried once
 * where a self-hosted server answers 404 (docs.sentry.io/api, "Pagination", "Rate limits").
 * The contract of calls and results is that of source.h. `owner` is the job, for fairness.
 * Error codes: ERR_UNAUTHORIZED, ERR_FORBIDDEN (the message names the scope that the call needs),
 * ERR_NOT_FOUND, ERR_INVALID (400, 422: our query), ERR_RATE_LIMITED, ERR_UPSTREAM, ERR_PROTOCOL,
 * and those of http.h.
 */
#ifndef DBCONN_SOURCES_SENTRY_H
#define DBCONN_SOURCES_SENTRY_H

#include <cjson/cJSON.h>

#include "dbconn/sources/source.h"

struct http;
struct sentry; /* opaque */

struct sentry_options {
    const char
        *url; /* "https://sentry.io", "https://sentry.example.com/base"; "/api/0" may follow */
    const char *org;    /* slug or numeric id */
    const char *token;  /* user or internal-integration token */
    int max_in_flight;  /* 0: 16; sentry.io allows a caller 25 at once */
    int max_per_second; /* 0: 40, as sentry.io allows for most endpoints */
    int64_t budget_ms;  /* for one request with its retries; 0: 20 s */
    int max_pages;      /* of one list at most; 0: as many as each call asks for */
    int max_frames;     /* of one stack trace, those nearest to the error; 0: all */
    struct source_limits limits;
    int64_t keep_ms; /* how long an answer serves other calls for the same; 0: only those that
                      * come while it is on its way */
};

/* The caller owns *ret; all strings are copied, the token is wiped on free. Errors: ERR_CONFIG. */
int sentry_new(struct http *http, const struct sentry_options *options, struct sentry **ret,
               struct error *err) MUST_CHECK;
void sentry_free(struct sentry *s); /* cancels what is under way; NULL is fine */

/* ---- results ---- */

struct sentry_repository {
    const char *name;
    const char *url;
    const char *provider; /* "integrations:github", ... */
    const char *slug;     /* "owner/repo" when it is on GitHub (or GitHub Enterprise), else NULL */
};

struct sentry_pull {
    const char *number; /* as text: "482" */
    const char *title, *message, *url, *author;
    int64_t created_ms, merged_ms;
    struct sentry_repository repository;
};

struct sentry_commit {
    const char *id; /* the full SHA */
    const char *message;
    const char *author_name, *author_email;
    int64_t created_ms;
    const char *suspect_type; /* "via SCM integration", ...; NULL for none */
    struct sentry_repository repository;
    const struct sentry_pull *pull; /* NULL: Sentry knows none */
};

struct sentry_deploy {
    const char *id, *environment, *name, *url;
    int64_t started_ms, finished_ms;
};

/* `version_only`: the server knew no more than the version; every other member is unknown. */
struct sentry_release {
    struct source_result meta;
    const char *version;
    bool version_only;
    const char *short_version, *status, *ref, *url;
    const char *package;    /* "shop" of "shop@1.2.3"; not a repository */
    const char *build_hash; /* the SHA when the version is one */
    int64_t created_ms;     /* first known to Sentry */
    int64_t released_ms;    /* TIME_UNKNOWN unless the pipeline set it */
    int64_t first_event_ms, last_event_ms;
    int64_t commit_count, deploy_count, new_groups;
    const struct sentry_commit *last_commit; /* NULL: none told */
    const struct sentry_deploy *last_deploy; /* NULL: none told */
    const char **projects;                   /* slugs */
    size_t n_projects;
};

struct sentry_releases {
    struct source_result meta;
    struct sentry_release *items; /* newest first */
    size_t n;
};

struct sentry_commits {
    struct source_result meta;
    struct sentry_commit *items;
    size_t n;
};

struct sentry_deploys {
    struct source_result meta;
    struct sentry_deploy *items;
    size_t n;
};

struct sentry_commit_file {
    const char *filename, *repo_name, *commit_message, *author;
    char change; /* 'A', 'M', 'D'; 0 unknown */
};

struct sentry_commit_files {
    struct source_result meta;
    struct sentry_commit_file *items;
    size_t n;
};

struct sentry_issue {
    struct source_result meta;
    const char *id; /* numeric, as text */
    const char *short_id, *title, *culprit, *permalink, *logger, *platform;
    const char *level, *status, *substatus, *priority, *type, *issue_type, *issue_category;
    const char *assigned_to;
    struct {
        const char *id, *slug, *name, *platform;
    } project;
    /* metadata of the main exception: its type and its value (cut by Sentry at 1024 characters),
     * file and function of the last in-app frame. */
    const char *error_type, *error_value, *filename, *function;
    enum tristate unhandled;
    /* All-time in details; of the asked window and environments in lists, where lifetime_* hold
     * the all-time figures. */
    int64_t count, user_count, first_seen_ms, last_seen_ms;
    int64_t lifetime_count, lifetime_user_count, lifetime_first_seen_ms, lifetime_last_seen_ms;
    const struct source_series *stats_24h; /* hourly; NULL: not told */
    const struct source_series *stats_30d; /* daily; NULL: not told */
    const char **tag_keys;
    size_t n_tag_keys;
    /* Only in details. has_first_release: NO when the first event carried no release (then
     * last_release is not told either), UNKNOWN when the answer had no such member. */
    enum tristate has_first_release;
    const struct sentry_release *first_release, *last_release;
    /* The issue that was asked for was merged into this one. */
    bool merged;
    const char *asked_id;
};

struct sentry_issues {
    struct source_result meta;
    struct sentry_issue *items;
    size_t n;
    int64_t total; /* by X-Hits, may be capped by the server; -1 not told */
};

struct sentry_similar_item {
    const struct sentry_issue *issue;
    double score; /* 0..1, the highest told; -1 not told */
    enum tristate should_be_grouped;
};

struct sentry_similar {
    struct source_result meta; /* an empty list when the server has no similarity index */
    struct sentry_similar_item *items;
    size_t n;
};

struct sentry_frame {
    const char *filename, *abs_path, *module, *package, *function;
    int64_t line_no; /* -1 unknown */
    enum tristate in_app;
    const char *context_line; /* the source line, or NULL */
    /* Local variables, nested ones flattened: "conn_params.host", "args[0]". Values are as the SDK
     * sent them: Python's are reprs with quotes ('db1'), "[Filtered]" where it scrubbed. */
    struct source_pair *vars;
    size_t n_vars;
};

struct sentry_exception {
    const char *type; /* NULL for a bare stack trace without an exception */
    const char *value, *module, *mechanism;
    enum tristate handled;
    int64_t exception_id, parent_id; /* -1 not told */
    struct sentry_frame *frames;     /* outermost caller first, the crashing frame last */
    size_t n_frames;
    bool frames_omitted;
};

struct sentry_breadcrumb {
    int64_t at_ms;
    const char *type, *category, *level, *message;
    struct source_pair *data; /* flattened */
    size_t n_data;
};

struct sentry_context {
    const char *name;          /* "runtime", "trace", ... */
    struct source_pair *pairs; /* flattened */
    size_t n_pairs;
};

struct sentry_event {
    struct source_result meta;
    const char *id, *issue_id, *project_id;
    const char *title, *message, *culprit, *location, *platform, *type, *dist;
    int64_t at_ms, received_ms;
    const char *user; /* "id:17", "username:..", "email:..", "ip:..": for telling users apart */
    struct source_pair *tags;
    size_t n_tags;
    struct sentry_exception *exceptions; /* causes first; the last one was finally raised */
    size_t n_exceptions;
    struct sentry_breadcrumb *breadcrumbs; /* oldest first */
    size_t n_breadcrumbs;
    struct sentry_context *contexts;
    size_t n_contexts;
    struct source_pair *extra; /* flattened */
    size_t n_extra;
    const char *request_url, *request_method;
    const char *sdk_name, *sdk_version;
    const char *next_id, *previous_id;
    enum tristate has_release; /* NO: the event carries none */
    const struct sentry_release *release;
};

struct sentry_event_list {
    struct source_result meta;
    struct sentry_event *items; /* newest first */
    size_t n;
};

/* The short form, for thousands of events: equal strings share memory. */
struct sentry_event_row {
    const char *id;
    int64_t at_ms;
    const char *title, *message;
    const char *error_type, *error_value; /* of metadata, NULL on older servers */
    const char *user;                     /* as in struct sentry_event */
    const char *release, *environment;    /* of the tags, for convenience */
    struct source_pair *tags;
    size_t n_tags;
};

struct sentry_event_rows {
    struct source_result meta;      /* partial: there are older events that were not fetched */
    struct sentry_event_row *items; /* newest first */
    size_t n;
};

struct sentry_tag_value {
    const char *value; /* NULL: the share of events without this tag */
    const char *name;
    int64_t count, first_seen_ms, last_seen_ms;
};

struct sentry_tag {
    const char *key, *name;
    int64_t total;                   /* events with this tag */
    int64_t unique;                  /* different values; may be more than n_values */
    struct sentry_tag_value *values; /* most frequent first */
    size_t n_values;
};

struct sentry_tags {
    struct source_result meta;
    struct sentry_tag *items;
    size_t n;
};

/* Rows of the events table: cells[row * n_fields + field], numbers as text, NULL for null. */
struct sentry_table {
    struct source_result meta;
    const char **fields;
    size_t n_fields;
    const char **cells;
    size_t n_rows;
};

struct sentry_event_id {
    struct source_result meta;
    const char *event_id, *issue_id, *project_slug;
};

struct sentry_organization {
    struct source_result meta;
    const char *id, *slug, *name, *web_url;
    const char *region_url; /* NULL: not told, or not a host that may get our token */
    const char **scopes;
    size_t n_scopes;
};

const char *sentry_event_tag(const struct sentry_event *event, const char *key);
const char *sentry_row_tag(const struct sentry_event_row *row, const char *key);
const struct sentry_tag *sentry_tag_find(const struct sentry_tags *tags, const char *key);
/* When it came into use: last deploy finished, else released, else created; TIME_UNKNOWN. */
int64_t sentry_release_time(const struct sentry_release *release);
/* Address of an event's page below the issue's permalink; NULL without a permalink. Heap. */
char *sentry_event_link(const char *permalink, const char *event_id);

/* ---- calls; `ids` are percent-encoded by the client ---- */

/* One issue by numeric or short id. Result: struct sentry_issue. */
struct source_call *sentry_get_issue(struct sentry *s, uint64_t owner, const char *issue_id,
                                     source_done_fn *done, void *user,
                                     struct error *err) MUST_CHECK;

/* One full event; `event_id` is 32 hex digits, "latest", "oldest" or "recommended" (falls back to
 * "latest" where the server does not know it). Result: struct sentry_event. */
struct source_call *sentry_get_event(struct sentry *s, uint64_t owner, const char *issue_id,
                                     const char *event_id, source_done_fn *done, void *user,
                                     struct error *err) MUST_CHECK;

/* Times 0 or TIME_UNKNOWN: not sent. Strings NULL: not sent. Counts 0: the default in brackets. */
struct sentry_events_query {
    const char *issue_id;
    const char *query;               /* event search, e.g. "environment:production" */
    int64_t start_ms, end_ms;        /* both or none: the server then takes its 90 days */
    const char *const *environments; /* NULL at the end; or NULL */
    int per_page;                    /* 1..100 [100; 5 for full events] */
    int max_pages;                   /* own cap [10; 1 for full events] */
};

/* Result: struct sentry_event_rows. */
struct source_call *sentry_list_events(struct sentry *s, uint64_t owner,
                                       const struct sentry_events_query *query,
                                       source_done_fn *done, void *user,
                                       struct error *err) MUST_CHECK;
/* Result: struct sentry_event_list; 50..150 KB each at the source, ask for few. */
struct source_call *sentry_list_full_events(struct sentry *s, uint64_t owner,
                                            const struct sentry_events_query *query,
                                            source_done_fn *done, void *user,
                                            struct error *err) MUST_CHECK;

/* All tag keys of an issue with their top values; `limit` values a key, 0: 10.
 * Result: struct sentry_tags. */
struct source_call *sentry_list_issue_tags(struct sentry *s, uint64_t owner, const char *issue_id,
                                           int limit, const char *const *environments,
                                           source_done_fn *done, void *user,
                                           struct error *err) MUST_CHECK;

struct sentry_issues_query {
    const char *project; /* numeric id (or slug on newer servers); NULL: all that we may see */
    const char *query;   /* issue search; NULL: everything (never the server's own default) */
    int64_t start_ms, end_ms;
    const char *stats_period; /* "24h": instead of start and end */
    const char *const *environments;
    const char *sort;               /* "date", "new", "freq", "user" [the server's: "date"] */
    const char *group_stats_period; /* "24h", "14d", "auto"; NULL: no stats, faster */
    int limit;                      /* a page, 1..100 [100] */
    int max_pages;                  /* own cap [2] */
};

/* Result: struct sentry_issues. */
struct source_call *sentry_list_issues(struct sentry *s, uint64_t owner,
                                       const struct sentry_issues_query *query,
                                       source_done_fn *done, void *user,
                                       struct error *err) MUST_CHECK;

/* Counts and series of the window for known issues (at most 100). Result: struct sentry_issues
 * with id, count, user_count, first/last seen, lifetime and stats only. */
struct source_call *sentry_issue_stats(struct sentry *s, uint64_t owner, const char *const *ids,
                                       size_t n_ids, const struct sentry_issues_query *window,
                                       source_done_fn *done, void *user,
                                       struct error *err) MUST_CHECK;

struct sentry_series_query {
    const char *issue;   /* short id (or numeric), becomes "issue:ID"; or NULL */
    const char *query;   /* further event search; or NULL */
    const char *project; /* numeric id or slug; NULL: all that we may see */
    const char *const *environments;
    int64_t start_ms, end_ms;
    const char *stats_period; /* instead of start and end; "24h" when neither is given */
    int64_t interval_ms;      /* 0: one hour */
    const char *y_axis;       /* "count()" [default], "count_unique(user)" */
};

/* events-timeseries, or events-stats where the server lacks it. Result: struct source_series. */
struct source_call *sentry_events_series(struct sentry *s, uint64_t owner,
                                         const struct sentry_series_query *query,
                                         source_done_fn *done, void *user,
                                         struct error *err) MUST_CHECK;

struct sentry_table_query {
    const char *const *fields; /* "region", "count()", ...; NULL at the end, at most 20 */
    const char *query;
    const char *project;
    const char *const *environments;
    int64_t start_ms, end_ms;
    const char *stats_period;
    const char *sort; /* "-count()" */
    int per_page;     /* 1..100 [50]; one page only */
};

/* Aggregates over a project's events, e.g. its usual distribution over a tag.
 * Result: struct sentry_table. */
struct source_call *sentry_events_table(struct sentry *s, uint64_t owner,
                                        const struct sentry_table_query *query,
                                        source_done_fn *done, void *user,
                                        struct error *err) MUST_CHECK;

struct sentry_releases_query {
    const char *project;
    const char *const *environments;
    const char *query; /* part of the version */
    int per_page;      /* [20] */
    int max_pages;     /* [1] */
};

/* Result: struct sentry_releases. */
struct source_call *sentry_list_releases(struct sentry *s, uint64_t owner,
                                         const struct sentry_releases_query *query,
                                         source_done_fn *done, void *user,
                                         struct error *err) MUST_CHECK;
/* Result: struct sentry_release. */
struct source_call *sentry_get_release(struct sentry *s, uint64_t owner, const char *version,
                                       source_done_fn *done, void *user,
                                       struct error *err) MUST_CHECK;
/* Result: struct sentry_commits. */
struct source_call *sentry_release_commits(struct sentry *s, uint64_t owner, const char *version,
                                           source_done_fn *done, void *user,
                                           struct error *err) MUST_CHECK;
/* Result: struct sentry_deploys; several environments mixed. */
struct source_call *sentry_release_deploys(struct sentry *s, uint64_t owner, const char *version,
                                           source_done_fn *done, void *user,
                                           struct error *err) MUST_CHECK;
/* Result: struct sentry_commit_files. */
struct source_call *sentry_release_files(struct sentry *s, uint64_t owner, const char *version,
                                         source_done_fn *done, void *user,
                                         struct error *err) MUST_CHECK;

/* Suspect commits of an event; none known is an empty list. Result: struct sentry_commits. */
struct source_call *sentry_event_committers(struct sentry *s, uint64_t owner,
                                            const char *project_slug, const char *event_id,
                                            source_done_fn *done, void *user,
                                            struct error *err) MUST_CHECK;
/* Which issue an event belongs to. Result: struct sentry_event_id. */
struct source_call *sentry_find_event(struct sentry *s, uint64_t owner, const char *event_id,
                                      source_done_fn *done, void *user,
                                      struct error *err) MUST_CHECK;
/* Result: struct sentry_similar; empty where the (private) endpoints are missing. */
struct source_call *sentry_similar_issues(struct sentry *s, uint64_t owner, const char *issue_id,
                                          source_done_fn *done, void *user,
                                          struct error *err) MUST_CHECK;

/* Result: struct sentry_organization. */
struct source_call *sentry_get_organization(struct sentry *s, uint64_t owner, source_done_fn *done,
                                            void *user, struct error *err) MUST_CHECK;
/* Goes on at the organization's region. Errors: ERR_CONFIG when that host may not get our token. */
int sentry_use_region(struct sentry *s, const char *region_url, struct error *err) MUST_CHECK;

/* Can this token do what the playbook needs? Result: struct source_check. */
struct source_call *sentry_check(struct sentry *s, uint64_t owner, source_done_fn *done, void *user,
                                 struct error *err) MUST_CHECK;

/* ---- reading answers: pure. What they return lives in `mem`. NULL with ERR_PROTOCOL when the
 * answer is not of this kind. ---- */

struct sentry_issue *sentry_parse_issue(const cJSON *json, struct source_mem *mem,
                                        struct error *err) MUST_CHECK;
struct sentry_event *sentry_parse_event(const cJSON *json, struct source_mem *mem,
                                        struct error *err) MUST_CHECK;
struct sentry_release *sentry_parse_release(const cJSON *json, struct source_mem *mem,
                                            struct error *err) MUST_CHECK;

#endif
