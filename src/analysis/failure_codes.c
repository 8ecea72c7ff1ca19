/* The numbers in messages: errno, and the codes of the servers. */
#include <strings.h>

#include "failure_private.h"

struct code_row {
    int code;
    enum failure_kind kind;
};

/* errno of Linux, macOS and the BSDs, Solaris, and WinSock; EAI_* of getaddrinfo. Their numbers
 * overlap only where nobody puts them into a connection error. */
static const struct code_row errno_rows[] = {
    { 111, FAILURE_CONNECTION_REFUSED },
    { 61, FAILURE_CONNECTION_REFUSED },
    { 10061, FAILURE_CONNECTION_REFUSED },
    { 146, FAILURE_CONNECTION_REFUSED },
    { 1225, FAILURE_CONNECTION_REFUSED }, /* ERROR_CONNECTION_REFUSED */
    { 110, FAILURE_TIMEOUT },
    { 60, FAILURE_TIMEOUT },
    { 10060, FAILURE_TIMEOUT },
    { 145, FAILURE_TIMEOUT },
    { 121, FAILURE_TIMEOUT },
    { 258, FAILURE_TIMEOUT }, /* ERROR_SEM_TIMEOUT, WAIT_TIMEOUT */
    { 113, FAILURE_HOST_UNREACHABLE },
    { 101, FAILURE_HOST_UNREACHABLE },
    { 112, FAILURE_HOST_UNREACHABLE },
    { 65, FAILURE_HOST_UNREACHABLE },
    { 64, FAILURE_HOST_UNREACHABLE },
    { 51, FAILURE_HOST_UNREACHABLE },
    { 10065, FAILURE_HOST_UNREACHABLE },
    { 10064, FAILURE_HOST_UNREACHABLE },
    { 10051, FAILURE_HOST_UNREACHABLE },
    { 104, FAILURE_CONNECTION_RESET },
    { 103, FAILURE_CONNECTION_RESET },
    { 54, FAILURE_CONNECTION_RESET },
    { 53, FAILURE_CONNECTION_RESET },
    { 32, FAILURE_CONNECTION_RESET },
    { 10054, FAILURE_CONNECTION_RESET },
    { 10053, FAILURE_CONNECTION_RESET },
    { -2, FAILURE_DNS_FAILURE },
    { -3, FAILURE_DNS_FAILURE },
    { -4, FAILURE_DNS_FAILURE },
    { -5, FAILURE_DNS_FAILURE },
    { 8, FAILURE_DNS_FAILURE },
    { 11001, FAILURE_DNS_FAILURE },
    { 11002, FAILURE_DNS_FAILURE },
    { 11003, FAILURE_DNS_FAILURE },
    { 11004, FAILURE_DNS_FAILURE },
    { 99, FAILURE_OTHER },
    { 49, FAILURE_OTHER },
    { 10049, FAILURE_OTHER },
    { 115, FAILURE_OTHER },
    { 36, FAILURE_OTHER },
    { 13, FAILURE_OTHER },
    { 10013, FAILURE_OTHER },
};

/* dev.mysql.com, Server and Client Error Message Reference. */
static const struct code_row mysql_rows[] = {
    { 1040, FAILURE_TOO_MANY_CONNECTIONS },
    { 1203, FAILURE_TOO_MANY_CONNECTIONS },
    { 1226, FAILURE_TOO_MANY_CONNECTIONS },
    { 1044, FAILURE_AUTHENTICATION_FAILED },
    { 1045, FAILURE_AUTHENTICATION_FAILED },
    { 1130, FAILURE_AUTHENTICATION_FAILED },
    { 1251, FAILURE_AUTHENTICATION_FAILED },
    { 1524, FAILURE_AUTHENTICATION_FAILED },
    { 1698, FAILURE_AUTHENTICATION_FAILED },
    { 1862, FAILURE_AUTHENTICATION_FAILED },
    { 2049, FAILURE_AUTHENTICATION_FAILED },
    { 2054, FAILURE_AUTHENTICATION_FAILED },
    { 2059, FAILURE_AUTHENTICATION_FAILED },
    { 2061, FAILURE_AUTHENTICATION_FAILED },
    { 3118, FAILURE_AUTHENTICATION_FAILED },
    { 1049, FAILURE_UNKNOWN_DATABASE },
    { 2005, FAILURE_DNS_FAILURE },
    { 2006, FAILURE_CONNECTION_RESET },
    { 2013, FAILURE_CONNECTION_RESET },
    { 2055, FAILURE_CONNECTION_RESET },
    { 1927, FAILURE_CONNECTION_RESET },
    { 4031, FAILURE_CONNECTION_RESET },
    { 2026, FAILURE_TLS_FAILURE },
    { 3159, FAILURE_TLS_FAILURE },
    { 1053, FAILURE_OTHER },
};

