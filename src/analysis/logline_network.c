/* Trouble of the network in words that no table holds: every vendor has its own, but they all name
 * a thing of the network and say what is wrong with it. */
#include "logline_network.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "logline_line.h"

static const char *const things[] = {
    "bgp",
    "ospf",
    "is-is",
    "isis",
    "eigrp",
    "bfd",
    "vrrp",
    "keepalived_vrrp",
    "hsrp",
    "glbp",
    "spanning-tree",
    "spantree",
    "stp",
    "lacp",
    "lag",
    "port-channel",
    "interface",
    "adjacency",
    "neighbor",
    "neighbour",
    "nbr",
    "carrier",
    "vlan",
    "vxlan",
    "vtep",
    "tunnel",
    "vpn",
    "ipsec",
    "ike",
    "ikev2",
    "wireguard",
    "openvpn",
    "gre",
    "mpls",
    "lsp",
    "nat",
    "natgateway",
    "snat",
    "conntrack",
    "nic",
    "uplink",
    "trunk",
    "bond",
    "ethernet",
    "direct connect",
    "expressroute",
    "interconnect",
    "transit gateway",
    "peering",
    "link",
    "rtt",
    "packets",
    "overlay",
};

static const char *const troubles[] = {
    "down",          "lost",         "loss",       "flap",           "flaps",
    "flapping",      "flapped",      "expired",    "timed out",      "timeout",
    "unreachable",   "dead",         "exhaustion", "exhausted",      "errorportallocation",
    "dropped",       "dropping",     "drops",      "overflow",       "did not complete",
    "giving up",     "err-disable",  "errdisable", "error-disabled", "loopguard_block",
    "blocking port", "restarting",   "withdrawn",  "degraded",       "no carrier",
    "backup state",  "master state", "failed",     "fault",          "suspended",
};

static bool is_word(int c)
{
    return isalnum(c) || c == '_';
}

/* `word` with no letter, digit or underscore on either side. */
static bool holds_word(const struct haystack *h, const char *word)
{
    const char *text = h->text;
    size_t len = strlen(word);

    if (!haystack_has(h, word))
        return false;
    for (const char *at = text; (at = strcasestr(at, word)); at++)
        if ((at == text || !is_word((unsigned char)at[-1])) && !is_word((unsigned char)at[len]))
            return true;
    return false;
}

/* Cisco writes the thing as a facility: "%OSPF-5-ADJCHG", "%SPANTREE-2-LOOPGUARD_BLOCK". */
static bool holds_any(const struct haystack *h, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (holds_word(h, words[i]))
            return true;
    return false;
}

bool line_tells_network_trouble(const struct haystack *h)
{
    return holds_any(h, things, ARRAY_LEN(things)) && holds_any(h, troubles, ARRAY_LEN(troubles));
}

/* Programs that do nothing but make and watch paths: agents of container networks, kube-proxy, soft
 * switches, routing daemons, firewalls. What they fail at is the network. */
static const char *const programs[] = {
    "calico",   "felix",          "cilium",       "hubble",         "kube-proxy", "kube-router",
    "antrea",   "flannel",        "vswitchd",     "ovn-controller", "firewalld",  "ipamd",
    "aws-node", "weave-net",      "weave-npc",    "metallb",        "kube-ovn",   "submariner",
    "multus",   "bgpd",           "ospfd",        "bfdd",           "zebra",      "keepalived",
    "networkd", "networkmanager", "ovsdb-server",
};

/* Linux drivers of network cards and of the clouds' virtual ones; the kernel's lines begin with
 * them. */
static const char *const drivers[] = {
    "ixgbe",   "ixgbevf",   "i40e",       "iavf",    "ice",       "igb",    "igc",
    "e1000",   "e1000e",    "bnxt_en",    "bnx2x",   "tg3",       "be2net", "mlx4_core",
    "mlx4_en", "mlx5_core", "mlx5_en",    "qede",    "cxgb4",     "sfc",    "enic",
    "ena",     "gve",       "virtio_net", "vmxnet3", "hv_netvsc", "r8169",
};

static const char *const failures[] = {
    "failed",      "failure",   "denied",       "out of sync",    "flushed",
    "unreachable", "timed out", "timeout",      "lost",           "stuck",
    "giving up",   "could not", "unable to",    "error deleting", "error adding",
    "reset",       "missed",    "disconnected", "expired",
};

static const char *const breakdowns[] = {
    "reset", "lost",  "failed",     "failure",      "timeout", "timed out",    "hang",
    "hung",  "stuck", "bad device", "unexpectedly", "fatal",   "link is down", "removed",
};

bool line_is_of_network_program(const struct log_record *r, const char *program, size_t len)
{
    struct haystack h;
    char *name = xstrndup(program ? program : "", len);
    bool found = false;

    haystack_init(&h, name);
    for (size_t i = 0; i < ARRAY_LEN(programs) && !found; i++)
        found = identity_has(r, programs[i]) || haystack_has(&h, programs[i]);
    free(name);
    return found;
}

bool line_tells_program_failure(const struct haystack *h)
{
    return holds_any(h, failures, ARRAY_LEN(failures));
}

bool line_tells_driver_trouble(const struct haystack *h)
{
    return holds_any(h, drivers, ARRAY_LEN(drivers)) &&
           holds_any(h, breakdowns, ARRAY_LEN(breakdowns));
}
