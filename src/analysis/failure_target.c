/*
 * The addresses that a message names.
 *
 * Three passes over a working copy, each blanking what it has understood: sentences that would
 * mislead the later passes, connection strings (dsn.h), then the drivers' forms from the particular
 * to the general. What is blanked is not read again, so "lookup db on 10.0.0.2:53" never turns the
 * name server into a target.
 */
#include <ctype.h>
#include <strings.h>

#include "dbconn/analysis/dsn.h"
#include "dbconn/base/text.h"
#include "failure_private.h"

/* In a row's `what`. */
enum use {
    USE_IGNORE,  /* an address, but not the one that was dialled */
    USE_NAMED,   /* a driver's own form */
    USE_GENERIC, /* looks like an address */
    USE_COMMON,  /* only the database or the user */
    USE_CLICKHOUSE,
};

/* Sources of the forms: see failure_kind.c. Host groups are wide on purpose: people and scrubbers
 * put "<hostname>", "192.168.***.***" or "{INSTANCE}" there. */
#define V4 "(?:[0-9x*]{1,3}\\.){3}[0-9x*]{1,3}"
#define V6 "(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|" V4 ")?(?:%\\w+)?"
#define PORT "(?<port>\\d{1,5})(?!\\d)"
#define ADDRESS "(?<addr>" V4 "|" V6 "|[0-9a-fx:.]+)"
/* host:port, [v6]:port, v6:port as Node writes it */
#define HOST_PORT                                                                                  \
    "(?:\\[(?<host>[^\\]\\s]+)\\]:" PORT "|(?<host>" V6 "):" PORT                                  \
    "|(?<host>[^\\s:/'\"`,;()\\[\\]]+):" PORT ")"
#define HOST_OPTIONAL_PORT                                                                         \
    "(?:" HOST_PORT "|(?<host>/[^\\s'\"`,;)]+)|(?<host>[^\\s:/'\"`,;()\\[\\]{}]+))"
/* What stands before ":12" in "main.go:12" and its like. */
#define NOT_CODE                                                                                   \
    "(?![\\w.-]*\\.(?:go|py|js|mjs|cjs|ts|tsx|jsx|java|rb|php|cs|exs?|rs|cc?|cpp|h|hpp|scala|kt|"  \
    "pl|pm|"                                                                                       \
    "lua|swift|sql|json|ya?ml|conf|log|vue|html?|sh|erl|hs|dart|clj|groovy|ini|xml|txt):)"
#define OPEN "[\"«»„“`]\\s?"
#define CLOSE "\\s?[\"«»”“`]"

