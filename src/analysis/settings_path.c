#include "settings_path.h"

#include <string.h>
#include <strings.h>

#include "dbconn/base/alloc.h"
#include "dbconn/base/text.h"

#define PATH_PARTS_MAX 32

/* "charts/app/values.yaml" as parts; the last is the file's name. */
struct parts {
    struct word items[PATH_PARTS_MAX];
    size_t n;
    const char *name; /* the last part, to the end of the path */
};

static void split_path(const char *path, struct parts *ret)
{
    const char *part = path;

    ret->n = 0;
    for (const char *s = path;; s++) {
        if (*s != '/' && *s != '\0')
            continue;
        if (s > part && ret->n < PATH_PARTS_MAX)
            ret->items[ret->n++] = (struct word){ part, (size_t)(s - part) };
        if (*s == '\0')
            break;
        part = s + 1;
    }
    ret->name = part;
}

static bool part_is_any(struct word w, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (word_is(w, names[i]))
            return true;
    return false;
}

static bool has_folder(const struct parts *p, const char *const *names, size_t n)
{
    for (size_t i = 0; i + 1 < p->n; i++)
        if (part_is_any(p->items[i], names, n))
            return true;
    return false;
}

static bool name_ends(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);

    return n >= m && !text_differs(name[n - m], *ending) && strcasecmp(name + n - m, ending) == 0;
}

static bool name_ends_any(const char *name, const char *const *endings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (name_ends(name, endings[i]))
            return true;
    return false;
}

static bool name_starts_any(const char *name, const char *const *starts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text_istarts(name, starts[i]))
            return true;
    return false;
}

#define HAS_FOLDER(p, ...)                                                                         \
    has_folder((p), (const char *const[]){ __VA_ARGS__ },                                          \
               ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))
#define ENDS(name, ...)                                                                            \
    name_ends_any((name), (const char *const[]){ __VA_ARGS__ },                                    \
                  ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))
#define STARTS(name, ...)                                                                          \
    name_starts_any((name), (const char *const[]){ __VA_ARGS__ },                                  \
                    ARRAY_LEN(((const char *const[]){ __VA_ARGS__ })))

static const struct {
    const char *ending;
    enum language lang;
    bool code;
} languages[] = {
    { ".yml", LANG_YAML, false },       { ".yaml", LANG_YAML, false },
    { ".jsonnet", LANG_SLASH, false },  { ".libsonnet", LANG_SLASH, false },
    { ".json", LANG_JSON, false },      { ".json5", LANG_JSON, false },
    { ".jsonc", LANG_JSON, false },     { ".tf", LANG_HCL, false },
    { ".tfvars", LANG_HCL, false },     { ".hcl", LANG_HCL, false },
    { ".nomad", LANG_HCL, false },      { ".bicep", LANG_SLASH, false },
    { ".ini", LANG_INI, false },        { ".cfg", LANG_INI, false },
    { ".conf", LANG_INI, false },       { ".cnf", LANG_INI, false },
    { ".toml", LANG_INI, false },       { ".ora", LANG_INI, false },
    { ".properties", LANG_ENV, false }, { ".env", LANG_ENV, false },
    { ".service", LANG_INI, false },    { ".sh", LANG_HASH, false },
    { ".bash", LANG_HASH, false },      { ".xml", LANG_XML, false },
    { ".config", LANG_XML, false },     { ".csproj", LANG_XML, false },
    { ".sql", LANG_SQL, true },         { ".py", LANG_PYTHON, true },
    { ".rb", LANG_HASH, true },         { ".ex", LANG_HASH, true },
    { ".exs", LANG_HASH, true },        { ".pl", LANG_HASH, true },
    { ".php", LANG_PHP, true },         { ".js", LANG_SLASH, true },
    { ".mjs", LANG_SLASH, true },       { ".cjs", LANG_SLASH, true },
    { ".jsx", LANG_SLASH, true },       { ".ts", LANG_SLASH, true },
    { ".mts", LANG_SLASH, true },       { ".cts", LANG_SLASH, true },
    { ".tsx", LANG_SLASH, true },       { ".go", LANG_SLASH, true },
    { ".java", LANG_SLASH, true },      { ".kt", LANG_SLASH, true },
    { ".kts", LANG_SLASH, true },       { ".scala", LANG_SLASH, true },
    { ".groovy", LANG_SLASH, true },    { ".gradle", LANG_SLASH, true },
    { ".cs", LANG_SLASH, true },        { ".fs", LANG_SLASH, true },
    { ".rs", LANG_SLASH, true },        { ".swift", LANG_SLASH, true },
    { ".dart", LANG_SLASH, true },      { ".c", LANG_SLASH, true },
    { ".cc", LANG_SLASH, true },        { ".cpp", LANG_SLASH, true },
    { ".h", LANG_SLASH, true },         { ".prisma", LANG_SLASH, false },
    { ".cue", LANG_SLASH, false },      { ".ctmpl", LANG_INI, false },
};