/* docs.oracle.com/error-help. */
static const struct code_row oracle_rows[] = {
    { 12541, FAILURE_CONNECTION_REFUSED },
    { 12564, FAILURE_CONNECTION_REFUSED },
    { 12170, FAILURE_TIMEOUT },
    { 12535, FAILURE_TIMEOUT },
    { 12606, FAILURE_TIMEOUT },
    { 12609, FAILURE_TIMEOUT },
    { 3136, FAILURE_TIMEOUT },
    { 12545, FAILURE_DNS_FAILURE },
    { 12543, FAILURE_HOST_UNREACHABLE },
    { 12537, FAILURE_CONNECTION_RESET },
    { 12547, FAILURE_CONNECTION_RESET },
    { 12570, FAILURE_CONNECTION_RESET },
    { 12571, FAILURE_CONNECTION_RESET },
    { 3113, FAILURE_CONNECTION_RESET },
    { 3114, FAILURE_CONNECTION_RESET },
    { 3135, FAILURE_CONNECTION_RESET },
    { 17410, FAILURE_CONNECTION_RESET },
    { 12516, FAILURE_TOO_MANY_CONNECTIONS },
    { 12519, FAILURE_TOO_MANY_CONNECTIONS },
    { 12520, FAILURE_TOO_MANY_CONNECTIONS },
    { 18, FAILURE_TOO_MANY_CONNECTIONS },
    { 20, FAILURE_TOO_MANY_CONNECTIONS },
    { 2391, FAILURE_TOO_MANY_CONNECTIONS },
    { 1017, FAILURE_AUTHENTICATION_FAILED },
    { 1045, FAILURE_AUTHENTICATION_FAILED },
    { 28000, FAILURE_AUTHENTICATION_FAILED },
    { 28040, FAILURE_AUTHENTICATION_FAILED },
    { 28001, FAILURE_AUTHENTICATION_FAILED },
    { 12505, FAILURE_UNKNOWN_DATABASE },
    { 12514, FAILURE_UNKNOWN_DATABASE },
    { 12521, FAILURE_UNKNOWN_DATABASE },
    { 1033, FAILURE_SERVER_STARTING_UP },
    { 12528, FAILURE_SERVER_STARTING_UP },
    { 12526, FAILURE_SERVER_STARTING_UP },
    { 28860, FAILURE_TLS_FAILURE },
    { 29024, FAILURE_TLS_FAILURE },
    { 1034, FAILURE_OTHER },
    { 1089, FAILURE_OTHER },
    { 12154, FAILURE_OTHER },
};

static const struct {
    const char *code;
    enum failure_kind kind;
} sqlstate_rows[] = {
    { "28P01", FAILURE_AUTHENTICATION_FAILED }, { "28000", FAILURE_AUTHENTICATION_FAILED },
    { "3D000", FAILURE_UNKNOWN_DATABASE },      { "53300", FAILURE_TOO_MANY_CONNECTIONS },
    { "57P03", FAILURE_SERVER_STARTING_UP },    { "57P01", FAILURE_CONNECTION_RESET },
    { "57P02", FAILURE_CONNECTION_RESET },
};

static bool find_code(const struct code_row *rows, size_t n, long code, enum failure_kind *ret)
{
    for (size_t i = 0; i < n; i++) {
        if (rows[i].code == code) {
            *ret = rows[i].kind;
            return true;
        }
    }
    return false;
}

static bool find_sqlstate(const char *code, size_t len, enum failure_kind *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(sqlstate_rows); i++) {
        if (len == 5 && strncasecmp(sqlstate_rows[i].code, code, len) == 0) {
            *ret = sqlstate_rows[i].kind;
            return true;
        }
    }
    return false;
}

bool failure_code_kind(enum code_space space, const char *code, size_t len, enum failure_kind *ret)
{
    switch (space) {
    case CODE_ERRNO:
        return find_code(errno_rows, ARRAY_LEN(errno_rows), strtol(code, NULL, 10), ret);
    case CODE_HEX_ERRNO:
        return find_code(errno_rows, ARRAY_LEN(errno_rows), strtol(code, NULL, 16), ret);
    case CODE_MYSQL:
        return find_code(mysql_rows, ARRAY_LEN(mysql_rows), strtol(code, NULL, 10), ret);
    case CODE_ORACLE:
        return find_code(oracle_rows, ARRAY_LEN(oracle_rows), strtol(code, NULL, 10), ret);
    case CODE_SQLSTATE:
        return find_sqlstate(code, len, ret);
    }
    return false;
}