/* clang-format off */
static const struct failure_rule early_rules[] = {
    /* The client's own side, name servers, names inside certificates. */
    { "no pg_hba\\.conf entry for (?:replication connection from )?host \"[^\"]*\"(?:, user "
      "\"(?<user>[^\"]*)\")?(?:, database \"(?<db>[^\"]*)\")?", USE_COMMON, 0 },
    { "pg_hba\\.conf rejects (?:replication )?connection for host \"[^\"]*\"(?:, user "
      "\"(?<user>[^\"]*)\")?(?:, database \"(?<db>[^\"]*)\")?", USE_COMMON, 0 },
    { "pg_hba\\.conf[^\"«„\\n]{0,60}" OPEN "[^\"»“]*" CLOSE "[^\"«„\\n]{0,40}" OPEN
      "(?<user>[^\"»“]*)" CLOSE "[^\"«„]{0,40}" OPEN "(?<db>[^\"»“,]*)" CLOSE "?", USE_COMMON, 0 },
    { OPEN "[^\"»“\\n]{1,64}" CLOSE "[^\"«„\\n]{1,20}" OPEN "(?<user>[^\"»“\\n]{1,64})" CLOSE
      "[^\"«„\\n]{1,20}" OPEN "(?<db>[^\"»“\\n]{1,64})" CLOSE "[^\\n]{0,60}pg_hba\\.conf",
      USE_COMMON, 0 },
    { "Access denied for user u?'(?<user>[^']*)'@u?'[^']*'(?: (?:to|"
      "for) database '(?<db>[^']*)')?", USE_COMMON, 0 },
    { "(?:user|für Benutzer) u?'(?<user>[^'@]*)'@u?'[^']*'", USE_COMMON, 0 },
    { "\\bHost u?'[^']*' is (?:not allowed|blocked)", USE_IGNORE, 0 },
    { "Client with IP ad?dress u?'[^']*'", USE_IGNORE, 0 },
    { "\\blookup (?:tcp/\\S+|(?<host>[^\\s:]+)(?: on \\S+?:53)?)(?::|$)", USE_NAMED, 0 },
    { "- Local \\([^)]*\\)", USE_IGNORE, 0 },
    /* Dart prints the client's own port beside the server's address. */
    { "errno = \\d+\\), address = (?<host>[^\\s,]+), port = \\d+", USE_NAMED, 0 },
    { "\\b(?:read|write) udp[46]? \\S+?->\\S+", USE_IGNORE, 0 },
    { "\\b(?:read|write) tcp[46]? \\S+?->" HOST_PORT, USE_NAMED, 0 },
    { "\\bServer \\S+ UDP port \\d+ answered", USE_IGNORE, 0 },
    { "certificate is valid for [^\\n]*?, not (?<host>[^\\s,]+)", USE_NAMED, 0 },
    { "server certificate for \"[^\"]*\"(?: \\(and \\d+ other names?\\))? does not match host "
      "name \"(?<host>[^\"]*)\"", USE_NAMED, 0 },
    { "does not match certificate's altnames: Host: (?<host>[^\\s]+?)\\. [^\\n]*", USE_NAMED, 0 },
    { "\\bDNS:\\S+|\\bCN ?= ?[^,\\s]+", USE_IGNORE, 0 },
    { "\\bfrom (?:localhost|" V4 "):\\d+ to\\b", USE_IGNORE, 0 },
    { "CONNECTION_ID=[^\\s)]+|ClientConnectionId:\\S+", USE_IGNORE, 0 },
    { "<urllib3\\.[^>]*>", USE_IGNORE, 0 },
    /* clickhouse-jdbc prints its node: ClickHouseNode [uri=http://h:1/db, ...], (addr=h:1, db=d) */
    { "ClickHouseNode ?\\[uri=\\w+://" HOST_PORT "(?:/(?<db>[^,\\]\\s?]+))?", USE_CLICKHOUSE, 0 },
    { "ClickHouseNode ?\\(addr=(?:\\w+:)?" HOST_PORT "(?:, ?db=(?<db>[^,)\\s]+))?",
      USE_CLICKHOUSE, 0 },
    { "ClickHouseNode\\(\\S+?:" HOST_PORT "/(?<db>[^,)\\s?]+)", USE_CLICKHOUSE, 0 },
};
/* clang-format on */

