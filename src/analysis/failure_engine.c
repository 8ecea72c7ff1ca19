/*
 * Which engine a message is about, or what it is about instead of a database.
 *
 * Marks are what only one engine's drivers or server write: class names, error codes, sentences.
 * Words are engines named in free text. Both are looked for outside the names of hosts, databases
 * and users ("Can't connect to MySQL server on 'redis-1'"). Then come the well-known port, words
 * inside identifiers, and host names that belong to a hosted engine.
 */
#include <ctype.h>
#include <strings.h>

#include "dbconn/base/text.h"
#include "failure_private.h"

#define PG ENGINE_POSTGRESQL
#define MY ENGINE_MYSQL
/* Of dev.mysql.com's error references, those about connections. */
#define MYSQL_CODES                                                                                \
    "(?:1040|1044|1045|1049|1053|1129|1130|1203|1226|1251|1698|2002|2003|2005|2006|2013|2026|"     \
    "2054|2055|2059)"

/* Sorted by how little they can be mistaken: the first row that matches decides. */
/* clang-format off */
static const struct failure_rule mark_rules[] = {
    { "\\bmariadb (?:connector|server|client)|org\\.mariadb|\\bMariaDbException|"
      "mariadb\\.\\w*Error|host:address=\\(|HostAddress\\{host=|Socket fail to connect to host:|"
      "address=\\(host=[^)]*\\)\\(port=[^)]*\\)", ENGINE_MARIADB, 0 },
    { "PSQLException|PG::|ConnectionDoesNotExistError|CannotConnectNowError|"
      "InvalidCatalogNameError|InvalidPasswordError|InvalidAuthorizationSpecificationError|"
      "(?-i:\\bTooManyConnectionsError)|\\bPQ[a-z]\\w+\\(\\)|org\\.postgresql|\\bpsycopg|"
      "\\basyncpg\\b|\\bpg8000\\b|\\bnpgsql|\\bpgx\\b|\\bpgxpool\\b|\\bpgconn\\b|postgrex|"
      "tokio[-_]postgres|postgres(?:ql)?\\w*(?:error|exception)|\\bpg_hba\\.conf|"
      "\\.s\\.PGSQL\\.|libpq", PG, 0 },
    { "connection to server (?:at \"|on socket)|Is the server running (?:on|locally)|"
      "could not translate host name|could not connect to server: |fe_sendauth|"
      "failed to connect to\\s+`(?:host|user)=|postmaster\\b|SSL SYSCALL error|"
      "SSL connection has been closed unexpectedly|node_modules/pg(?:-\\w+)?/|\\(dsn: |"
      "could not receive data from server|could not send data to server", PG, 0 },
    { "the database system is |sorry, too many clients|remaining connection slots|"
      "too many connections for (?:role|database)|password authentication failed for user|"
      "\\brole \"[^\"]*\" does not exist|\\bdatabase \"[^\"]*\" does not exist|"
      "permission denied for database|terminating connection due to administrator|"
      "server closed the connection unexpectedly|max_client_conn|query_wait_timeout|"
      "server_login_retry|FATAL:? +no such database: |MaxClientsInSessionMode|Tenant or user not found|SASL: SCRAM|"
      "SASL authentication failed|server does not support SSL, but|\\b28P01\\b|\\b57P0[123]\\b|"
      "\\b53300\\b|\\b3D000\\b|SQLSTATE\\[08006\\]|\\b(?:psql|pg_ctl|pg_dump|pg_dumpall|"
      "pg_restore|pg_isready|pg_basebackup|createdb): |(?-i:\\bpq: )|is not permitted to log in|"
      "server closed the connection unexpectedly", PG, 0 },
    /* libpq and the server in other languages: the severity with the words around "port" or a
     * quoted name (see failure_locales.c for the outcomes) */
    { "(?-i:\\bFATAL:  |\\bFATALE:  |\\bFATALT:  |ВАЖНО: |ФАТАЛЬНО: |致命错误: |致命錯誤: |치명적오류: )",
      PG, 0 },
    { "(?:verbindung zum server auf|conexión al servidor en|connexion au serveur sur|"
      "connessione al server su|conexão com (?:o )?servidor em|подключиться к серверу|"
      "anslutning till? server på|підключення до серверу|连接到(?:服务器)?|連線至伺服器)(?: socket| Socket|"
      " le socket| el socket)? ?[«\"“„»]|(?:サーバーへの接続に失敗|서버 접속 할 수 없음|서버에 접속)|"
      "läuft der server (?:auf|lokal)|le serveur est-il actif|¿está el servidor en ejecución|"
      "il server è in esecuzione|verifica che il server all.indirizzo|"
      "o servidor está (?:executando|rodando)|сервер действительно работает|"
      "он действительно работает|czy serwer działa|无法联接到服务器|服务器是否在|伺服器是否在|サーバ.{0,30}稼[働動]して|"
      "konnte hostnamen|no se pudo traducir el nombre «|n.a pas pu traduire le nom d.hôte|"
      "conversione del nome host \"|преобразовать имя \"|无法将主机名 \"|無法將主機名稱 \"|"
      "översätta värdnamn|не вдалося перекласти ім.я хоста|não pôde (?:traduzir nome da máquina|"
      "conectar ao servidor)|kör servern (?:på|lokalt)", PG, 0 },
    { "com\\.mysql|\\bTrilogy|\\bMySQL|Mysql2|MySql|aiomysql|asyncmy|pymysql|myxql|\\bDBD::mysql|mysqli|"
      "mysqldump|\\bmysqladmin", MY, 0 },
    { "Can't connect to (?:local |remote )?(?:MySQL )?server (?:on|through)|"
      "\\(HY000/[12]\\d{3}\\)|SQLSTATE\\[\\w+\\]:? ?[\\w ]*:? ?\\[?" MYSQL_CODES "\\b|\\("
      MYSQL_CODES ", ?u?b?['\"]|\\bERROR:? " MYSQL_CODES "\\b|\\b" MYSQL_CODES " \\(\\w{5}\\)",
      MY, 0 },
    { "Lost connection to server (?:at|during)|Communications link failure|"
      "Access denied for user '|\\bUnknown database '|using password: (?:YES|NO)|"
      "max_user_connections|caching_sha2_password|mysql_native_password|ER_[A-Z]+_ERROR\\b|"
      "ER_(?:CON_COUNT|BAD_DB|HOST_)\\w*|PROTOCOL_CONNECTION_LOST|^Too many connections$|"
      "Packets out of order\\. Got|Data source rejected establishment of connection|"
      "Public Key Retrieval is not allowed|mysqladmin flush-hosts|Handshake inactivity timeout|"
      "authentication protocol requested by server; consider|Lock wait timeout exceeded|"
      "ProxySQL Error|\\breaching hostgroup \\d|\\((?:9001|9501), ?u?b?['\"]|"
      "maximum statement execution time exceeded", MY, 0 },
    { "SQLServer(?:Exception|Driver)|(?-i:\\bSqlException\\b)|SqlClient\\b|"
      "ODBC Driver \\d+ for SQL Server|\\[SQL Server|SQL ?Server (?:Native|Driver)|TCP Provider|"
      "Named Pipes Provider|ClientConnectionId|requested by the login|Adaptive Server|FreeTDS|"
      "DB-Lib|\\bTDS\\b|\\btedious\\b|TinyTds|SQLEXPRESS|DBNETLIB|pymssql|microsoft\\.sqlserver|"
      "node-mssql|\\bmssql\\b|instance of SQL Server|instance-specific error|"
      "\\(provider: [\\w ]+, error: \\d+|The TCP/IP connection to the host|"
      "Login failed for user '", ENGINE_SQLSERVER, 0 },
    { "\\bORA-\\d{5}|\\bTNS[:-]|\\b(?:DPY|DPI|NJS)-\\d{3,4}|oracle\\.(?:jdbc|net|ucp)|"
      "OracleException|cx_Oracle|oracledb|\\bojdbc|OracleDriver|OracleDataSource|"
      "Network Adapter could not establish|(?:Authentication|connect) lapse \\d+",
      ENGINE_ORACLE, 0 },
    { "(?<!hu)mongo(?!l)|AtlasError|bad auth : |sasl conversation error|topology (?:is closed|"
      "was destroyed)|ServerSelectionTimeoutError|server selection (?:error|timeout|timed out)|"
      "TopologyDescription|ReplicaSetNoPrimary|_mongodb\\._tcp|querySrv |"
      "Client view of cluster state|CompositeServerSelector|No servers found yet|"
      "No suitable servers found|WritableServerSelector", ENGINE_MONGODB, 0 },
    { "Redis(?:Connection|Timeout|Cluster|Command|Client|Error|Exception|Server)|"
      "redis\\.(?:exceptions|clients)|Redis::|StackExchange\\.Redis|\\b[A-Z]?[a-z]*Jedis\\w*|"
      "jedis\\.|lettuce\\.|redisson|predis|ioredis|aioredis|\\bRedix\\b|"
      "max number of clients reached|\\bNOAUTH\\b|\\bWRONGPASS\\b|maxRetriesPerRequest|"
      "Error -?\\d+ connecting to \\S+:\\d+\\.|Timeout connecting to server|MISCONF Redis|"
      "LOADING Redis|go-redis|ClusterAllFailedError|Failed to refresh slots cache|"
      "(?-i:\\bCLUSTERDOWN |\\bMASTERDOWN |\\bREADONLY You can't write)",
      ENGINE_REDIS, 0 },
    { "cassandra|datastax|\\bgocql\\b|NoHostAvailable|All host\\(s\\) tried for query failed|"
      "Could not reach any contact point|\\bkeyspace\\b|scylla", ENGINE_CASSANDRA, 0 },
    { "clickhouse|\\bDB::(?:Net)?Exception|(?-i:\\bch\\.Client)", ENGINE_CLICKHOUSE, 0 },
    { "elasticsearch|elastic_transport|Elastic\\\\|Elastica\\\\|opensearch|"
      "No Living connections|NoNodeAvailable|None of the configured nodes|elastic\\.co",
      ENGINE_ELASTICSEARCH, 0 },
};
/* clang-format on */

