/*
 * access - who may ask. Fails closed: what no rule allows is refused.
 *
 * An allow-list holds ids of users (U..., W...), channels (C..., G..., D...) and workspaces (T...,
 * E...), or "*" for every full member of the workspace, chosen knowingly. Pure.
 */
#ifndef DBCONN_SLACK_ACCESS_H
#define DBCONN_SLACK_ACCESS_H

#include <stdbool.h>

struct access;

struct access *access_new(void);
void access_free(struct access *a);
void access_allow(struct access *a, const char *entry);
bool access_is_empty(const struct access *a);

struct access_request {
    const char *team, *channel, *user; /* ids; NULL: unknown, which no rule matches */
};

bool access_permits(const struct access *a, const struct access_request *request);

#endif
