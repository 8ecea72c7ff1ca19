/*
 * What sentry_parse.c, sentry_event.c and sentry_release.c read of Sentry's answers; the rest of
 * them is dropped as it comes. A member that is read there is named here.
 */
#include "sentry_parse.h"

/* The members of a kind of object, below `p`. */
#define REPOSITORY(p) p "name", p "url", p "provider.id", p "externalSlug"

#define COMMIT(p)                                                                                  \
    p "id", p "message", p "author.name", p "author.email", p "dateCreated",                       \
        p "suspectCommitType", REPOSITORY(p "repository."), p "pullRequest.id",                    \
        p "pullRequest.title", p "pullRequest.message", p "pullRequest.externalUrl",               \
        p "pullRequest.author.name", p "pullRequest.dateCreated", p "pullRequest.mergedAt",        \
        REPOSITORY(p "pullRequest.repository.")

#define DEPLOY(p) p "id", p "environment", p "name", p "url", p "dateStarted", p "dateFinished"

#define RELEASE(p)                                                                                 \
    p "version", p "shortVersion", p "status", p "ref", p "url", p "versionInfo.package",          \
        p "versionInfo.buildHash", p "dateCreated", p "dateReleased", p "firstEvent",              \
        p "lastEvent", p "commitCount", p "deployCount", p "newGroups", p "projects[].slug",       \
        COMMIT(p "lastCommit."), DEPLOY(p "lastDeploy.")

#define TAGS(p) p "tags[].key", p "tags[].value"

#define USER(p) p "user.id", p "user.username", p "user.email", p "user.ip_address"

#define FRAMES(p)                                                                                  \
    p "frames[].filename", p "frames[].absPath", p "frames[].module", p "frames[].package",        \
        p "frames[].function", p "frames[].lineNo", p "frames[].inApp", p "frames[].context",      \
        p "frames[].vars", p "framesOmitted"

#define EXCEPTION(p)                                                                               \
    p "type", p "value", p "module", p "mechanism.type", p "mechanism.handled",                    \
        p "mechanism.exception_id", p "mechanism.parent_id", FRAMES(p "stacktrace."),              \
        FRAMES(p "rawStacktrace.")

/* Entries of several types: exceptions and threads have values, breadcrumbs too; an exception alone
 * is the value; a stack has frames; a request url and method. */
#define ENTRIES(p)                                                                                 \
    p "type", p "data.formatted", p "data.message", p "data.url", p "data.method",                 \
        FRAMES(p "data."), EXCEPTION(p "data.value."), EXCEPTION(p "data.values[]."),              \
        p "data.values[].crashed", p "data.values[].current", p "data.values[].timestamp",         \
        p "data.values[].category", p "data.values[].level", p "data.values[].message",            \
        p "data.values[].data"

#define EVENT(p)                                                                                   \
    p "eventID", p "id", p "groupID", p "projectID", p "title", p "message", p "culprit",          \
        p "location", p "platform", p "type", p "dist", p "dateCreated", p "dateReceived",         \
        p "sdk.name", p "sdk.version", p "nextEventID", p "previousEventID", TAGS(p), USER(p),     \
        ENTRIES(p "entries[]."), p "contexts", p "context", RELEASE(p "release.")

#define ISSUE(p)                                                                                   \
    p "id", p "shortId", p "title", p "culprit", p "permalink", p "logger", p "platform",          \
        p "level", p "status", p "substatus", p "priority", p "type", p "issueType",               \
        p "issueCategory", p "assignedTo.name", p "project.id", p "project.slug",                  \
        p "project.name", p "project.platform", p "metadata.type", p "metadata.value",             \
        p "metadata.filename", p "metadata.function", p "isUnhandled", p "count", p "userCount",   \
        p "firstSeen", p "lastSeen", p "lifetime.count", p "lifetime.userCount",                   \
        p "lifetime.firstSeen", p "lifetime.lastSeen", p "stats.24h", p "stats.30d",               \
        p "tags[].key", RELEASE(p "firstRelease."), RELEASE(p "lastRelease.")

const char *const sentry_wanted_event[] = { EVENT(""), NULL };
const char *const sentry_wanted_events[] = { EVENT("[]."), NULL };
const char *const sentry_wanted_rows[] = {
    "[].eventID",        "[].id",          "[].title",  "[].message", "[].metadata.type",
    "[].metadata.value", "[].dateCreated", TAGS("[]."), USER("[]."),  NULL
};
const char *const sentry_wanted_issue[] = { ISSUE(""), NULL };
const char *const sentry_wanted_issues[] = { ISSUE("[]."), NULL };
const char *const sentry_wanted_release[] = { RELEASE(""), NULL };
const char *const sentry_wanted_releases[] = { RELEASE("[]."), NULL };
const char *const sentry_wanted_commits[] = { COMMIT("[]."), NULL };
const char *const sentry_wanted_deploys[] = { DEPLOY("[]."), NULL };
const char *const sentry_wanted_files[] = { "[].filename", "[].repoName",    "[].commitMessage",
                                            "[].type",     "[].author.name", NULL };