/* Named as a word of its own, not inside an identifier ("redis-worker", "pg_stat"). */
#define WORD(words) "(?<![\\w./-])(?:" words ")(?![\\w-]|\\.[a-z])"
/* clang-format off */
static const struct failure_rule word_rules[] = {
    { WORD("postgres|postgresql|postgre ?sql|pgsql|pgbouncer|pgpool|pgpool-ii|cockroachdb|"
           "redshift|timescaledb|timescale|supabase|neon"), PG, 0 },
    { WORD("mysql|mysql2|tidb|singlestore|memsql|vitess|planetscale|percona"), MY, 0 },
    { WORD("mariadb"), ENGINE_MARIADB, 0 },
    { WORD("sql ?server|ms ?sql|azure sql"), ENGINE_SQLSERVER, 0 },
    { WORD("oracle|oracle database"), ENGINE_ORACLE, 0 },
    { WORD("mongo|mongodb|documentdb"), ENGINE_MONGODB, 0 },
    { WORD("redis|valkey|keydb|dragonfly"), ENGINE_REDIS, 0 },
    { WORD("cassandra|scylladb"), ENGINE_CASSANDRA, 0 },
    { WORD("elasticsearch|elastic|opensearch"), ENGINE_ELASTICSEARCH, 0 },
    { WORD("clickhouse"), ENGINE_CLICKHOUSE, 0 },
};
/* clang-format on */

