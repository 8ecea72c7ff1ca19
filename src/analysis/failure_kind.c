/*
 * How a connection failed.
 *
 * Every wording is a row: STRONG ones are the outcome of an attempt (an errno, a server's answer),
 * WEAK ones are a wrapper's words around it ("pool timed out", "server selection timeout"). With
 * several attempts in one message the last one counts, so a list in which every address was
 * refused is a refusal, and one that ended otherwise is what it ended with.
 *
 * Wordings are from the drivers' and servers' sources and manuals: libpq (fe-connect.c, fe-auth.c),
 * PostgreSQL (postmaster.c, postinit.c, auth.c; Appendix A, SQLSTATE), MySQL (Server and Client
 * Error Message References), SQL Server (Database Engine error numbers), Oracle (ORA-, TNS-, NJS-,
 * DPY- references), MongoDB, Redis, Cassandra, ClickHouse, Node.js (uv errno), Go (net package),
 * Python (socket), Java (java.net), .NET (System.Net.Sockets), Windows (WinSock error codes).
 */
#include "failure_private.h"

#define NONE EVIDENCE_NONE
#define WEAK EVIDENCE_WEAK
#define STRONG EVIDENCE_STRONG

/* clang-format off */
static const struct failure_rule kind_rules[] = {
    /* Phrases that hold the words of another kind come first: of two matches that start at the
     * same place the earlier row wins, and what it covers is not read again. */
    { "connection refused because too many open connections",
      FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "Listener refused the connection with the following error:?", FAILURE_OTHER, NONE },
    { "(?:configured timeouts:|(?:socket|connect|serverSelection)TimeoutMS)[^)\\n]*",
      FAILURE_OTHER, NONE },
    { "\\blookup [^\\s:]+(?: on \\S+)?: [^\\n,;)]*", FAILURE_DNS_FAILURE, STRONG },
    { "(?-i:\\bquery(?:Srv|Txt|A|Aaaa)? E[A-Z]{4,})", FAILURE_DNS_FAILURE, STRONG },
    { "could not translate host name [^\\n]*", FAILURE_DNS_FAILURE, STRONG },
    { "no pg_hba\\.conf entry for [^\\n]*", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "pg_hba\\.conf rejects [^\\n]*", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "Cannot open database (?:[^\\n]{0,300}Login failed[^\\n]*|"
      "\"[^\"]*\")(?:\\s+Login failed for user[^\\n]*)?", FAILURE_UNKNOWN_DATABASE, STRONG },
    { "Cannot open server [^\\n]*", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "server refused (?:TLS|SSL) connection", FAILURE_TLS_FAILURE, STRONG },
    { "SSL connection has been closed unexpectedly", FAILURE_CONNECTION_RESET, STRONG },
    { "SSL SYSCALL error: EOF detected", FAILURE_CONNECTION_RESET, STRONG },
    { "SSL connection error[^\\n]*", FAILURE_TLS_FAILURE, STRONG },

    /* The operating systems' words and numbers. */
    { "\\[(?:Errno|WinError) (?<code>-?\\d+)\\]", CODE_ERRNO, STRONG },
    { "\\bos error (?<code>\\d+)", CODE_ERRNO, STRONG },
    { "\\berrno[\"']?\\s?[:=]\\s?-?(?<code>\\d+)", CODE_ERRNO, STRONG },
    { "\\b(?:Os|Error) \\{ code: (?<code>\\d+)", CODE_ERRNO, STRONG },
    { "\\b(?:system|connect) error: (?<code>\\d+)", CODE_ERRNO, STRONG },
    { "\\bErr(?:or|no)? (?<code>-?\\d{1,5}) (?:connecting to|while )", CODE_ERRNO, STRONG },
    { "\\b[a-z]*Error\\((?<code>-?\\d{1,5}),", CODE_ERRNO, STRONG },
    { "SocketException \\((?:0x[0-9A-F]+, )?(?<code>\\d+)\\)", CODE_ERRNO, STRONG },
    { "(?:server|MySQL|MariaDB) on u?'[^']*' \\((?<code>\\d+)\\b", CODE_ERRNO, STRONG },
    { "through socket u?'[^']*' \\(2\\b", FAILURE_SOCKET_MISSING, STRONG },
    { "through socket u?'[^']*' \\((?<code>\\d+)\\b", CODE_ERRNO, STRONG },
    { "\\(0x[0-9A-F]{8}/(?<code>\\d{5})\\)", CODE_ERRNO, STRONG },
    { "\\bError code 0x(?<code>2[67][0-9A-F]{2}|2AF[9A-C]|[67][0-9A-F]|102)\\b",
      CODE_HEX_ERRNO, STRONG },
    { "(?<![\\w.:])(?<code>100(?:48|49|5[0-9]|6[0-5])|1100[1-4])(?![\\w]|\\.\\d)",
      CODE_ERRNO, STRONG },
    { "\\((?<code>1(?:0[0-9]|1[0-5]))\\)", CODE_ERRNO, STRONG },
    { "\\((?<code>\\d{2,3}): (?:Connection|Host|No route|Network|Operation)", CODE_ERRNO, STRONG },
    { "\\b(?:errno|error) ?(?:code)? ?= ?(?<code>\\d+)", CODE_ERRNO, STRONG },
    { "\\bError code: ?-9989", FAILURE_CONNECTION_REFUSED, STRONG },
    { "connection (?:attempt )?(?:was )?(?:actively )?refused|ECONNREFUSED|"
      "ConnectionRefused(?:Error)?\\b", FAILURE_CONNECTION_REFUSED, STRONG },
    { "actively refused(?: it)?|ERR_CONNECTION_REFUSED", FAILURE_CONNECTION_REFUSED, STRONG },
    { "\\bConnection to \\S{1,300} (?:was )?refused", FAILURE_CONNECTION_REFUSED, STRONG },
    { "connection to (?:the )?(?:listener|server|host|port)\\b[^\\n]{0,300}? (?:was |is )?refused",
      FAILURE_CONNECTION_REFUSED, STRONG },
    { "remote computer refused the network connection", FAILURE_CONNECTION_REFUSED, STRONG },
    { "\\bconnect\\b[^\\n]{0,80} refused\\b(?! (?:TLS|SSL))", FAILURE_CONNECTION_REFUSED, STRONG },
    { "\\b(?:no listener|listener is not running)\\b", FAILURE_CONNECTION_REFUSED, STRONG },
    { "ETIMEDOUT|ETIMEOUT|ESOCKETTIMEDOUT|UND_ERR_CONNECT_TIMEOUT", FAILURE_TIMEOUT, STRONG },
    { "connect(?:ion)?(?: attempt| to [^\\n]{0,120}?)? (?:has )?timed? ?out|connect ?timed? ?out",
      FAILURE_TIMEOUT, STRONG },
    { "\\b(?:operation|read|write|handshake|socket|login) timed out", FAILURE_TIMEOUT, STRONG },
    { "connection attempt failed because the connected party did not properly respond",
      FAILURE_TIMEOUT, STRONG },
    { "did not properly respond after a period of time", FAILURE_TIMEOUT, STRONG },
    { "\\bi/o timeout|: timed? ?out\\b|\\(timed out\\)|timeout expired|timed out connecting",
      FAILURE_TIMEOUT, STRONG },
    { "(?:login|connect(?:ion)?|handshake inactivity) timeout(?: expired| period)?\\b",
      FAILURE_TIMEOUT, STRONG },
    { "\\btimeout (?:connecting|reading|writing|while connecting|exceeded when trying to connect)",
      FAILURE_TIMEOUT, STRONG },
    { "(?:semaphore timeout period has expired|wait operation timed out)",
      FAILURE_TIMEOUT, STRONG },
    { "(?:SocketTimeout|ConnectTimeout|ReadTimeout)(?:Exception|Error)", FAILURE_TIMEOUT, STRONG },
    { "tcp connect(?: \\([^)]*\\))?: (?:timeout|connection timed out)", FAILURE_TIMEOUT, STRONG },
    { "Failed to connect to \\S+ in \\d+ ?ms", FAILURE_TIMEOUT, STRONG },
    { "was reached but timed out", FAILURE_TIMEOUT, STRONG },
    { "getaddrinfo|gethostbyname|ENOTFOUND|EAI_[A-Z]+|:?nxdomain\\b", FAILURE_DNS_FAILURE, STRONG },
    { "no such host|server misbehaving|host ?name lookup|DNS (?:lookup|resolution|query|"
      "operation)", FAILURE_DNS_FAILURE, STRONG },
    { "name or service not known|(?:temporary )?failure in name resolution|name does not resolve",
      FAILURE_DNS_FAILURE, STRONG },
    { "nodename nor servname|no address (?:associated with|found)|non-existing domain",
      FAILURE_DNS_FAILURE, STRONG },
    { "Unknown (?:MySQL |MariaDB )?server host|UnknownHost(?:Exception)?|unknown host\\b",
      FAILURE_DNS_FAILURE, STRONG },
    { "(?:could ?n[o']t|can ?not|can't|unable to|failed to) (?:be )?(?:resolve|resolving|"
      "look ?up)\\b(?! the connect identifier)(?: (?:the )?(?:host ?name|host|address|dns|"
      "server|ip|name|domain))?", FAILURE_DNS_FAILURE, STRONG },
    { "failed to lookup address information|host(?:name)? (?:was )?(?:not found|"
      "could not be resolved)", FAILURE_DNS_FAILURE, STRONG },
    { "No such host is known|requested name is valid, but no data|DNSHostNotFound",
      FAILURE_DNS_FAILURE, STRONG },
    { "The resolution lifetime expired|All nameservers failed|DNS query name does not exist",
      FAILURE_DNS_FAILURE, STRONG },
    { "\\bresolv(?:e|ing) (?:error|failed|failure)|\\b(?:hostname|name) resolving error",
      FAILURE_DNS_FAILURE, STRONG },
    { "provided by the connect string are incorrect or unresolvable", FAILURE_DNS_FAILURE, STRONG },
    { "no route to host|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|NoRouteToHost",
      FAILURE_HOST_UNREACHABLE, STRONG },
    { "(?:network|host) is (?:unreachable|down)|unreachable (?:host|network)|(?:network|"
      "host) unreachable", FAILURE_HOST_UNREACHABLE, STRONG },
    { "ECONNRESET|ECONNABORTED|EPIPE\\b|broken pipe|connection reset|reset by (?:peer|server)",
      FAILURE_CONNECTION_RESET, STRONG },
    { "forcibly closed|software caused connection abort|established connection was aborted",
      FAILURE_CONNECTION_RESET, STRONG },
    { "(?:server|database or network|peer|remote host) (?:has )?closed the connection|"
      "connection (?:was )?closed by (?:the )?(?:server|remote|peer)",
      FAILURE_CONNECTION_RESET, STRONG },
    { "connection terminated unexpectedly|terminating connection due to",
      FAILURE_CONNECTION_RESET, STRONG },
    { "terminating connection because of crash", FAILURE_CONNECTION_RESET, STRONG },
    { "(?:unexpected|premature) (?:eof|end of (?:file|stream)|close)|prematurely reached end of|unexpected eof",
      FAILURE_CONNECTION_RESET, STRONG },
    { "(?:lost|losing) connection to (?:\\w+ )?(?:backend )?server|server has gone away",
      FAILURE_CONNECTION_RESET, STRONG },
    { "connection was closed in the middle of operation|socket hang ?up",
      FAILURE_CONNECTION_RESET, STRONG },
    { "end-of-file on communication channel|connection lost contact|terminated unexpectedly",
      FAILURE_CONNECTION_RESET, STRONG },
    { "no more data to read from socket|got unexpected end of|connection (?:is )?lost\\b|"
      "socket (?:closed|disconnected)|closed unexpectedly|unexpectedly been closed",
      FAILURE_CONNECTION_RESET, STRONG },
    { "(?-i::\\s*EOF\\b|\\bEOFError\\b|\\bEOFException\\b|end of file reached)",
      FAILURE_CONNECTION_RESET, STRONG },
    { "\\bsocket was closed by server|connection to the Oracle Database was broken",
      FAILURE_CONNECTION_RESET, STRONG },
    { "EndOfStreamException|read past the end of the stream|exception while (?:reading from|"
      "writing to) stream", FAILURE_CONNECTION_RESET, STRONG },
    { "\\b(?:tcp|ssl) (?:recv|send)(?: \\([^)]*\\))?: closed|server (?:\\S+ )?went away|"
      "read error on connection|error while (?:reading|writing) (?:line|bytes|data)",
      FAILURE_CONNECTION_RESET, STRONG },
    { "(?:driver: )bad connection", FAILURE_CONNECTION_RESET, STRONG },
    { "cannot assign requested address|can't assign requested address|EADDRNOTAVAIL",
      FAILURE_OTHER, STRONG },
    { "operation now in progress|EINPROGRESS", FAILURE_OTHER, STRONG },
    { "system is shutting down|server shutdown in progress", FAILURE_OTHER, STRONG },

    /* A socket that isn't there: only where the text is about a socket. */
    { "(?:\\.s\\.PGSQL\\.\\d+|\\.sock|\\bsocket|/cloudsql/[^\"'\\n]{1,200}|\\bunix\\b|"
      "\\[2002\\]|/2002\\)|\\(2002|connect\\(2\\))[^\\n]{0,300}?(?:no such file or directory|"
      "no such file\\b)", FAILURE_SOCKET_MISSING, STRONG },
    { "could not connect to server: No such file or directory", FAILURE_SOCKET_MISSING, STRONG },
    { "(?:server on|host) u?'[^']*' \\(\\[Errno 2\\] No such file or directory\\)",
      FAILURE_SOCKET_MISSING, STRONG },
    { "No such file or directory\\s+Is the server running locally",
      FAILURE_SOCKET_MISSING, STRONG },
    { "connect ENOENT|no such file or directory[^\\n]{0,120}(?:\\.sock\\b|\\.s\\.PGSQL|"
      "connect\\(2\\))", FAILURE_SOCKET_MISSING, STRONG },
    { "^No such file or directory$", FAILURE_SOCKET_MISSING, WEAK }, /* mysqli has no more words */
    { "FileNotFoundError: \\[Errno 2\\][^\\n]*|\\[Errno 2\\] No such file or directory",
      FAILURE_SOCKET_MISSING, WEAK },

    /* The servers' own answers. */
    { "too many (?:database )?connections|too many (?:open )?connections|too many clients",
      FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "remaining connection slots are reserved", FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "max(?:imum)? number of (?:clients|connections|processes|sessions|users) (?:reached|"
      "exceeded|has been)", FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "max_user_connections|max_connections_per_hour|no more connections allowed",
      FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "max ?clients ?(?:in ?session ?mode|reached)|max client (?:conn|connections)\\b|"
      "connection limit (?:exceeded|reached)", FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "The (?:request|session|connection|worker) limit for the (?:database|"
      "elastic pool)[^\\n]{0,120}reached", FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "reached the maximum number of connections|PoolExhausted(?:Exception|Error)?|"
      "connection pool exhausted", FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "authentication (?:failed|failure|error|exception)|AuthenticationFailed|"
      "failed to authenticate", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "access denied for user|login failed|\\bbad auth\\b|authentication required",
      FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "\\brole \"[^\"]*\" does not exist|is not permitted to log ?in|"
      "invalid authorization specification", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "permission denied for (?:database|schema)|was denied access on the database|"
      "lacks CREATE SESSION", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "fe_sendauth|no password (?:was )?(?:supplied|provided)|"
      "(?:client )?password must be a string", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "(?:password|login|user ?name)[^\\n]{0,30} (?:is )?(?:incorrect|invalid|are not valid)|"
      "invalid (?:username|user name|login|password|credentials)",
      FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "(?:wrong|bad|incorrect) (?:password|credentials|username)|WRONGPASS|NOAUTH\\b|\\bNOPERM\\b",
      FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "called without any password configured|Client sent AUTH, but no password is set",
      FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "is not allowed to (?:connect|access)|Tenant or user not found|not authorized (?:on|for|to)",
      FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "authentication (?:method|plugin|protocol)[^\\n]{0,80}(?:not supported|unknown|"
      "cannot be loaded|requested)|auth_?switch", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "not associated with a trusted SQL Server connection|account is (?:locked|disabled)|"
      "password has expired", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "ER_(?:ACCESS_DENIED_ERROR|NOT_SUPPORTED_AUTH_MODE|HOST_NOT_PRIVILEGED)|"
      "credentials for `[^`]*` are not valid", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "with your username/password, username|SCRAM authentication requires|"
      "exception authenticating", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "unable to authenticate|missing authentication credentials|security_exception|"
      "proxy has no credentials for", /* Amazon RDS Proxy, "Troubleshooting" */
      FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "database ['\"`][^'\"`]*['\"`] (?:does not|doesn't) exist|"
      "database `?[\\w-]+`? (?:does not|doesn't) exist", FAILURE_UNKNOWN_DATABASE, STRONG },
    { "NoDatabaseError|could not find your database|unknown database|no such database|"
      "UNKNOWN_DATABASE|ER_BAD_DB_ERROR", FAILURE_UNKNOWN_DATABASE, STRONG },
    { "(?:unknown keyspace|keyspace ['\"]?[\\w-]+['\"]? does not exist|DB index is out of range)",
      FAILURE_UNKNOWN_DATABASE, STRONG },
    { "is not registered with the listener|listener does not currently know of",
      FAILURE_UNKNOWN_DATABASE, STRONG },
    { "database system is (?:starting up|in recovery mode|not (?:yet )?accepting)|"
      "is in (?:the )?recovery(?: mode)?\\b", FAILURE_SERVER_STARTING_UP, STRONG },
    { "LOADING (?:Redis|Valkey|\\w+) is loading|is loading the dataset in memory",
      FAILURE_SERVER_STARTING_UP, STRONG },
    { "initialization or shutdown in progress|all appropriate instances are blocking new",
      FAILURE_SERVER_STARTING_UP, STRONG },
    { "is being recovered|in script upgrade mode|state not recovered|node is recovering",
      FAILURE_SERVER_STARTING_UP, STRONG },
    { "certificate[_ ]verify[_ ]failed|self[- ]signed certificate|"
      "unable to verify the first certificate", FAILURE_TLS_FAILURE, STRONG },
    { "certificate (?:has expired|is not trusted|signed by unknown authority|is not valid|"
      "unknown|required|expired|was not trusted|validation failed)|bad certificate",
      FAILURE_TLS_FAILURE, STRONG },
    { "certificate chain was (?:issued|provided) by|remote certificate (?:is invalid|"
      "was rejected)", FAILURE_TLS_FAILURE, STRONG },
    { "unable to get (?:local )?issuer certificate|(?-i:\\bx509: )|PKIX path",
      FAILURE_TLS_FAILURE, STRONG },
    { "(?:SSL|TLS)[ /a-z]{0,20}handshake(?: failed| failure| error| timed out)?|"
      "handshake[_ ]failure", FAILURE_TLS_FAILURE, STRONG },
    { "does not support (?:SSL|TLS)|(?:SSL|TLS) is not (?:enabled|supported)|SSL negotiation",
      FAILURE_TLS_FAILURE, STRONG },
    { "could not (?:initiate|negotiate|establish|accept) (?:an? )?(?:SSL|TLS)|SSL Provider",
      FAILURE_TLS_FAILURE, STRONG },
    { "attempting to establish an? (?:SSL|TLS) connection", FAILURE_TLS_FAILURE, STRONG },
    { "could not establish a secure connection|(?:SSL|TLS) (?:error|alert|connection could not)",
      FAILURE_TLS_FAILURE, STRONG },
    { "(?:sslv3|tlsv1)[\\w. ]* alert|wrong version number|unsupported protocol|SSL: [A-Z_]{4,}",
      FAILURE_TLS_FAILURE, STRONG },
    { "DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_[A-Z_]*CERT[A-Z_]*|ERR_(?:TLS|SSL)_[A-Z_]+|"
      "CERT_HAS_EXPIRED", FAILURE_TLS_FAILURE, STRONG },
    { "does not match certificate|server certificate for \"[^\"]*\" does not match|SSLHandshake",
      FAILURE_TLS_FAILURE, STRONG },
    { "sslmode value|root certificate file|invalid peer certificate|UnsupportedCertVersion",
      FAILURE_TLS_FAILURE, STRONG },
    { "connections using insecure transport are prohibited|(?:requires|require) (?:SSL|TLS|"
      "encryption)", FAILURE_TLS_FAILURE, STRONG },
    { "(?:client|server) alert: |unknown ca\\b|alert (?:bad|unknown|internal|handshake)",
      FAILURE_TLS_FAILURE, STRONG },
    { "client with SSL|ssl_?negotiation|(?:no|SSL) protocols? (?:available|mismatch)",
      FAILURE_TLS_FAILURE, STRONG },

    /* The servers' codes. */
    { "\\((?<code>\\d{4}),\\s*(?:u|b)?['\"]", CODE_MYSQL, STRONG },
    { "\\bERROR:? (?<code>\\d{4})\\b", CODE_MYSQL, STRONG },
    { "SQLSTATE\\[\\w+\\]:? ?(?:[A-Za-z ]+: )?\\[?(?<code>\\d{4})\\b", CODE_MYSQL, STRONG },
    { "\\(HY000/(?<code>\\d{4})\\)|\\b(?<code>\\d{4}) \\(\\w{5}\\):", CODE_MYSQL, STRONG },
    { "\\b(?:ORA|TNS)-(?<code>\\d{5})", CODE_ORACLE, STRONG },
    { "\\b(?:DPY-(?<code>6001|6003)|NJS-(?<code>517|518))\\b", FAILURE_UNKNOWN_DATABASE, STRONG },
    { "\\b(?:SQLSTATE\\W{0,3}|ERROR:? |FATAL:? )(?<code>28P01|28000|3D000|53300|57P0[123])\\b",
      CODE_SQLSTATE, STRONG },
    { "\\b(?-i:P1003)\\b", FAILURE_UNKNOWN_DATABASE, STRONG },
    { "\\b(?-i:P1000|P1010)\\b", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "\\b(?-i:P1011)\\b", FAILURE_TLS_FAILURE, STRONG },
    { "\\b(?-i:P1017)\\b", FAILURE_CONNECTION_RESET, WEAK },
    { "\\b(?-i:P2037)\\b", FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "\\b(?-i:P1002|P1008|P2024)\\b", FAILURE_TIMEOUT, WEAK },
    { "\\bCode: (?:210|279)\\.", FAILURE_OTHER, WEAK },
    { "\\bCode: (?:193|194|516)\\.", FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "\\bCode: 81\\.", FAILURE_UNKNOWN_DATABASE, STRONG },
    { "\\bCode: 209\\.", FAILURE_TIMEOUT, STRONG },
    { "\\bCode: 198\\.", FAILURE_DNS_FAILURE, STRONG },
    { "\\bCode: 202\\.", FAILURE_TOO_MANY_CONNECTIONS, STRONG },

    /* Wrappers. */
    { "context deadline exceeded|deadline (?:has )?(?:elapsed|exceeded)", FAILURE_TIMEOUT, WEAK },
    { "server selection (?:timeout|timed out)|selecting a server", FAILURE_TIMEOUT, WEAK },
    { "timed[- ]out|time-?out occurr?ed|a timeout occurr?ed", FAILURE_TIMEOUT, WEAK },
    { "(?:operation|request|query|acquire(?: conn)?|acquiring|pool|command) time ?out|"
      "timeout (?:acquiring|waiting|exceeded|error|of \\d+)", FAILURE_TIMEOUT, WEAK },
    { "(?-i:(?:Timeout|TimeoutError|TimeoutException)\\b)(?! ?[:=] ?\\d)", FAILURE_TIMEOUT, WEAK },
    { "pool (?:is )?exhausted", FAILURE_TOO_MANY_CONNECTIONS, WEAK },
    { "(?:query_wait|client_login|server_connect)_timeout|PoolTimedOut|PoolTimeout\\b", FAILURE_TIMEOUT, WEAK },
    { "timeout period elapsed|could not obtain a connection from the pool|"
      "couldn't get a connection after", FAILURE_TIMEOUT, WEAK },
    { "request was dropped from queue after|connection pool has been exhausted|"
      "all pooled connections were in use", FAILURE_TIMEOUT, WEAK },
    { "connection (?:(?:\\d+|<monitor>) )?(?:to \\S+ )?(?:is |was |has been |already |"
      "has already been )?closed|connection terminated|closed connection",
      FAILURE_CONNECTION_RESET, WEAK },
};
/* clang-format on */