/* clang-format off */
static const struct failure_rule late_rules[] = {
    /* libpq, 14 and later; 13 and earlier; names; sockets; psycopg 3's list */
    { "server (?:at|on) \"(?<host>[^\"]*)\"(?: \\(" ADDRESS "\\))?, port " PORT, USE_NAMED, 0 },
    { "server running on host \"(?<host>[^\"]*)\"(?: \\(" ADDRESS "\\))?(?:\\s+and "
      "accepting\\s+TCP/IP connections on port " PORT ")?", USE_NAMED, 0 },
    { "on socket \"(?<host>[^\"]*)\"|Unix domain socket \"(?<host>[^\"]*)\"", USE_NAMED, 0 },
    { "host: '?(?<host>[^',\\s]+)'?, port: '?(?:" PORT ")?(?:None)?'?, hostaddr: '?(?:None|"
      ADDRESS ")'?", USE_NAMED, 0 },
    { "could not translate host name \"(?<host>[^\"]*)\"", USE_NAMED, 0 },
    /* the same in other languages: a quoted host, its address, the word for port and its number */
    { OPEN "(?<host>[^\"«»„“”`\\s]{1,253})" CLOSE "\\s?(?:[(（]\\s?" ADDRESS
      "\\s?[)）])?[^\"«»„“\\d]{0,90}?(?:port|Port|puerto|porta|porto|порт[а-я]{0,2}|ポート|端口|連接埠|"
      "포트|θύρα|porcie)[^\"«»„“\\d]{0,20}?" PORT, USE_NAMED, 0 },
    { OPEN "(?<host>[^\"«»„“”`\\s]{1,253})" CLOSE "\\s?(?:[(（]\\s?" ADDRESS
      "\\s?[)）])?[^\"«»„“\\d]{0,60}?\\b" PORT "\\s?(?:portunda|포트로)", USE_NAMED, 0 },
    { "(?:hostnamen|traducir el nombre|nom d.hôte|nome host|ホスト名|имя|имени|主机名|主機名稱|värdnamn|"
      "jméno hostitele|nome da máquina) ?" OPEN "(?<host>[^\"«»„“”`\\s]{1,253})" CLOSE,
      USE_NAMED, 0 },
    { "(?:socket|soquete|сокет|套接字|ソケット|소켓)\\S{0,6} ?" OPEN "(?<host>/[^\"»“]+)", USE_NAMED, 0 },

    /* pgx 5: "IP:PORT (HOST): dial error", "HOST: hostname resolving error" */
    { "(?:\\[(?<addr>[^\\]]+)\\]|(?<addr>" V4 ")):" PORT " \\((?<host>[^)\\s]+)\\): ",
      USE_NAMED, 0 },

    /* MySQL and MariaDB: client library, Connector/Python, Connector/J, MariaDB Connector/J */
    { "server (?:host )?(?:on )?u?'(?:[^'@]*@)?(?:(?<host>" V6 "):" PORT "|(?<host>" V6
      ")|(?<host>[^':]*)(?::" PORT ")?)'", USE_NAMED, 0 },
    { "through socket u?'(?<host>[^']*)'", USE_NAMED, 0 },
    { "client connected to u?'(?<host>[^':]*)(?::" PORT ")?'", USE_NAMED, 0 },
    { "\\(host=(?<host>[^)]+)\\)\\(port=" PORT "\\)", USE_NAMED, 0 },

    /* Laravel 12: (Connection: mysql, Host: h, Port: 1, Database: d, SQL: ...) */
    { "\\bHost(?: ?name)?: ?(?<host>[^\\s,;)\"']+)(?:, Port: ?" PORT ")?(?:, Database: "
      "?(?<db>[^\\s,;)]+))?", USE_NAMED, 0 },

    /* pgjdbc in other languages */
    { "(?:Verbindung zu|Connexion à|Conexión a|Conexão (?:para|com)|Connessione a|"
      "Подсоединение по адресу) " HOST_PORT, USE_NAMED, 0 },

    /* SQL Server: JDBC (also localized), tedious, go-mssqldb, FreeTDS */
    { "\\bhost '?(?<host>[^',\\s]+)'?, port " PORT, USE_NAMED, 0 },
    { "(?:host|hôte|ホスト|主机|узлу?|servidor) ?['\"]?(?<host>[^'\",\\s、]{1,253})['\"]?(?:, ?|、|"
      " )(?:port|puerto|porta|порт|端口|ポート) ?" PORT, USE_NAMED, 0 },
    { "\\bto the host (?<host>[^\\s,]+), named instance", USE_NAMED, 0 },
    { "Authentication to host '(?<host>[^']+)' for user '(?<user>[^']*)'", USE_NAMED, 0 },
    { "Cannot open server [\"'](?<host>[^\"']+)[\"']", USE_NAMED, 0 },
    { "does not exist \\(" HOST_OPTIONAL_PORT "\\)", USE_NAMED, 0 },
    { "Failed to connect to (?<host>[\\w.-]+\\\\[\\w$-]+)(?= in |:| -)", USE_NAMED, 0 },

    /* Oracle: "no listener at host H port P", '... at host "H" port P', (HOST=..)(PORT=..) */
    { "\\bhost:? [\"'«„]?(?<host>[^\\s\"',«»]+)[\"'»“]?,? port:? " PORT, USE_NAMED, 0 },
    { "\\(HOST ?= ?(?<host>[^)\\s]+)\\)(?:\\(PORT ?= ?" PORT "\\))?", USE_NAMED, 0 },

    /* Go: dial, lookup is above */
    { "\\bdial unix (?<host>/\\S+?):? ", USE_NAMED, 0 },
    { "\\bdial (?:tcp|udp)[46]? (?:\\S+?->)?" HOST_PORT, USE_NAMED, 0 },
    { "\\bdial (?:tcp|udp)[46]? :" PORT, USE_NAMED, 0 },

    /* Node: connect ECONNREFUSED host:port, connect ENOENT /path, getaddrinfo, querySrv */
    { "(?-i:\\bquery\\w* E[A-Z]{4,}) (?<host>[^\\s,'\"]+)", USE_NAMED, 0 },
    { "(?<host>_mongodb\\._tcp\\.[^\\s,'\":]+)", USE_NAMED, 0 },
    { "getaddrinfo for (?<host>\\S+) failed", USE_NAMED, 0 },
    { "UnknownHostException: (?<host>[^\\s:,;)]+)", USE_NAMED, 0 },
    { "^(?<host>[a-z][\\w.-]*): (?:Name or service|nodename|Temporary failure in|No address|"
      "Name does not)", USE_NAMED, 0 },
    { "\\bgetaddrinfo E[A-Z_]+ (?:(?<host>[^\\s:,;'\"`)}\\]]+)(?: [^\\s:]+)?:" PORT
      "|(?<host>[^\\s:,;'\"`)}\\]]+))", USE_NAMED, 0 },
    { "\\bE(?:CONNREFUSED|TIMEDOUT|HOSTUNREACH|NETUNREACH|CONNRESET|ADDRNOTAVAIL|PIPE|"
      "CONNABORTED|HOSTDOWN|ACCES|PERM|INVAL|NOENT|NOTFOUND|AI_AGAIN) (?:" HOST_PORT
      "|(?<host>/[^\\s,'\"]+))", USE_NAMED, 0 },
    { "[\"']?(?:address|host|"
      "hostname)[\"']?: ?[\"'](?<host>[^\"'\\s]+)[\"'],\\s*[\"']?port[\"']?: ?[\"']?" PORT,
      USE_NAMED, 0 },

    /* Prisma: `host`:`port`, `host:port` */
    { "`(?<host>[^`\\s]+)`:`" PORT "`|`(?<host>[^`\\s:]+):" PORT "`", USE_NAMED, 0 },
    { "database server at `(?<host>[^`\\s:]+)`", USE_NAMED, 0 },

    /* Java: name/address:port, name/<unresolved>:port, /address:port */
    { "(?<![\\w.-])(?<host>[A-Za-z][\\w.-]*)/(?:<unresolved>|\\[?" ADDRESS "\\]?):" PORT,
      USE_NAMED, 0 },
    { "(?<![\\w./:-])(?<host>[A-Za-z][\\w.-]*)/" V4 "(?![\\d.])", USE_NAMED, 0 },
    { "(?<![\\w/])/(?:\\[(?<host>[0-9a-f:.%]+)\\]|(?<host>" V4 ")|(?<host>" V6 ")):" PORT,
      USE_NAMED, 0 },

    /* Python: ('host', port), Pool(host='h', port=1) is a connection string's form */
    { "\\(u?'(?<host>[^'\\s]+)', " PORT "(?:, \\d+, \\d+)?\\)", USE_NAMED, 0 },

    /* Ruby: connect(2) for "host" port 1, connect(2) for host:port, for /path */
    { "connect\\(2\\) for \"(?<host>[^\"]+)\" port " PORT, USE_NAMED, 0 },
    { "connect\\(2\\) for " HOST_OPTIONAL_PORT, USE_NAMED, 0 },
    { "Hostname lookup for (?<host>\\S+) failed", USE_NAMED, 0 },

    /* Redis clients */
    { "connecting to unix socket:? (?<host>/\\S+?)[.:]?(?=\\s|$)", USE_NAMED, 0 },
    { "\\bconnecting to " HOST_PORT, USE_NAMED, 0 },
    { "(?:connect(?:ing|ed|ion)? (?:to )?(?:Redis|Valkey|server|redis server)|Redis) (?:at |on |"
      "to )?" HOST_PORT, USE_NAMED, 0 },
    { "\\bon (?:Unspecified/)?" HOST_PORT "(?=/(?:Interactive|Subscription)|[,. ]|$)",
      USE_NAMED, 0 },

    /* curl, ssh, psycopg-less tools: "Failed to connect to H port P", "connect to host H port P" */
    { "connect to (?:host )?(?<host>[^\\s:,]+) port " PORT, USE_NAMED, 0 },
    { "connection to (?:host )?(?<host>[^\\s:,]+) and port " PORT "|"
      "to host (?<host>[^\\s,]+) and port " PORT, USE_NAMED, 0 },
    { "Connect to " HOST_PORT " \\[[^\\]]*\\]", USE_NAMED, 0 },
    { "ipv[46]#" HOST_PORT "|ipv[46]:" HOST_PORT, USE_NAMED, 0 },

    /* Cassandra, MongoDB, Elasticsearch: addresses in their lists */
    { "endPoint=(?<host>[\\w.-]+)/" ADDRESS ":" PORT, USE_NAMED, 0 },
    { "\\b(?:Addr|address|EndPoint|serverEndpoint|endpoint)(?:\"?: ?|=)\"?(?:Unspecified/)?"
      HOST_PORT, USE_NAMED, 0 },
    { "\\bconnection\\(" HOST_PORT "\\[", USE_NAMED, 0 },
    { "\\{#transport#[^}]*\\}\\{[^}]*\\}\\{[^}]*\\}\\{" HOST_PORT "\\}", USE_NAMED, 0 },

    /* Only the database or the user. */
    { "password authentication failed for user \"(?<user>[^\"]*)\"", USE_COMMON, 0 },
    { "authentication failed for user \"(?<user>[^\"]*)\"", USE_COMMON, 0 },
    { "\\brole \"(?<user>[^\"]*)\"", USE_COMMON, 0 },
    { "\\b(?:credentials|failed) for the role (?<user>[\\w@-]+(?:\\.[\\w@-]+)*)", USE_COMMON, 0 },
    { "\\bMongoCredential\\{[^}\\n]{0,200}?\\buserName='(?<user>[^']*)'", USE_COMMON, 0 },
    { "\\bUser '?(?<user>[^\\s']+)'? already has more than", USE_COMMON, 0 },
    { "(?:\\buser|Benutzer|usuario|utilisateur|utente|usuário|пользовател[а-я]+|用户|使用者|ユーザー|"
      "사용자) ?" OPEN "(?<user>[^\"«»„“”`\\n]{1,64})" CLOSE, USE_COMMON, 0 },
    { "(?:\\bdatabase|Datenbank|base de datos|base de données|banco de dados|баз[аыуе] данных|"
      "数据库|資料庫|データベース) ?" OPEN "(?<db>[^\"«»„“”`\\n]{1,64})" CLOSE, USE_COMMON, 0 },
    { OPEN "(?<db>[^\"«»„“”`\\n]{1,64})" CLOSE " 데이터베이스", USE_COMMON, 0 },
    { "Unknown database u?['\"`](?<db>[^'\"`)\\n]*)", USE_COMMON, 0 },
    { "Cannot open (?:user default )?database \"(?<db>[^\"]*)\"", USE_COMMON, 0 },
    { "Login failed for user '(?<user>[^']*)'", USE_COMMON, 0 },
    { "\\bfor user '(?<user>[^'@\\n]+)'(?!@)", USE_COMMON, 0 },
    { "\\bUser '(?<user>[^']*)' has exceeded", USE_COMMON, 0 },
    { "\\bdatabase '(?<db>[^'\\n]{1,64})'", USE_COMMON, 0 },
    { "could not find your database: (?<db>[\\w-]+)|"
      "with your username/password, username: (?<user>[^.,\\s]+)", USE_COMMON, 0 },
    { "with your hostname: (?<host>[^\\s,]+)", USE_NAMED, 0 },
    { "\\bno such database: (?<db>[\\w-]+)", USE_COMMON, 0 },
    { "Service \"(?<db>[^\"]+)\" is not registered|SID \"(?<db>[^\"]+)\" is not registered",
      USE_COMMON, 0 },
    { "credentials for `(?<user>[^`]*)`", USE_COMMON, 0 },
    { "User `(?<user>[^`]*)` was denied access on the database `(?<db>[^`]*)`", USE_COMMON, 0 },
    { "Database `(?<db>[^`]*)` does not exist", USE_COMMON, 0 },
    { "\\bconnect\\(\\s*'(?:(?<db>[\\w-]+)|[^']*)','(?<user>[^',]+)'", USE_COMMON, 0 },

    /* Anything that looks like an address. Not code positions (main.go:12), not times. */
    { "(?<![\\w./@:#-])(?:\\[(?<host>" V6 ")\\]:" PORT "|(?<host>" V4 "):" PORT
      ")(?!\\d|:\\d|\\.\\d|\\w)", USE_GENERIC, 0 },
    { "(?<![\\w./@:#=-])" NOT_CODE "(?<host>localhost|<[\\w -]{1,60}>|"
      "(?:[a-z0-9](?:[\\w-]{0,62})\\.)+[a-z][a-z0-9-]{0,62}):" PORT "(?!\\d|:\\d|\\.\\d|\\w)",
      USE_GENERIC, 0 },
    { "(?:\\bto|\\bat|\\bserver|\\bhost|\\bwith|\\bnode|\\bbroker|\\bpeer|\\bfor|\\bfrom|"
      "\\bnetwork|\\bon) ['\"`\\[(]?" NOT_CODE "(?<host>[A-Za-z_<{][\\w.<>{}*-]{0,253}):" PORT
      "(?!\\d|:\\d|\\.\\d|\\w)", USE_GENERIC, 0 },
    { "[(\\[]" NOT_CODE "(?<host>[a-z][\\w.-]{0,253}):" PORT "(?:[)\\]]|, )", USE_GENERIC, 0 },
    { "(?<![\\w.])(?<host>/[\\w./:@{}-]*(?:\\.sock|\\.s\\.PGSQL\\.\\d+))(?![\\w])",
      USE_GENERIC, 0 },
    { "(?:^|\\n|, ?|[\\[(: ])(?<host>[a-z][\\w-]{0,62}(?:\\.[\\w-]+)*|<[\\w -]{1,60}>):" PORT
      ": (?:\\[Errno|timed out|connection|\\[SSL|_ssl|getaddrinfo|The handshake)", USE_NAMED, 0 },
    { "^" NOT_CODE "(?<host>[a-z][\\w.%-]{0,512}):" PORT ": ", USE_GENERIC, 0 },
    { "\\baddress (?<host>[\\w.-]+): missing port in address", USE_GENERIC, 0 },
    { "\\bredis(?:://| at | on | server | )(?<host>[\\w.-]+):" PORT, USE_NAMED, 0 },
};
/* clang-format on */