/* Hosted engines: the provider's documented domains. */
/* clang-format off */
static const struct failure_rule host_rules[] = {
    { "\\.supabase\\.(?:co|com)$|\\.neon\\.tech$|\\.postgres\\.database\\.azure\\.com$|"
      "\\.redshift(?:-serverless)?\\.amazonaws\\.com|\\.cockroachlabs\\.cloud$|"
      "\\.postgres\\.render\\.com$|\\.tsdb\\.cloud|\\.postgres\\.vercel-storage\\.com$|"
      "\\.s\\.PGSQL\\.", PG, 0 },
    { "\\.mysql\\.database\\.azure\\.com$|\\.psdb\\.cloud$|\\.tidbcloud\\.com$|mysqld?\\.sock",
      MY, 0 },
    { "\\.mariadb\\.database\\.azure\\.com$|\\.skysql\\.(?:net|com)$", ENGINE_MARIADB, 0 },
    { "^[\\w.-]+\\\\[\\w$-]+$|\\.database\\.windows\\.net$|\\.database\\.chinacloudapi\\.cn$",
      ENGINE_SQLSERVER, 0 },
    { "\\.oraclecloud\\.com$", ENGINE_ORACLE, 0 },
    { "\\.mongodb\\.net$|\\.docdb\\.amazonaws\\.com$|\\.mongo\\.cosmos\\.azure\\.com$",
      ENGINE_MONGODB, 0 },
    { "\\.redislabs\\.com$|\\.redis-cloud\\.com$|\\.redns\\.redis-cloud\\.com$|"
      "\\.redis\\.cache\\.windows\\.net$|\\.upstash\\.io$|redis[\\w.-]*\\.sock", ENGINE_REDIS, 0 },
    { "\\.apps\\.astra\\.datastax\\.com$", ENGINE_CASSANDRA, 0 },
    { "\\.es\\.amazonaws\\.com$|\\.aoss\\.amazonaws\\.com$|\\.es\\.[\\w.-]*elastic-cloud\\.com$|"
      "\\.found\\.io$", ENGINE_ELASTICSEARCH, 0 },
    { "\\.clickhouse\\.cloud$", ENGINE_CLICKHOUSE, 0 },
};
/* clang-format on */