/* Exception classes; those of the standard libraries and the drivers that carry the cause. */
/* clang-format off */
static const struct failure_rule class_rules[] = {
    { "ConnectionRefused|ECONNREFUSED", FAILURE_CONNECTION_REFUSED, STRONG },
    { "ConnectionReset|ECONNRESET|BrokenPipe|EPIPE|ConnectionAborted|ConnectionDoesNotExist|"
      "ServerDisconnected|ConnectionClosed|DatabaseDisconnect", FAILURE_CONNECTION_RESET, STRONG },
    { "EHOSTUNREACH|ENETUNREACH|NoRouteToHost|HostNotReachable", FAILURE_HOST_UNREACHABLE, STRONG },
    { "gaierror|UnknownHost|HostNotFound|SocketError::ResolutionError|ENOTFOUND|DNSError|NXDOMAIN",
      FAILURE_DNS_FAILURE, STRONG },
    { "TooManyConnections|PoolExhausted", FAILURE_TOO_MANY_CONNECTIONS, STRONG },
    { "Authenticat|InvalidPassword|AccessDenied|InvalidAuthorization",
      FAILURE_AUTHENTICATION_FAILED, STRONG },
    { "InvalidCatalogName|NoDatabaseError|UnknownDatabase", FAILURE_UNKNOWN_DATABASE, STRONG },
    { "CannotConnectNow|BusyLoading", FAILURE_SERVER_STARTING_UP, STRONG },
    { "SSLHandshake|SSLError|SSLCertVerif|CertificateError|SSLPeerUnverified|TLSError",
      FAILURE_TLS_FAILURE, STRONG },
    { "ConnectTimeout|ConnectionTimeout|ConnectionTimedOut|SocketTimeout|ETIMEDOUT|"
      "ConnectionAcquireTimeout|PoolTimeout", FAILURE_TIMEOUT, STRONG },
    { "Timeout|TimedOut", FAILURE_TIMEOUT, WEAK },
    { "EOFError|EOFException", FAILURE_CONNECTION_RESET, WEAK },
};
/* clang-format on */