static bool language_of(const char *name, size_t len, struct path_facts *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
        size_t n = strlen(languages[i].ending);
        if (len < n || strncasecmp(name + len - n, languages[i].ending, n) != 0)
            continue;
        ret->lang = languages[i].lang;
        ret->code = languages[i].code;
        return true;
    }
    return false;
}

/* "database.yml.example" is YAML, "app.conf.j2" configuration. */
static void read_ending(const char *name, struct path_facts *ret)
{
    static const char *const wrappers[] = { ".example", ".sample", ".dist",   ".template",
                                            ".tmpl",    ".tpl",    ".j2",     ".erb",
                                            ".orig",    ".bak",    ".gotmpl", ".enc" };

    if (language_of(name, strlen(name), ret))
        return;
    for (size_t i = 0; i < ARRAY_LEN(wrappers); i++)
        if (name_ends(name, wrappers[i]) &&
            language_of(name, strlen(name) - strlen(wrappers[i]), ret))
            return;
    if (ENDS(name, ".tpl", ".gotmpl"))
        ret->lang = LANG_YAML; /* a chart's helpers */
}

static void read_language(const char *name, struct path_facts *ret)
{
    ret->lang = LANG_TEXT;
    read_ending(name, ret);
    /* ".env.production", "env.prod", "Dockerfile.web", "Procfile" */
    if (STARTS(name, ".env", "env.") || STARTS(name, "dockerfile", "containerfile", "procfile") ||
        strcmp(name, ".envrc") == 0)
        ret->lang = LANG_ENV;
    if (STARTS(name, "rakefile", "gemfile", "makefile", "puma", "unicorn") && !ret->code)
        ret->lang = LANG_HASH;
    if (strcasecmp(name, "jenkinsfile") == 0)
        ret->lang = LANG_SLASH;
}

static bool is_documentation(const struct parts *p)
{
    if (ENDS(p->name, ".md", ".mdx", ".rst", ".adoc", ".asciidoc", ".textile", ".org", ".pdf",
             ".drawio", ".puml", ".svg", ".png", ".jpg"))
        return true;
    if (ENDS(p->name, ".txt") && !STARTS(p->name, "requirements", "constraints", "cmakelists"))
        return true;
    if (STARTS(p->name, "readme", "changelog", "changes", "history", "news", "license", "licence",
               "authors", "contributing", "codeowners", "notice", "security", "upgrading"))
        return strchr(p->name, '.') == NULL || ENDS(p->name, ".html");
    return HAS_FOLDER(p, "docs", "doc", "documentation", "wiki", "runbooks", "runbook", "adr",
                      "man", "website", "site-docs", ".changeset", "changelogs", "changelog.d");
}