/* A database, whichever. */
/* clang-format off */
static const struct failure_rule database_rules[] = {
    { "\\bdata ?bases?\\b|\\bdatabas|(?-i:\\b(?:DB|DBC|DBI|ORM|SQL|JDBC|ODBC|R2DBC|DSN|RDBMS|"
      "RDS)\\b)|数据库|資料庫|データベース|데이터베이스|base de datos|bases? de données|banco de dados|datenbank|"
      "баз[аеуы] данных|(?-i:\\bP[12]0\\d\\d\\b)|"
      "pool timed out while waiting for an open connection|connection pool", 0, 0 },
    { "SQL\\w*(?:Exception|Error)\\b|\\bSQLSTATE\\b|JDBC|ODBC|HikariPool|Hikari|DataSource|DBCP|"
      "c3p0|tomcat\\.jdbc|DataAccess\\w*Exception|DBCConnect|JDBCConnection", 0, 0 },
    { "sequelize|typeorm|prisma|knex|objection|drizzle|mikro-?orm|sqlalchemy|django\\.db|peewee|"
      "tortoise|activerecord|ActiveRecord|Sequel::|hibernate|jooq|mybatis|doctrine|eloquent|"
      "Illuminate\\\\Database|PDOException|\\bPDO\\b|EntityFramework|DbUpdate|Dapper|\\bgorm\\b|"
      "\\bsqlx\\b|\\bdiesel\\b|\\becto\\b|DBConnection|\\bDBI\\b|OperationalError|"
      "InterfaceError|ProgrammingError|IntegrityError|DatabaseError|could not find driver|"
      "druid\\.pool|GetConnectionTimeout|QueuePool|PoolTimedOut|max pool size|pooled connections", 0, 0 },
};
/* clang-format on */

/* Databases that are none of the engines told apart here; several of them speak HTTP. */
/* clang-format off */
static const struct failure_rule other_database_rules[] = {
    { "couchdb|couchbase|influxdb|neo4j|\\bbolt\\+?s*://|dynamodb|arangodb|rethinkdb|firebird|"
      "snowflake|\\bDB2\\b|vertica|teradata|hbase|\\btrino\\b|\\bpresto\\b|surrealdb|"
      "\\bduckdb\\b|memgraph|tarantool|\\baerospike\\b|\\bignite\\b|tidb|greenplum|yugabyte",
      0, 0 },
};
/* clang-format on */

/* In `what`: an index into things[]. */
enum thing {
    THING_HTTP,
    THING_PROXY,
    THING_MAIL,
    THING_BROKER,
    THING_SSH,
    THING_GRPC,
    THING_LDAP,
    THING_FTP,
    THING_DOCKER,
    THING_KUBERNETES,
    THING_MEMCACHED,
    THING_WEBSOCKET,
    THING_COORDINATION,
    THING_TELEMETRY,
    THING_DNS,
    THING_BROWSER,
};
static const char *const things[] = {
    [THING_HTTP] = "an HTTP API",
    [THING_PROXY] = "an HTTP proxy",
    [THING_MAIL] = "a mail server",
    [THING_BROKER] = "a message broker",
    [THING_SSH] = "an SSH server",
    [THING_GRPC] = "a gRPC service",
    [THING_LDAP] = "an LDAP directory",
    [THING_FTP] = "an FTP server",
    [THING_DOCKER] = "the Docker daemon",
    [THING_KUBERNETES] = "the Kubernetes API",
    [THING_MEMCACHED] = "a memcached server",
    [THING_WEBSOCKET] = "a WebSocket server",
    [THING_COORDINATION] = "a coordination service",
    [THING_TELEMETRY] = "a telemetry collector",
    [THING_DNS] = "a DNS server",
    [THING_BROWSER] = "a browser or its driver",
};

