/* policy_internal - what the clients of src/net/ share beneath the policy's public face. */
#ifndef DBCONN_NET_POLICY_INTERNAL_H
#define DBCONN_NET_POLICY_INTERNAL_H

#include "dbconn/net/policy.h"

struct trust;

/* The CAs that this policy trusts, loaded at most once. Lent. */
struct trust *net_policy_trust(const struct net_policy *policy);

/* The pure part of net_policy_proxy(): `proxy` and `no_proxy` are the variables' values or NULL. */
bool proxy_is_excluded(const char *host, int port, const char *no_proxy);

#endif