static bool is_test(const struct parts *p)
{
    if (HAS_FOLDER(p, "test", "tests", "testing", "spec", "specs", "__tests__", "__mocks__",
                   "fixtures", "fixture", "testdata", "test-data", "e2e", "cypress", "mocks",
                   "integration-tests", "integration_tests", "functional-tests", "acceptance-tests",
                   "testcontainers", "__snapshots__", "testutil", "testutils", "benchmarks",
                   "bench", "benchmark", "k6", "loadtest", "load-tests", "src-test"))
        return true;
    for (size_t i = 0; i + 1 < p->n; i++) {
        struct word w = p->items[i]; /* "Shop.Api.Tests", "shop-api-tests" */
        if (w.len > 6 && (strncasecmp(w.text + w.len - 6, ".tests", 6) == 0 ||
                          strncasecmp(w.text + w.len - 6, "-tests", 6) == 0 ||
                          strncasecmp(w.text + w.len - 6, "_tests", 6) == 0))
            return true;
    }
    return ENDS(p->name, "_test.go", "_test.py", "_spec.rb", "_test.rb", "_test.exs", "test.java",
                "tests.java", "test.kt", "tests.cs", "test.cs", "test.php", ".test.js", ".test.ts",
                ".test.tsx", ".test.jsx", ".spec.js", ".spec.ts", ".spec.tsx", ".cy.ts", ".cy.js",
                "it.java", "spec.scala", "test.scala") ||
           STARTS(p->name, "test_", "conftest.py", "phpunit.xml", "jest.config", "vitest.config",
                  "karma.conf", "cypress.", "playwright.", "pytest.ini", "tox.ini", "setup-jest",
                  "testcontainers", "factory_bot", "docker-compose.test", "docker-compose-test",
                  "compose.test", "docker-compose.ci", ".env.test", "docker-compose.e2e");
}

static bool is_example(const struct parts *p)
{
    return HAS_FOLDER(p, "examples", "example", "samples", "sample", "demo", "demos", "tutorial",
                      "tutorials", "playground", "snippets") ||
           ENDS(p->name, ".example", ".sample", ".dist", ".orig", ".bak", ".rej", ".patch",
                ".diff") ||
           STARTS(p->name, ".env.example", ".env.sample", ".env.template", ".env.dist", "example.",
                  "sample.") ||
           text_icontains(p->name, ".example.") || text_icontains(p->name, ".sample.") ||
           text_icontains(p->name, "-example.") || text_icontains(p->name, "_example.") ||
           text_icontains(p->name, ".dist.");
}

/* A pipeline that deploys may carry the settings that it deploys with. */
static bool is_ci(const struct parts *p)
{
    bool ci =
        HAS_FOLDER(p, ".github", ".circleci", ".gitlab", ".buildkite", ".azuredevops",
                   ".devcontainer", ".vscode", ".idea", ".husky", ".teamcity", ".tekton") ||
        STARTS(p->name, ".gitlab-ci", ".travis", "jenkinsfile", "azure-pipelines",
               "bitbucket-pipelines", ".drone", "appveyor", "codecov", ".pre-commit", "renovate",
               "dependabot", ".eslintrc", ".rubocop", ".golangci", "sonar-", ".dockerignore",
               ".gitignore", ".gitattributes", ".editorconfig", ".prettierrc", "tsconfig",
               "webpack.config", "vite.config", "babel.config", "skaffold", "tiltfile");
    bool deploys = text_icontains(p->name, "deploy") || text_icontains(p->name, "release") ||
                   text_icontains(p->name, "prod");

    return ci && !deploys;
}

static bool is_migration(const struct parts *p)
{
    const char *name = p->name;

    if (HAS_FOLDER(p, "migrations", "migrate", "migration", "flyway", "liquibase", "alembic",
                   "versions", "schema", "schemas", "seeds", "seeders", "dbmigrations"))
        return !ENDS(name, ".env", ".tf", ".tfvars", "values.yaml", ".properties", ".ini", "env.py",
                     ".conf");
    if ((*name == 'V' || *name == 'U' || *name == 'R') && strstr(name, "__") && ENDS(name, ".sql"))
        return true;
    struct words w = { .n = 0 };
    words_add((struct diff_span){ name, strlen(name) }, &w);
    if (words_have(&w, "migrate") || words_have(&w, "migration") || words_have(&w, "migrations"))
        return true;
    return STARTS(name, "schema.rb", "structure.sql", "schema.sql", "seeds.rb", "init.sql",
                  "db.changelog", "changelog-master", "dump.sql") ||
           strcasecmp(name, "schema.graphql") == 0;
}

static bool is_monitoring(const struct parts *p)
{
    return HAS_FOLDER(p, "monitoring", "alerts", "alerting", "alertmanager", "grafana",
                      "dashboards", "dashboard", "prometheus", "observability", "datadog",
                      "newrelic", "slo", "slos", "recording-rules") ||
           text_icontains(p->name, "alert") || text_icontains(p->name, "dashboard") ||
           text_icontains(p->name, "prometheus") || text_icontains(p->name, "grafana");
}