/* Says that a connection could not be made or broke, without saying why. */
/* clang-format off */
static const struct failure_rule connecting_rules[] = {
    { "(?:could ?n[o']t|can ?not|can't|unable to|failed to|failure to|not able to|"
      "was not possible to|impossible to) (?:be )?(?:re)?(?:connect|reach|establish|open (?:a |"
      "an |the |tcp )*connection|create (?:a |an |the )*connection|get (?:a |an |the )*(?:jdbc |"
      "database )?connection|obtain (?:a |an |the )*(?:jdbc |r2dbc |database )?connection|"
      "acquire (?:a |an )*connection|get a resource)", 0, 0 },
    { "(?:error|failed|failure|trouble|problem) (?:when |while |during |"
      "in )?(?:re)?connect(?:ing|ion)", 0, 0 },
    { "connection (?:attempt )?(?:to \\S+ )?(?:has )?(?:failed|failure|error|lost|broken|problem)",
      0, 0 },
    { "communications? link failure|network-related or instance-specific|"
      "server (?:was )?not (?:found|reachable|available)", 0, 0 },
    { "connect\\([^\\n]{0,200}\\) failed|has failed\\. Error:|not connected|unreachable|"
      "no connection", 0, 0 },
    { "ConnectionError|ConnectionException|ConnectException|CannotGetJdbcConnection|"
      "CommunicationsException|CannotConnect|NetworkError|ConnectionFailed|"
      "ConnectionNotEstablished", 0, 0 },
    { "unable to revive|error establishing a|(?:does not exist or access denied|"
      "unavailable or does not exist)|exception opening socket|while connecting to|"
      "no server is available|successfully established with the server, but then an error", 0, 0 },
    { "network adapter could not establish|no (?:alive|living) (?:nodes|connections)|"
      "failed to refresh slots cache|"
      "no hosts? (?:available|could be)|nodes are available", 0, 0 },
    /* libpq's frame around whatever the server or the pooler before it answered; PgBouncer's
     * (objects.c, janitor.c) and Pgpool-II's words for a server behind them that can't be used. */
    { "connection to server (?:at|on) [^\\n]{1,300} failed:", 0, 0 },
    { "server_login_retry|server login (?:has been )?fail|client_login_timeout|"
      "server_connect_timeout|server conn crashed|\\bbackend connection\\b|"
      "unable to read message kind|all backend nodes are down", 0, 0 },
    { "\\bP1001\\b|\\b(?:2002|2003)\\b|08001|08006|08S01|DPY-6005|ORA-125", 0, 0 },
};
/* clang-format on */