void failure_target_init(struct failure_reader *r)
{
    failure_rules_add(&r->early, early_rules, ARRAY_LEN(early_rules));
    failure_rules_add(&r->late, late_rules, ARRAY_LEN(late_rules));
}

/* The state of reading one message. */
struct target_read {
    char *work; /* what has not been understood yet */
    char *rest; /* the text without the names of hosts, databases and users */
    struct mentions mentions;
    char *scheme;
    enum engine engine;
};

#define BLANK '\x01' /* stands for what is understood; prepare() leaves none in */

static void blank(char *text, struct span s)
{
    if (s.end > s.start)
        memset(text + s.start, BLANK, s.end - s.start);
}

static char *copy_span(const char *text, struct span s)
{
    return s.end > s.start ? xstrndup(text + s.start, s.end - s.start) : NULL;
}

/* A host as a rule has captured it: a rest of a password left of an @ goes, "None" is none. */
static char *clean_host(char *host)
{
    char *at = host ? strrchr(host, '@') : NULL;
    size_t n;

    if (at && at[1])
        memmove(host, at + 1, strlen(at + 1) + 1);
    for (at = host; at && (at = strcasestr(at, "%40")); at = host) /* a whole URL, escaped */
        memmove(host, at + 3, strlen(at + 3) + 1);
    char *path = host ? strcasestr(host, "%2f") : NULL;
    if (path && path > host)
        *path = '\0';
    n = host ? strlen(host) : 0;
    while (n > 1 && strchr(".,;", host[n - 1]))
        host[--n] = '\0';
    if (!host || (n && strcasecmp(host, "none") != 0 && strcasecmp(host, "null") != 0))
        return host;
    free(host);
    return NULL;
}