static bool is_generated(const struct parts *p)
{
    return HAS_FOLDER(p, "node_modules", "vendor", "third_party", "thirdparty", "dist", ".yarn",
                      "generated", "__generated__", "bower_components", "target", ".next",
                      "site-packages") ||
           ENDS(p->name, ".lock", "-lock.json", "-lock.yaml", ".sum", ".lockfile", ".min.js",
                ".min.css", ".bundle.js", ".map", ".pb.go", "_pb2.py", ".g.dart", ".designer.cs",
                ".snap", ".lock.hcl", ".css", ".scss", ".less", ".po", ".pot", ".csv", ".tsv") ||
           text_icontains(p->name, ".generated.") ||
           STARTS(p->name, "npm-shrinkwrap", "packages.lock", "pnpm-lock", "pipfile.lock");
}

static bool is_dependency_list(const struct parts *p)
{
    return STARTS(p->name, "requirements", "constraints", "package.json", "go.mod", "go.work",
                  "pom.xml", "build.gradle", "gemfile", "cargo.toml", "composer.json", "mix.exs",
                  "pipfile", "pyproject.toml", "setup.py", "setup.cfg", "build.sbt",
                  "packages.config", "directory.packages", "libs.versions.toml", "podfile",
                  "chart.yaml", "requirements.yaml", "deno.json") ||
           ENDS(p->name, ".csproj", ".fsproj", ".gemspec");
}

static enum harmless read_purpose(const struct parts *p, const struct path_facts *facts)
{
    if (is_generated(p))
        return HARMLESS_GENERATED;
    if (is_test(p))
        return HARMLESS_TEST;
    if (is_documentation(p))
        return HARMLESS_DOCUMENTATION;
    if (is_example(p))
        return HARMLESS_EXAMPLE;
    if (is_ci(p))
        return HARMLESS_CI;
    if (is_dependency_list(p))
        return HARMLESS_DEPENDENCY;
    if (is_migration(p))
        return HARMLESS_MIGRATION;
    if (facts->lang == LANG_SQL || ENDS(p->name, ".graphql", ".gql", ".cypher", ".hql"))
        return HARMLESS_QUERY;
    if (is_monitoring(p))
        return HARMLESS_MONITORING;
    return HARMLESS_NOT;
}

/* Is this folder or file called like the failing service itself? */
static bool is_own_name(struct word part, const struct change_context *ctx)
{
    for (size_t i = 0; i < ctx->n_services; i++) {
        const char *name = ctx->services[i], *slash = name ? strrchr(name, '/') : NULL;
        if (name && word_is(part, slash ? slash + 1 : name))
            return true;
    }
    return false;
}

static void read_environment(const struct parts *p, const struct change_context *ctx,
                             struct path_facts *ret)
{
    for (size_t i = 0; i < p->n; i++) {
        struct words w = { .n = 0 };
        enum environment env;
        if (is_own_name(p->items[i], ctx))
            continue;
        words_add((struct diff_span){ p->items[i].text, p->items[i].len }, &w);
        env = words_environment(&w);
        /* "src/dev/..." of program text is a package, "dev.py" a settings module */
        if (env == ENV_UNKNOWN || (ret->code && i + 1 < p->n && i == 0))
            continue;
        ret->env = env;
        ret->env_word = p->items[i];
    }
    if (ret->env == ENV_UNKNOWN && strcasecmp(p->name, "docker-compose.override.yml") == 0) {
        ret->env = ENV_DEVELOPMENT;
        ret->env_word = p->items[p->n - 1];
    }
}

/* Does any word of the services' names occur in this one ("shop" in "shop-worker")? */
static bool shares_word(struct word part, const struct change_context *ctx)
{
    struct words mine = { .n = 0 }, theirs = { .n = 0 };

    words_add((struct diff_span){ part.text, part.len }, &mine);
    for (size_t i = 0; i < ctx->n_services; i++)
        if (ctx->services[i])
            words_add((struct diff_span){ ctx->services[i], strlen(ctx->services[i]) }, &theirs);
    for (size_t i = 0; i < mine.n; i++)
        for (size_t j = 0; j < theirs.n; j++)
            if (mine.items[i].len > 2 && mine.items[i].len == theirs.items[j].len &&
                strncasecmp(mine.items[i].text, theirs.items[j].text, mine.items[i].len) == 0)
                return true;
    return false;
}