/* clang-format off */
static const struct failure_rule other_rules[] = {
    { "\\bamqps?\\b|rabbit ?mq|\\bpika\\.|AMQP|kombu|\\bbunny\\b|kafka|rdkafka|\\bNATS\\b|"
      "nats://|mqtt|activemq|\\bstomp\\b|pulsar|ServiceBus|\\bsqs\\b|rocketmq|beanstalk|gearman|"
      "\\bnsq", THING_BROKER, 0 },
    { "smtp|nodemailer|sendmail|Swift_|SwiftMailer|Symfony\\\\Component\\\\Mailer|JavaMail|"
      "MailConnect|\\bmail(?:er|hog|trap|pit|catcher)?\\b|\\bimaps?\\b|\\bpop3s?\\b",
      THING_MAIL, 0 },
    { "ldap", THING_LDAP, 0 },
    { "\\bssh\\b|\\bsftp\\b|paramiko|\\bscp\\b", THING_SSH, 0 },
    { "\\bftps?\\b", THING_FTP, 0 },
    { "docker daemon|docker\\.sock|dockerd\\b", THING_DOCKER, 0 },
    { "did you specify the right host or port|kubectl|kube-?apiserver|kubernetes",
      THING_KUBERNETES, 0 },
    { "memcached?\\b", THING_MEMCACHED, 0 },
    { "zookeeper|\\betcd|consul\\b", THING_COORDINATION, 0 },
    { "opentelemetry|\\botlp\\b|otel[-_]?collector|jaeger|zipkin|statsd|datadog|logstash|"
      "fluentd|graylog|\\bgelf\\b", THING_TELEMETRY, 0 },
    { "\\bgrpc\\b|(?-i:UNAVAILABLE: )|StatusRuntimeException|RpcError|"
      "ipv[46]:\\S+: Failed to connect to remote host", THING_GRPC, 0 },
    { "\\bwebsocket|\\bwss?://|sockjs|socket\\.io", THING_WEBSOCKET, 0 },
    { "webdriver|selenium|chromedriver|geckodriver|puppeteer|playwright|ERR_CONNECTION_REFUSED|"
      "net::ERR_", THING_BROWSER, 0 },
    { "proxy ?error|ProxyError|unable to connect to proxy|could not proxy request|"
      "tunnel(?:ing)? socket|ERR_PROXY|ProxyConnect", THING_PROXY, 0 },
    { "HTTPS?ConnectionPool|npm ERR|\\byarn\\b|\\bhttps?\\b|\\bcurl\\b|requests\\.exceptions|"
      "urllib3?\\b|urlopen|httpx?\\.|aiohttp|axios|\\bfetch(?:Error| failed)|"
      "HttpRequestException|OkHttp|Faraday|RestClient|Net::HTTP|WebClientRequest|"
      "ResourceAccessException|I/O error on (?:GET|POST|PUT|DELETE|PATCH)|Guzzle|HttpClient|"
      "HttpHostConnect|HTTPoison|\\bTesla\\b|Mint\\.|reqwest|\\bhyper::|liveness probe|"
      "readiness probe|/healthz?\\b|webhook|(?-i:\\b(?:GET|POST|PUT|DELETE|PATCH|HEAD) \"?/)|"
      "\\bnginx\\b|\\bupstream\\b|Connection refused - connect\\(2\\) for \"[^\"]*\" port (?:80|"
      "443)\\b|ClientConnectorError", THING_HTTP, 0 },
};
/* clang-format on */