static char *clean_port(char *text)
{
    char *port = text ? dsn_port(text, strlen(text)) : NULL;

    free(text);
    return port;
}

/* MongoDB's SRV record _mongodb._tcp.NAME: the cluster is NAME. */
static void strip_service(struct mention *m)
{
    size_t n = strlen("_mongodb._tcp.");

    if (!m->host || strncasecmp(m->host, "_mongodb._tcp.", n) != 0 || !m->host[n])
        return;
    free(m->addr);
    m->addr = m->host;
    m->host = xstrdup(m->addr + n);
}

static void note(struct target_read *t, const struct failure_match *m)
{
    const char *text = t->work;
    bool read = memchr(text + m->groups[GROUP_HOST].start, BLANK,
                       m->groups[GROUP_HOST].end - m->groups[GROUP_HOST].start) != NULL;
    enum use use = read ? USE_IGNORE : (enum use)m->row->what;

    if (use == USE_CLICKHOUSE)
        t->engine = ENGINE_CLICKHOUSE;
    if (use != USE_IGNORE) {
        struct mention *mention = VEC_ADD(t->mentions.items, t->mentions.n, t->mentions.cap);
        mention->at = m->all.start;
        mention->rank = use == USE_GENERIC ? 1 : 2;
        mention->host = clean_host(copy_span(text, m->groups[GROUP_HOST]));
        mention->port = clean_port(copy_span(text, m->groups[GROUP_PORT]));
        mention->addr = copy_span(text, m->groups[GROUP_ADDR]);
        strip_service(mention);
        mention->database = copy_span(text, m->groups[GROUP_DB]);
        mention->user = copy_span(text, m->groups[GROUP_USER]);
    }
    for (int g = GROUP_HOST; g <= GROUP_USER; g++)
        blank(t->rest, m->groups[g]);
    if (use == USE_IGNORE)
        blank(t->rest, m->all);
}