/* What a match means; false when its code is none that we know. */
static bool kind_of(const struct failure_match *m, const char *text, enum failure_kind *ret)
{
    const struct span *code = &m->groups[GROUP_CODE];

    if (m->row->what < FAILURE_COUNT) {
        *ret = (enum failure_kind)m->row->what;
        return true;
    }
    return failure_code_kind((enum code_space)m->row->what, text + code->start,
                             code->end - code->start, ret);
}

void failure_kind_init(struct failure_reader *r)
{
    /* First: what they cover is not read again. */
    failure_rules_add(&r->kinds, failure_statement_rules, failure_statement_rules_n);
    failure_rules_add(&r->kinds, kind_rules, ARRAY_LEN(kind_rules));
    failure_rules_add(&r->local_kinds, failure_locale_rules, failure_locale_rules_n);
    failure_rules_add(&r->class_kinds, class_rules, ARRAY_LEN(class_rules));
    failure_rules_add(&r->connecting, connecting_rules, ARRAY_LEN(connecting_rules));
}

/* The last strong outcome, else the first wrapper's that is more than "other". Of matches that
 * overlap the one that starts first counts, then the earlier row. */
static enum evidence read_rules(const struct failure_rules *set, const char *text,
                                enum failure_kind *ret)
{
    struct failure_match *matches;
    size_t n = failure_rules_scan(set, text, &matches), end = 0;
    enum evidence best = EVIDENCE_NONE;
    enum failure_kind kind;

