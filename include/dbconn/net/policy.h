/*
 * policy - which hosts this process may talk to, decided in one place for libcurl and
 * libwebsockets alike.
 *
 * https and wss to the configured hosts, their fixed companions (Sentry's regions, Slack's socket
 * and file hosts) and `net.allow_hosts`. Plaintext is accepted for loopback addresses only, and
 * only where the operator's own configuration names one. Nothing taken from an error message is
 * ever connected to. Decides without I/O; only the CA file is read, once, when TLS needs it.
 */
#ifndef DBCONN_NET_POLICY_H
#define DBCONN_NET_POLICY_H

#include <stdbool.h>

#include "dbconn/base/error.h"

struct net_policy;

struct net_policy *net_policy_new(void);
void net_policy_free(struct net_policy *policy);

/* The base URL that the operator configured for `service` ("slack", "sentry", "github",
 * "elasticsearch"). Errors: ERR_CONFIG for no URL, another scheme, or plaintext to a host that is
 * not loopback. */
int net_policy_add_base(struct net_policy *policy, const char *service, const char *base_url,
                        struct error *err) MUST_CHECK;
/* A further host ("*.example.com" or a name) for `service`, https/wss only. */
void net_policy_add_host(struct net_policy *policy, const char *service, const char *pattern);
/* PEM file with the CAs to trust instead of the system's; NULL for the system's. */
void net_policy_set_ca_file(struct net_policy *policy, const char *path);
const char *net_policy_ca_file(const struct net_policy *policy);

/* May `service` be asked at `url`? Also for addresses that the service handed out (socket URL,
 * response_url, upload URL). -1 with ERR_CONFIG and a sentence that names the key to set. */
int net_policy_check(const struct net_policy *policy, const char *service, const char *url,
                     struct error *err) MUST_CHECK;
bool net_policy_is_plaintext(const struct net_policy *policy, const char *service);

/* The proxy for `url` after HTTPS_PROXY/HTTP_PROXY/ALL_PROXY and NO_PROXY (upper and lower case);
 * heap, or NULL for none. */
char *net_policy_proxy(const char *url);

#endif