/* "charts/billing/values.yaml" is the billing service's, when the failing one is another. A folder
 * with a general name may be anybody's. */
static void read_service(const struct parts *p, const struct change_context *ctx,
                         struct path_facts *ret)
{
    static const char *const roots[] = { "charts",       "services",      "apps",
                                         "applications", "releases",      "helmfile.d",
                                         "workloads",    "microservices", "projects" };
    static const char *const general[] = {
        "app",       "backend",    "api",          "web",        "server",    "service",
        "base",      "common",     "shared",       "global",     "all",       "main",
        "core",      "default",    "platform",     "infra",      "worker",    "workers",
        "frontend",  "templates",  "values",       "database",   "databases", "db",
        "postgres",  "postgresql", "mysql",        "mariadb",    "redis",     "mongodb",
        "pgbouncer", "haproxy",    "proxysql",     "production", "prod",      "staging",
        "dev",       "overlays",   "environments", "config",     "stack",     "umbrella",
    };

    if (ctx->n_services == 0)
        return;
    for (size_t i = 0; i + 2 < p->n; i++) {
        struct word name = p->items[i + 1];
        struct words w = { .n = 0 };
        if (!part_is_any(p->items[i], roots, ARRAY_LEN(roots)))
            continue;
        words_add((struct diff_span){ name.text, name.len }, &w);
        if (part_is_any(name, general, ARRAY_LEN(general)) || words_environment(&w) ||
            (words_flags(&w) & WORD_DATABASE) || shares_word(name, ctx))
            return;
        for (size_t j = i + 2; j < p->n; j++)
            if (shares_word(p->items[j], ctx))
                return;
        ret->service = name;
        return;
    }
}

/* "job-db-migrate.yaml", "postgres-exporter/", "db-backup.sh": beside the database, not the way to
 * it. */
static bool is_about_upkeep(const struct words *name)
{
    static const char *const words[] = { "migrate", "migration", "migrations", "backup", "backups",
                                         "dump",    "restore",   "exporter",   "seed",   "seeds" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (words_have(name, words[i]))
            return true;
    return false;
}

void path_read(const char *path, const struct change_context *ctx, struct path_facts *ret)
{
    struct parts p;
    struct words name = { .n = 0 };

    memset(ret, 0, sizeof(*ret));
    split_path(path, &p);
    if (p.n == 0)
        return;
    read_language(p.name, ret);
    ret->purpose = read_purpose(&p, ret);
    read_environment(&p, ctx, ret);
    read_service(&p, ctx, ret);
    /* The file and the folder that it is in; "db" of "src/db/users/list.go" says too little. */
    for (size_t i = p.n > 2 ? p.n - 2 : 0; i < p.n; i++)
        if (!is_own_name(p.items[i], ctx))
            words_add((struct diff_span){ p.items[i].text, p.items[i].len }, &name);
    unsigned flags = words_flags(&name);
    ret->database =
        ((flags & WORD_DATABASE) && !is_about_upkeep(&name)) || words_have(&name, "persistence");
    ret->engine = (flags & WORD_DATABASE) ? words_engine(&name) : NULL;
    ret->roles = flags & (WORD_ROLE | WORD_CACHE | WORD_POOLER | WORD_NETWORK);
    ret->settings = (!ret->code && ret->lang != LANG_TEXT) || words_have(&name, "config") ||
                    words_have(&name, "settings") || words_have(&name, "configuration") ||
                    words_have(&name, "environment") || words_have(&name, "environments") ||
                    words_have(&name, "conf") || words_have(&name, "puma") ||
                    words_have(&name, "gunicorn") || words_have(&name, "unicorn");
}

bool settings_path_likely(const char *path)
{
    static const struct change_context nobody;
    struct path_facts facts;

    if (!path)
        return false;
    path_read(path, &nobody, &facts);
    return facts.purpose == HARMLESS_NOT && (facts.settings || facts.database);
}