/* IANA's registrations and the usual defaults of what applications connect to besides. */
static const struct {
    const char *port;
    enum thing thing;
} other_ports[] = {
    { "80", THING_HTTP },
    { "443", THING_HTTP },
    { "3000", THING_HTTP },
    { "5000", THING_HTTP },
    { "8000", THING_HTTP },
    { "8080", THING_HTTP },
    { "8081", THING_HTTP },
    { "8443", THING_HTTP },
    { "8888", THING_HTTP },
    { "11434", THING_HTTP },
    { "9090", THING_HTTP },
    { "8200", THING_HTTP },
    { "3128", THING_PROXY },
    { "1080", THING_PROXY },
    { "7890", THING_PROXY },
    { "25", THING_MAIL },
    { "465", THING_MAIL },
    { "587", THING_MAIL },
    { "2525", THING_MAIL },
    { "1025", THING_MAIL },
    { "110", THING_MAIL },
    { "143", THING_MAIL },
    { "993", THING_MAIL },
    { "995", THING_MAIL },
    { "5672", THING_BROKER },
    { "5671", THING_BROKER },
    { "15672", THING_BROKER },
    { "9092", THING_BROKER },
    { "9093", THING_BROKER },
    { "9094", THING_BROKER },
    { "29092", THING_BROKER },
    { "4222", THING_BROKER },
    { "1883", THING_BROKER },
    { "8883", THING_BROKER },
    { "61613", THING_BROKER },
    { "61616", THING_BROKER },
    { "22", THING_SSH },
    { "21", THING_FTP },
    { "53", THING_DNS },
    { "389", THING_LDAP },
    { "636", THING_LDAP },
    { "50051", THING_GRPC },
    { "11211", THING_MEMCACHED },
    { "2375", THING_DOCKER },
    { "2376", THING_DOCKER },
    { "6443", THING_KUBERNETES },
    { "10250", THING_KUBERNETES },
    { "2181", THING_COORDINATION },
    { "2379", THING_COORDINATION },
    { "8500", THING_COORDINATION },
    { "4317", THING_TELEMETRY },
    { "4318", THING_TELEMETRY },
    { "8125", THING_TELEMETRY },
    { "5044", THING_TELEMETRY },
    { "9411", THING_TELEMETRY },
    { "24224", THING_TELEMETRY },
    { "4444", THING_BROWSER },
    { "9515", THING_BROWSER },
};

static const char *thing_of_port(const char *port)
{
    for (size_t i = 0; port && i < ARRAY_LEN(other_ports); i++)
        if (strcmp(other_ports[i].port, port) == 0)
            return things[other_ports[i].thing];
    return NULL;
}

static const char *thing_of_scheme(const char *scheme)
{
    static const struct {
        const char *scheme;
        enum thing thing;
    } rows[] = {
        { "http", THING_HTTP },     { "https", THING_HTTP },   { "ws", THING_WEBSOCKET },
        { "wss", THING_WEBSOCKET }, { "amqp", THING_BROKER },  { "amqps", THING_BROKER },
        { "nats", THING_BROKER },   { "mqtt", THING_BROKER },  { "mqtts", THING_BROKER },
        { "pulsar", THING_BROKER }, { "kafka", THING_BROKER }, { "smtp", THING_MAIL },
        { "smtps", THING_MAIL },    { "imap", THING_MAIL },    { "ldap", THING_LDAP },
        { "ldaps", THING_LDAP },    { "ftp", THING_FTP },      { "sftp", THING_SSH },
        { "ssh", THING_SSH },       { "grpc", THING_GRPC },    { "memcached", THING_MEMCACHED },
    };
    for (size_t i = 0; scheme && i < ARRAY_LEN(rows); i++)
        if (strcasecmp(rows[i].scheme, scheme) == 0)
            return things[rows[i].thing];
    return NULL;
}

void failure_engine_init(struct failure_reader *r)
{
    failure_rules_add(&r->engine_marks, mark_rules, ARRAY_LEN(mark_rules));
    failure_rules_add(&r->engine_words, word_rules, ARRAY_LEN(word_rules));
    failure_rules_add(&r->engine_hosts, host_rules, ARRAY_LEN(host_rules));
    failure_rules_add(&r->databases, database_rules, ARRAY_LEN(database_rules));
    failure_rules_add(&r->databases, other_database_rules, ARRAY_LEN(other_database_rules));
    failure_rules_add(&r->other_databases, other_database_rules, ARRAY_LEN(other_database_rules));
    failure_rules_add(&r->others, other_rules, ARRAY_LEN(other_rules));
}

