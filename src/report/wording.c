#include "dbconn/report/wording.h"

#include "dbconn/base/text.h"

struct word {
    const char *code, *text;
};

static const char *const causes[] = {
    [CAUSE_DEPLOYMENT_CONFIG_CHANGE] = "A deployment changed the connection settings",
    [CAUSE_DEPLOYMENT_REGRESSION] = "A deployment broke the database connection",
    [CAUSE_DATABASE_DOWN] = "The database is down",
    [CAUSE_DATABASE_RESTART] = "The database was down for a while and is back",
    [CAUSE_NETWORK_CONNECTIVITY] = "The network to the database is unreliable",
    [CAUSE_CONNECTION_POOL_EXHAUSTION] = "The database connections are used up",
    [CAUSE_REGIONAL_NETWORK] = "One part of the system cannot reach the database",
    [CAUSE_BROADER_DEPLOYMENT_INCIDENT] = "One deployment broke several services",
    [CAUSE_INCONCLUSIVE] = "No clear cause found",
    [CAUSE_NOT_APPLICABLE] = "This is not a refused database connection",
};

static const struct word failures[] = {
    { "connection_refused", "connection refused" },
    { "timeout", "connection timed out" },
    { "dns_failure", "host name does not resolve" },
    { "host_unreachable", "host unreachable" },
    { "connection_reset", "connection reset" },
    { "too_many_connections", "too many connections" },
    { "authentication_failed", "login rejected" },
    { "tls_failure", "TLS handshake failed" },
    { "unknown_database", "database name not known" },
    { "server_starting_up", "server still starting" },
    { "socket_missing", "socket file missing" },
    { "other", "another failure" },
};

static const struct word engines[] = {
    { "postgresql", "PostgreSQL" },
    { "mysql", "MySQL" },
    { "mariadb", "MariaDB" },
    { "sqlserver", "SQL Server" },
    { "oracle", "Oracle" },
    { "mongodb", "MongoDB" },
    { "redis", "Redis" },
    { "cassandra", "Cassandra" },
    { "elasticsearch", "Elasticsearch" },
    { "clickhouse", "ClickHouse" },
    { "unknown", "Database" },
};

/* The diagnosis rules of the playbook, in its numbering. */
static const char *const rules[] = {
    "The pattern of the errors points to a cause",
    "A deployment is the trigger",
    "A code change touched the connection settings",
    "The logs show a failure of the database or the network",
    "Who is affected points to a cause",
    "Other issues began with the same deployment",
};

static const char *find(const struct word *words, size_t n, const char *code, const char *fallback)
{
    for (size_t i = 0; code && i < n; i++) {
        if (strcmp(words[i].code, code) == 0)
            return words[i].text;
    }
    return fallback;
}

const char *word_cause(enum cause c)
{
    return causes[c];
}

const char *word_confidence(enum confidence c)
{
    return confidence_name(c);
}

const char *word_status(enum step_status s)
{
    switch (s) {
    case STEP_PENDING:
        return "waiting";
    case STEP_RUNNING:
        return "running";
    case STEP_COMPLETE:
        return "done";
    case STEP_PARTIAL:
        return "partly done";
    case STEP_FAILED:
        return "failed";
    case STEP_SKIPPED:
        return "skipped";
    }
    return "";
}

const char *word_outcome(enum rule_outcome o)
{
    switch (o) {
    case RULE_SUPPORTS:
        return "yes";
    case RULE_CONTRADICTS:
        return "no";
    case RULE_UNKNOWN:
        return "not known";
    }
    return "";
}

const char *word_trend(enum trend_kind t)
{
    switch (t) {
    case TREND_CONSTANT:
        return "constant";
    case TREND_SPIKE:
        return "a sudden jump";
    case TREND_GRADUAL_INCREASE:
        return "a slow increase";
    case TREND_INTERMITTENT:
        return "now and then, with quiet times between";
    case TREND_BOUNDED:
        return "one period that has ended";
    case TREND_UNKNOWN:
        return "not known";
    }
    return "";
}

const char *word_failure(const char *code)
{
    return find(failures, ARRAY_LEN(failures), code, code ? code : "not known");
}

const char *word_engine(const char *code)
{
    return find(engines, ARRAY_LEN(engines), code, code ? code : "Database");
}

const char *word_rule(int number)
{
    return number >= 1 && number <= (int)ARRAY_LEN(rules) ? rules[number - 1] : "Rule";
}

const char *word_issue(const struct casefile *c)
{
    if (c->issue.short_id)
        return c->issue.short_id;
    return c->issue.id ? c->issue.id : "the issue";
}

void word_verdict(const struct casefile *c, struct buf *out)
{
    if (!c->diagnosis.reached) {
        buf_adds(out, "No diagnosis yet");
        return;
    }
    buf_adds(out, word_cause(c->diagnosis.cause));
    /* How sure one is of having no answer tells nobody anything. */
    if (c->diagnosis.cause != CAUSE_INCONCLUSIVE)
        buf_addf(out, " (confidence: %s)", word_confidence(c->diagnosis.confidence));
}

void word_target(const struct target *t, struct buf *out)
{
    bool named = t->engine && strcmp(t->engine, "unknown") != 0;
    size_t start = out->len;

    if (!named && !t->host && !t->port && !t->database)
        return;
    buf_adds(out, word_engine(t->engine));
    if (t->host) {
        bool bare_v6 = strchr(t->host, ':') && t->host[0] != '[' && t->host[0] != '/' && t->port;
        buf_addf(out, bare_v6 ? " at [%s]" : " at %s", t->host);
    }
    if (t->port)
        buf_addf(out, t->host ? ":%s" : ", port %s", t->port);
    if (t->database)
        buf_addf(out, "%s database %s", out->len > start ? "," : "", t->database);
    if (t->user)
        buf_addf(out, ", user %s", t->user);
}

void word_count(int64_t n, const char *one, const char *many, struct buf *out)
{
    char *digits = xasprintf("%lld", (long long)n);
    size_t len = strlen(digits);

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0)
            buf_addc(out, ',');
        buf_addc(out, digits[i]);
    }
    buf_addf(out, " %s", n == 1 ? one : many);
    free(digits);
}

void word_progress(const struct casefile *c, struct buf *out)
{
    size_t failed = steps_failed(c);

    buf_addf(out, "%zu of %zu steps done", steps_done(c), c->n_steps);
    if (failed > 0)
        buf_addf(out, ", %zu of them failed", failed);
}

size_t steps_done(const struct casefile *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_steps; i++)
        n += c->steps[i].status != STEP_PENDING && c->steps[i].status != STEP_RUNNING;
    return n;
}

size_t steps_failed(const struct casefile *c)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n_steps; i++)
        n += c->steps[i].status == STEP_FAILED;
    return n;
}

const struct step_record *step_running(const struct casefile *c)
{
    for (size_t i = 0; i < c->n_steps; i++) {
        if (c->steps[i].status == STEP_RUNNING)
            return &c->steps[i];
    }
    return NULL;
}
