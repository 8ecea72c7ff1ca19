/* What the endings of names set. */
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"
#include "settings_words.h"

/* Endings of names, words joined. Where the documentation of a driver, pool or server gives the
 * name to a database setting alone, it is intrinsic. */
static const struct {
    struct word ending;
    enum setting_kind kind;
    bool intrinsic;
} endings[] = {
    { WORD("host"), SETTING_HOST, false },
    { WORD("hosts"), SETTING_HOST, false },
    { WORD("hostname"), SETTING_HOST, false },
    { WORD("hostnames"), SETTING_HOST, false },
    { WORD("hostaddr"), SETTING_HOST, false },
    { WORD("server"), SETTING_HOST, false },
    { WORD("servers"), SETTING_HOST, false },
    { WORD("servername"), SETTING_HOST, false },
    { WORD("address"), SETTING_HOST, false },
    { WORD("addresses"), SETTING_HOST, false },
    { WORD("addr"), SETTING_HOST, false },
    { WORD("addrs"), SETTING_HOST, false },
    { WORD("endpoint"), SETTING_HOST, false },
    { WORD("endpoints"), SETTING_HOST, false },
    { WORD("fqdn"), SETTING_HOST, false },
    { WORD("contactpoints"), SETTING_HOST, true },
    { WORD("seeds"), SETTING_HOST, false },
    { WORD("nodes"), SETTING_HOST, false },
    { WORD("primary"), SETTING_HOST, false },
    { WORD("master"), SETTING_HOST, false },
    { WORD("writer"), SETTING_HOST, false },
    { WORD("externalname"), SETTING_SERVICE, false },
    { WORD("targetport"), SETTING_SERVICE, false },
    { WORD("enabled"), SETTING_SERVICE, false },
    { WORD("clusterip"), SETTING_SERVICE, false },
    { WORD("port"), SETTING_PORT, false },
    { WORD("ports"), SETTING_PORT, false },
    { WORD("portvalue"), SETTING_PORT, false },
    { WORD("portnumber"), SETTING_PORT, false },
    { WORD("containerport"), SETTING_PORT, false },
    { WORD("fromport"), SETTING_NETWORK_RULE, false },
    { WORD("toport"), SETTING_NETWORK_RULE, false },
    { WORD("cidrblocks"), SETTING_NETWORK_RULE, false },
    { WORD("cidr"), SETTING_NETWORK_RULE, false },
    { WORD("sourceranges"), SETTING_NETWORK_RULE, false },
    { WORD("securitygroups"), SETTING_NETWORK_RULE, false },
    { WORD("securitygroupids"), SETTING_NETWORK_RULE, false },
    { WORD("sourcesecuritygroupid"), SETTING_NETWORK_RULE, false },
    { WORD("name"), SETTING_DATABASE, false },
    { WORD("db"), SETTING_DATABASE, false },
    { WORD("database"), SETTING_DATABASE, false },
    { WORD("dbname"), SETTING_DATABASE, true },
    { WORD("databasename"), SETTING_DATABASE, true },
    { WORD("initialcatalog"), SETTING_DATABASE, true },
    { WORD("sid"), SETTING_DATABASE, false },
    { WORD("servicename"), SETTING_DATABASE, false },
    { WORD("url"), SETTING_URL, false },
    { WORD("urls"), SETTING_URL, false },
    { WORD("uri"), SETTING_URL, false },
    { WORD("uris"), SETTING_URL, false },
    { WORD("dsn"), SETTING_URL, false },
    { WORD("conninfo"), SETTING_URL, true },
    { WORD("connstr"), SETTING_URL, false },
    { WORD("connectionstring"), SETTING_URL, false },
    { WORD("connectionuri"), SETTING_URL, false },
    { WORD("connectionurl"), SETTING_URL, false },
    { WORD("jdbcurl"), SETTING_URL, true },
    { WORD("databaseurl"), SETTING_URL, true },
    { WORD("databaseuri"), SETTING_URL, true },
    { WORD("connection"), SETTING_URL, false },
    { WORD("user"), SETTING_USER, false },
    { WORD("username"), SETTING_USER, false },
    { WORD("userid"), SETTING_USER, false },
    { WORD("login"), SETTING_USER, false },
    { WORD("password"), SETTING_PASSWORD, false },
    { WORD("passwd"), SETTING_PASSWORD, false },
    { WORD("pass"), SETTING_PASSWORD, false },
    { WORD("pwd"), SETTING_PASSWORD, false },
    { WORD("passwordfile"), SETTING_PASSWORD, false },
    { WORD("pool"), SETTING_POOL_SIZE, false },
    { WORD("poolsize"), SETTING_POOL_SIZE, false },
    { WORD("poolmax"), SETTING_POOL_SIZE, false },
    { WORD("poolmaxsize"), SETTING_POOL_SIZE, false },
    { WORD("poolmin"), SETTING_POOL_SIZE, false },
    { WORD("poolcount"), SETTING_POOL_SIZE, false },
    { WORD("poollimit"), SETTING_POOL_SIZE, false },
    { WORD("maxpool"), SETTING_POOL_SIZE, false },
    { WORD("minpool"), SETTING_POOL_SIZE, false },
    { WORD("maxpoolsize"), SETTING_POOL_SIZE, false },
    { WORD("minpoolsize"), SETTING_POOL_SIZE, false },
    { WORD("poolmaxconnections"), SETTING_POOL_SIZE, false },
    { WORD("maximumpoolsize"), SETTING_POOL_SIZE, true },
    { WORD("minimumpoolsize"), SETTING_POOL_SIZE, false },
    { WORD("minimumidle"), SETTING_POOL_SIZE, true },
    { WORD("maxopenconns"), SETTING_POOL_SIZE, true },
    { WORD("maxopenconnections"), SETTING_POOL_SIZE, true },
    { WORD("maxidleconns"), SETTING_POOL_SIZE, false },
    { WORD("maxidleconnections"), SETTING_POOL_SIZE, false },
    { WORD("maxopen"), SETTING_POOL_SIZE, false },
    { WORD("maxidle"), SETTING_POOL_SIZE, false },
    { WORD("minidle"), SETTING_POOL_SIZE, false },
    { WORD("maxactive"), SETTING_POOL_SIZE, false },
    { WORD("maxtotal"), SETTING_POOL_SIZE, false },
    { WORD("initialsize"), SETTING_POOL_SIZE, false },
    { WORD("maxsize"), SETTING_POOL_SIZE, false },
    { WORD("minsize"), SETTING_POOL_SIZE, false },
    { WORD("max"), SETTING_POOL_SIZE, false },
    { WORD("min"), SETTING_POOL_SIZE, false },
    { WORD("size"), SETTING_POOL_SIZE, false },
    { WORD("maxoverflow"), SETTING_POOL_SIZE, true },
    { WORD("maxconns"), SETTING_POOL_SIZE, false },
    { WORD("minconns"), SETTING_POOL_SIZE, false },
    { WORD("maxconn"), SETTING_POOL_SIZE, false },
    { WORD("minconn"), SETTING_POOL_SIZE, false },
    { WORD("maxconnections"), SETTING_POOL_SIZE, false },
    { WORD("minconnections"), SETTING_POOL_SIZE, false },
    { WORD("connectionlimit"), SETTING_POOL_SIZE, true },
    { WORD("connections"), SETTING_POOL_SIZE, false },
    { WORD("conns"), SETTING_POOL_SIZE, false },
    { WORD("poolmode"), SETTING_POOL_SIZE, false },
    { WORD("defaultpoolsize"), SETTING_POOL_SIZE, true },
    { WORD("reservepoolsize"), SETTING_POOL_SIZE, true },
    { WORD("maxclientconn"), SETTING_SERVER_LIMIT, true },
    { WORD("maxdbconnections"), SETTING_SERVER_LIMIT, true },
    { WORD("maxuserconnections"), SETTING_SERVER_LIMIT, true },
    { WORD("maxclients"), SETTING_SERVER_LIMIT, false },
    { WORD("superuserreservedconnections"), SETTING_SERVER_LIMIT, true },
    { WORD("timeout"), SETTING_TIMEOUT, false },
    { WORD("timeoutms"), SETTING_TIMEOUT, false },
    { WORD("timeoutmillis"), SETTING_TIMEOUT, false },
    { WORD("timeoutseconds"), SETTING_TIMEOUT, false },
    { WORD("timeoutsec"), SETTING_TIMEOUT, false },
    { WORD("lifetime"), SETTING_TIMEOUT, false },
    { WORD("maxlifetime"), SETTING_TIMEOUT, false },
    { WORD("connmaxlifetime"), SETTING_TIMEOUT, true },
    { WORD("connmaxidletime"), SETTING_TIMEOUT, true },
    { WORD("connmaxage"), SETTING_TIMEOUT, true },
    { WORD("maxidletime"), SETTING_TIMEOUT, false },
    { WORD("idletime"), SETTING_TIMEOUT, false },
    { WORD("poolrecycle"), SETTING_TIMEOUT, true },
    { WORD("poolpreping"), SETTING_TIMEOUT, true },
    { WORD("preping"), SETTING_TIMEOUT, false },
    { WORD("statementtimeout"), SETTING_TIMEOUT, true },
    { WORD("serverselectiontimeoutms"), SETTING_TIMEOUT, true },
    { WORD("sockettimeoutms"), SETTING_TIMEOUT, false },
    { WORD("keepalive"), SETTING_TIMEOUT, false },
    { WORD("keepalivesidle"), SETTING_TIMEOUT, true },
    { WORD("leakdetectionthreshold"), SETTING_TIMEOUT, true },
    { WORD("ssl"), SETTING_TLS, false },
    { WORD("tls"), SETTING_TLS, false },
    { WORD("sslmode"), SETTING_TLS, true },
    { WORD("tlsmode"), SETTING_TLS, false },
    { WORD("usessl"), SETTING_TLS, false },
    { WORD("requiressl"), SETTING_TLS, false },
    { WORD("sslrootcert"), SETTING_TLS, true },
    { WORD("sslca"), SETTING_TLS, false },
    { WORD("sslcert"), SETTING_TLS, false },
    { WORD("sslkey"), SETTING_TLS, false },
    { WORD("encrypt"), SETTING_TLS, false },
    { WORD("trustservercertificate"), SETTING_TLS, true },
    { WORD("rejectunauthorized"), SETTING_TLS, false },
    { WORD("sslenabled"), SETTING_TLS, false },
    { WORD("tlsenabled"), SETTING_TLS, false },
    { WORD("socket"), SETTING_SOCKET, false },
    { WORD("unixsocket"), SETTING_SOCKET, false },
    { WORD("socketpath"), SETTING_SOCKET, false },
    { WORD("unixsocketdirectories"), SETTING_SOCKET, true },
    { WORD("unixsocketdir"), SETTING_SOCKET, true },
    { WORD("adapter"), SETTING_DRIVER, false },
    { WORD("driver"), SETTING_DRIVER, false },
    { WORD("driverclass"), SETTING_DRIVER, false },
    { WORD("driverclassname"), SETTING_DRIVER, false },
    { WORD("dialect"), SETTING_DRIVER, false },
    { WORD("provider"), SETTING_DRIVER, false },
    { WORD("engine"), SETTING_DRIVER, false },
    { WORD("listenaddresses"), SETTING_LISTEN, true },
    { WORD("listenaddress"), SETTING_LISTEN, false },
    { WORD("listenaddr"), SETTING_LISTEN, false },
    { WORD("listenport"), SETTING_LISTEN, false },
    { WORD("bindaddress"), SETTING_LISTEN, false },
    { WORD("bindip"), SETTING_LISTEN, false },
    { WORD("bind"), SETTING_LISTEN, false },
    { WORD("skipnetworking"), SETTING_LISTEN, true },
    { WORD("replicas"), SETTING_DEMAND, false },
    { WORD("replicacount"), SETTING_DEMAND, false },
    { WORD("minreplicas"), SETTING_DEMAND, false },
    { WORD("maxreplicas"), SETTING_DEMAND, false },
    { WORD("workers"), SETTING_DEMAND, false },
    { WORD("numworkers"), SETTING_DEMAND, false },
    { WORD("workercount"), SETTING_DEMAND, false },
    { WORD("maxworkers"), SETTING_DEMAND, false },
    { WORD("minworkers"), SETTING_DEMAND, false },
    { WORD("webconcurrency"), SETTING_DEMAND, false },
    { WORD("concurrency"), SETTING_DEMAND, false },
    { WORD("parallelism"), SETTING_DEMAND, false },
    { WORD("threads"), SETTING_DEMAND, false },
    { WORD("maxthreads"), SETTING_DEMAND, false },
    { WORD("processes"), SETTING_DEMAND, false },
    { WORD("instances"), SETTING_DEMAND, false },
    { WORD("mininstances"), SETTING_DEMAND, false },
    { WORD("maxinstances"), SETTING_DEMAND, false },
    { WORD("instancecount"), SETTING_DEMAND, false },
    { WORD("desiredcount"), SETTING_DEMAND, false },
    { WORD("mincapacity"), SETTING_DEMAND, false },
    { WORD("maxcapacity"), SETTING_DEMAND, false },
    { WORD("maxchildren"), SETTING_DEMAND, false },
    { WORD("consumers"), SETTING_DEMAND, false },
};

static size_t joined_length(const struct words *w, size_t from)
{
    size_t len = 0;

    for (; from < w->n; from++)
        len += w->items[from].len;
    return len;
}

/* Are the words from `from` on, joined, these letters? They are as many. */
static bool joined_is(const struct words *w, size_t from, const char *ending)
{
    for (; from < w->n; from++) {
        size_t n = w->items[from].len;
        if (text_differs(*ending, *w->items[from].text) ||
            strncasecmp(ending, w->items[from].text, n) != 0)
            return false;
        ending += n;
    }
    return true;
}

bool words_kind(const struct words *w, enum setting_kind *ret_kind, size_t *ret_used,
                bool *ret_intrinsic)
{
    for (size_t from = 0; from < w->n; from++) {
        size_t len = joined_length(w, from);
        for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
            if (endings[i].ending.len != len || !joined_is(w, from, endings[i].ending.text))
                continue;
            *ret_kind = endings[i].kind;
            *ret_used = w->n - from;
            *ret_intrinsic = endings[i].intrinsic;
            return true;
        }
    }
    return false;
}