static enum engine engine_in(const struct failure_rules *set, const char *text)
{
    const struct failure_rule *row = failure_rules_first(set, text);

    return row ? (enum engine)row->what : ENGINE_UNKNOWN;
}

enum engine failure_engine_of_host(const struct failure_reader *r, const char *host)
{
    enum engine e = engine_in(&r->engine_hosts, host);

    for (const char *p = host; p && *p && e == ENGINE_UNKNOWN;) {
        size_t n = 0;
        while (isalnum((unsigned char)p[n]))
            n++;
        if (n >= 5 || (n == 2 && strncasecmp(p, "pg", 2) == 0)) {
            char *word = xstrndup(p, n);
            (void)engine_parse(word, &e);
            free(word);
        }
        p += n ? n : 1;
    }
    return e;
}

/* What the driver's or server's own words say; the class counts before the message, because a
 * message may quote another's. */
static enum engine marked_engine(const struct failure_reader *r, const struct failure_exception *e,
                                 const char *text)
{
    enum engine engine = engine_in(&r->engine_marks, e->type);

    if (engine == ENGINE_UNKNOWN)
        engine = engine_in(&r->engine_marks, e->module);
    if (engine == ENGINE_UNKNOWN)
        engine = engine_in(&r->engine_marks, text);
    return engine;
}

static const char *thing_in(const struct failure_reader *r, const struct failure_exception *e,
                            const char *text)
{
    const struct failure_rule *row = failure_rules_first(&r->others, e->type);

    row = row ? row : failure_rules_first(&r->others, e->module);
    row = row ? row : failure_rules_first(&r->others, text);
    return row ? things[row->what] : NULL;
}

static bool names_database(const struct failure_reader *r, const struct failure_exception *e,
                           const char *text)
{
    enum engine engine;

    return failure_rules_first(&r->databases, e->type) ||
           failure_rules_first(&r->databases, text) ||
           failure_rules_first(&r->databases, e->module) || engine_of_name(e->module, &engine);
}

static void is_a(struct failure *f, enum engine engine, bool named)
{
    f->is_database = YES;
    f->engine = engine;
    f->engine_is_named = named;
}

static void is_no_database(struct failure *f, const char *instead)
{
    f->is_database = NO;
    f->engine = ENGINE_UNKNOWN;
    f->instead = instead;
}

void failure_engine_read(const struct failure_reader *r, const struct failure_exception *e,
                         const char *text, const char *scheme, struct failure *f)
{
    const struct failure_target *main = f->n_targets ? &f->targets[0] : NULL;
    enum engine of_port = main ? engine_of_port(main->port) : ENGINE_UNKNOWN, engine = f->engine;
    const char *thing = thing_of_scheme(scheme);
    bool web = text_isame(thing, things[THING_HTTP]);

    if (engine == ENGINE_UNKNOWN && (!thing || web))
        engine = marked_engine(r, e, text);
    if (engine != ENGINE_UNKNOWN) {
        is_a(f, engine, true);
        return;
    }
    bool known_web =
        web && (of_port != ENGINE_UNKNOWN || failure_rules_first(&r->other_databases, text));
    if (thing && !known_web) {
        is_no_database(f, thing);
        return;
    }
    engine = engine_in(&r->engine_words, text);
    if (engine != ENGINE_UNKNOWN) {
        is_a(f, engine, true);
        return;
    }
    thing = thing_in(r, e, text);
    bool database = names_database(r, e, text);
    if (of_port != ENGINE_UNKNOWN) {
        is_a(f, of_port, false);
    } else if (thing && (!database || !text_isame(thing, things[THING_HTTP]))) {
        is_no_database(f, thing);
    } else if (!database && main && thing_of_port(main->port)) {
        is_no_database(f, thing_of_port(main->port));
    } else {
        engine = main ? failure_engine_of_host(r, main->host) : ENGINE_UNKNOWN;
        if (engine != ENGINE_UNKNOWN || database || (main && engine_of_name(main->host, NULL)))
            is_a(f, engine, false);
    }
}