/* Reads a table over the working copy; a row's matches are blanked before the next row. */
static void read_table(const struct failure_rules *set, struct target_read *t)
{
    struct failure_matcher with;
    struct failure_match m;

    failure_matcher_init(&with, t->work);
    for (size_t i = 0; i < set->n; i++) {
        for (size_t from = 0; failure_rules_match(set, i, &with, from, &m);) {
            note(t, &m);
            blank(t->work, m.all);
            failure_matcher_text(&with, t->work);
            from = m.all.end;
        }
    }
    failure_matcher_clear(&with);
}

/* Pages that messages refer to. */
static bool is_documentation(const char *text, size_t at, const struct dsn *d)
{
    static const char *const hosts[] = { "sqlalche.me",       "docs.",         "pris.ly",
                                         "readthedocs",       "github.com",    "nodejs.org",
                                         "stackoverflow.com", "aka.ms",        "go.microsoft.com",
                                         "dochub.",           "mongodb.com",   "elastic.co",
                                         "oracle.com",        "bit.ly",        "wikipedia.org",
                                         "dev.mysql.com",     "postgresql.org" };
    const char *host = d->n_hosts ? d->hosts[0].host : NULL;
    size_t from = at > 24 ? at - 24 : 0;
    char *before = xstrndup(text + from, at - from);
    bool refers = text_icontains(before, "see ") || text_icontains(before, "help:") ||
                  text_icontains(before, "more info") || text_icontains(before, "background on") ||
                  text_icontains(before, "documentation") || text_icontains(before, "visit ");

    free(before);
    for (size_t i = 0; host && i < ARRAY_LEN(hosts) && !refers; i++)
        refers = text_icontains(host, hosts[i]);
    return refers;
}