    for (size_t i = 0; i < n; i++) {
        enum evidence how = (enum evidence)matches[i].row->how;
        if (matches[i].all.start < end || !kind_of(&matches[i], text, &kind))
            continue;
        end = matches[i].all.end;
        if (how == EVIDENCE_NONE || how < best)
            continue;
        if (how > best || how == EVIDENCE_STRONG || *ret == FAILURE_OTHER)
            *ret = kind;
        best = how;
    }
    free(matches);
    return best;
}

/* Other languages are tried only where English says nothing definite: it costs as much again. */
static enum evidence read_message(const struct failure_reader *r, const char *text,
                                  enum failure_kind *ret)
{
    enum failure_kind local = FAILURE_OTHER;
    enum evidence best = read_rules(&r->kinds, text, ret);

    if (best != EVIDENCE_STRONG && read_rules(&r->local_kinds, text, &local) > best) {
        *ret = local;
        best = EVIDENCE_STRONG;
    }
    return best;
}

enum evidence failure_kind_read(const struct failure_reader *r, const char *type, const char *text,
                                enum failure_kind *ret_kind, enum tristate *ret_connecting)
{
    enum failure_kind kind = FAILURE_OTHER;
    enum evidence best = read_message(r, text, &kind);

    if (best != EVIDENCE_STRONG && failure_is_statement(r, text)) {
        *ret_kind = FAILURE_OTHER;
        *ret_connecting = UNKNOWN;
        return EVIDENCE_WEAK;
    }
    const struct failure_rule *class = failure_rules_first(&r->class_kinds, type);

    if (class && (enum evidence) class->how > best) {
        kind = (enum failure_kind) class->what;
        best = (enum evidence) class->how;
    }
    bool connecting = kind != FAILURE_OTHER || best == EVIDENCE_STRONG ||
                      failure_rules_first(&r->connecting, text) ||
                      failure_rules_first(&r->connecting, type);
    *ret_kind = kind;
    *ret_connecting = connecting ? YES : UNKNOWN;
    return best;
}
