/*
 * engine - the database engines this program tells apart, and what gives one away: the scheme of a
 * connection string, a well-known port, a word in a file, package or class name.
 */
#ifndef DBCONN_ANALYSIS_ENGINE_H
#define DBCONN_ANALYSIS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

#define ENGINE_LIST(X)                                                                             \
    X(UNKNOWN, "unknown")                                                                          \
    X(POSTGRESQL, "postgresql")                                                                    \
    X(MYSQL, "mysql")                                                                              \
    X(MARIADB, "mariadb")                                                                          \
    X(SQLSERVER, "sqlserver")                                                                      \
    X(ORACLE, "oracle")                                                                            \
    X(MONGODB, "mongodb")                                                                          \
    X(REDIS, "redis")                                                                              \
    X(CASSANDRA, "cassandra")                                                                      \
    X(ELASTICSEARCH, "elasticsearch")                                                              \
    X(CLICKHOUSE, "clickhouse")

#define X(name, text) ENGINE_##name,
enum engine { ENGINE_LIST(X) ENGINE_COUNT };
#undef X

const char *engine_name(enum engine e); /* "postgresql"; in the report document and the logs */
/* Reads a name of the list, and what people write instead ("postgres", "mssql", "mongo"). */
bool engine_parse(const char *name, enum engine *ret);
/* For people: "PostgreSQL", "SQL Server", ..., "database" when unknown. */
const char *engine_title(enum engine e);

/* The scheme of a URL, without "://": "postgresql+psycopg2", "jdbc:mysql", "mongodb+srv". */
enum engine engine_of_scheme(const char *scheme);
/* A port that everybody reads as this engine ("5432", "1433"); ENGINE_UNKNOWN otherwise. */
enum engine engine_of_port(const char *port);

/*
 * Does this file, module, package, class or function name belong to a database layer: is one of
 * its words "db", "database", "postgres", "psycopg2", "pgx", "jdbc", "sequelize", "redis", ...?
 * Words end at anything that is no letter or digit, and where camelCase changes case. The engine
 * that it implies, or ENGINE_UNKNOWN, goes to *ret_engine (may be NULL).
 */
bool engine_of_name(const char *name, enum engine *ret_engine);

#endif