static bool is_web(const char *scheme)
{
    return text_isame(scheme, "http") || text_isame(scheme, "https");
}

static void note_dsn(struct target_read *t, size_t at, struct dsn *d)
{
    size_t n = d->n_hosts ? d->n_hosts : 1;

    for (size_t i = 0; i < n; i++) {
        struct mention *m = VEC_ADD(t->mentions.items, t->mentions.n, t->mentions.cap);
        m->at = at + i;
        m->rank = 2;
        if (d->n_hosts) {
            m->host = clean_host(xstrdup(d->hosts[i].host));
            m->port = xstrdup(d->hosts[i].port);
        }
        m->database = xstrdup(d->database);
        m->user = xstrdup(d->user);
    }
    if (t->engine == ENGINE_UNKNOWN)
        t->engine = d->engine;
    if (!t->scheme && d->scheme)
        t->scheme = xstrdup(d->scheme);
}

static void blank_word(char *text, struct span s, const char *word)
{
    size_t n = word ? strlen(word) : 0;
    char *p = n && s.end > s.start ? memmem(text + s.start, s.end - s.start, word, n) : NULL;

    if (p)
        memset(p, BLANK, n);
}

/* Blanks the names in a keyword list, and all but the scheme of a URL: how a list is written
 * ("`host=a user=b`") tells the driver. A link to documentation (NULL) goes altogether. */
static void blank_dsn(char *text, struct span s, const struct dsn *d)
{
    if (!d || d->scheme) {
        s.start += d ? strlen(d->scheme) : 0;
        blank(text, s);
        return;
    }
    for (size_t i = 0; i < d->n_hosts; i++)
        blank_word(text, s, d->hosts[i].host);
    blank_word(text, s, d->database);
    blank_word(text, s, d->user);
}

static void read_dsns(struct target_read *t)
{
    struct dsn d;

    for (size_t from = 0, start, end; dsn_find(t->work, from, &start, &end, &d); from = end) {
        bool skip = is_web(d.scheme) && is_documentation(t->work, start, &d);
        if (!skip)
            note_dsn(t, start, &d);
        blank(t->work, (struct span){ start, end });
        blank_dsn(t->rest, (struct span){ start, end }, skip ? NULL : &d);
        dsn_clear(&d);
    }
}

/* java.net.UnknownHostException's message is the name, with or without a reason behind it. */
static void read_unknown_host(struct target_read *t, const char *type)
{
    size_t n = strcspn(t->work, " \t\n");
    struct dsn_host h;

    if (!text_icontains(type, "UnknownHost") || n == 0 || t->work[0] == BLANK)
        return;
    while (n > 0 && (t->work[n - 1] == ':' || t->work[n - 1] == '.'))
        n--;
    if (t->work[n] == ' ' && t->work[n + 1] != '\0')
        return; /* a sentence */
    const char *at = memrchr(t->work, '@', n);
    size_t user = at ? strcspn(t->work, ":@") : 0;
    dsn_split_host(t->work, n, &h);
    struct mention *m = VEC_ADD(t->mentions.items, t->mentions.n, t->mentions.cap);
    *m = (struct mention){ .rank = 2, .host = h.host, .port = h.port };
    if (user)
        m->user = xstrndup(t->work, user);
    blank(t->work, (struct span){ 0, n });
    blank(t->rest, (struct span){ 0, n });
}

void failure_target_read(const struct failure_reader *r, const char *type, const char *text,
                         struct failure *f, char **ret_rest, char **ret_scheme)
{
    struct target_read t = { .work = xstrdup(text), .rest = xstrdup(text) };

    read_unknown_host(&t, type);
    read_table(&r->early, &t);
    read_dsns(&t);
    read_table(&r->late, &t);
    failure_merge(&t.mentions, f);
    f->engine = t.engine;
    free(t.work);
    *ret_rest = t.rest;
    *ret_scheme = t.scheme;
}
