#include "dbconn/app/config.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/stat.h>

#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"
#include "dbconn/base/redact.h"
#include "dbconn/base/text.h"

#define SECRET_MAX_BYTES 65536

struct value {
    char *text; /* lists: entries separated by '\n' */
    const char *source;
};

struct config {
    struct value *values; /* as many as config_options */
    cJSON *services;
    char *credentials; /* the folder of secrets that the file calls by their bare name */
};

static size_t index_of(const char *key)
{
    for (size_t i = 0; i < n_config_options; i++)
        if (strcmp(config_options[i].key, key) == 0)
            return i;
    abort(); /* our own mistake: no such option */
}

static void set(struct config *c, size_t i, const char *text, const char *source)
{
    struct value *v = &c->values[i];

    if (v->text)
        OPENSSL_cleanse(v->text, strlen(v->text));
    xreplace(&v->text, text);
    v->source = source;
}

static const char *type_name(enum config_type type)
{
    switch (type) {
    case CONFIG_STRING:
    case CONFIG_SECRET:
        return "a string";
    case CONFIG_NUMBER:
        return "a whole number of 0 or more";
    case CONFIG_BOOL:
        return "true or false";
    case CONFIG_LIST:
        return "a list of strings";
    }
    return "";
}

/* Does the text fit the type (as from the environment)? */
static bool fits(enum config_type type, const char *text)
{
    char *end;

    if (type == CONFIG_BOOL)
        return text_same(text, "true") || text_same(text, "false");
    if (type != CONFIG_NUMBER)
        return true;
    return strtoll(text, &end, 10) >= 0 && end != text && *end == '\0';
}

/* The member as text, in `out`; false when it has the wrong type. */
static bool member_text(const cJSON *item, enum config_type type, struct buf *out)
{
    const cJSON *entry;

    if (type == CONFIG_LIST && cJSON_IsArray(item)) {
        cJSON_ArrayForEach (entry, item) {
            if (!cJSON_IsString(entry))
                return false;
            buf_addf(out, "%s\n", entry->valuestring);
        }
        return true;
    }
    if (cJSON_IsString(item) && (type == CONFIG_STRING || type == CONFIG_SECRET))
        buf_adds(out, item->valuestring);
    else if (cJSON_IsBool(item) && type == CONFIG_BOOL)
        buf_adds(out, cJSON_IsTrue(item) ? "true" : "false");
    else if (cJSON_IsNumber(item) && type == CONFIG_NUMBER)
        buf_addf(out, "%.10g", item->valuedouble);
    else
        return false;
    return fits(type, buf_str(out));
}

/*
 * Bare names are credentials of the service (systemd.exec(5), LoadCredential=), which systemd puts
 * into a folder that only the service sees. A person who runs another command on the same
 * configuration has none; the folder beside the file, from which systemd takes them, serves then.
 */
static char *credentials_folder(const char *config_path, char *(*get)(const char *))
{
    const char *handed_over = get("CREDENTIALS_DIRECTORY"), *slash = strrchr(config_path, '/');

    if (handed_over && *handed_over)
        return xstrdup(handed_over);
    return xasprintf("%.*scredentials", slash ? (int)(slash + 1 - config_path) : 0, config_path);
}

/* A secret's file: not readable by the world, one line, its newline cut. */
static int read_secret_file(struct config *c, size_t i, const char *name, struct error *err)
{
    char *path = strchr(name, '/') ? xstrdup(name) : xasprintf("%s/%s", c->credentials, name);
    struct buf text = BUF_INIT;
    struct stat st;
    int rc;

    if (stat(path, &st) == 0 && (st.st_mode & (S_IROTH | S_IWOTH)))
        rc = error_set(err, ERR_CONFIG, "%s can be read by everybody: chmod o-rwx %s", path, path);
    else
        rc = file_read(path, SECRET_MAX_BYTES, &text, err);
    if (rc == 0) {
        while (text.len > 0 && strchr("\r\n ", text.data[text.len - 1]))
            buf_truncate(&text, text.len - 1);
        set(c, i, buf_str(&text), "file of its own");
        OPENSSL_cleanse(text.data, text.len);
    }
    buf_clear(&text);
    free(path);
    return rc;
}

static bool same_key(const char *key, const char *section, const char *name, size_t name_len)
{
    size_t n = strlen(section);

    return strncmp(key, section, n) == 0 && key[n] == '.' && strlen(key + n + 1) == name_len &&
           strncmp(key + n + 1, name, name_len) == 0;
}

static int read_member(struct config *c, const char *section, const cJSON *item, struct error *err)
{
    size_t len = strlen(item->string);
    bool is_file = len > 5 && strcmp(item->string + len - 5, "_file") == 0;
    struct buf text = BUF_INIT;
    int rc = 0;

    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        if (is_file && o->type == CONFIG_SECRET && cJSON_IsString(item) &&
            same_key(o->key, section, item->string, len - 5))
            return read_secret_file(c, i, item->valuestring, err);
        if (!same_key(o->key, section, item->string, len))
            continue;
        if (cJSON_IsNull(item))
            return 0;
        if (member_text(item, o->type, &text))
            set(c, i, buf_str(&text), "file");
        else
            rc = error_set(err, ERR_CONFIG, "%s.%s must be %s", section, item->string,
                           type_name(o->type));
        buf_clear(&text);
        return rc;
    }
    return error_set(err, ERR_CONFIG, "%s.%s is no key of the configuration", section,
                     item->string);
}

static int check_services(const cJSON *services, struct error *err)
{
    static const char *const names[] = { "project", "package", "repository", "log_service",
                                         "index" };
    const cJSON *entry, *member;

    if (!cJSON_IsArray(services))
        return error_set(err, ERR_CONFIG, "services must be a list");
    cJSON_ArrayForEach (entry, services) {
        cJSON_ArrayForEach (member, entry) {
            bool known = false;
            for (size_t i = 0; i < ARRAY_LEN(names); i++)
                known |= text_same(names[i], member->string);
            if (!known || !cJSON_IsString(member))
                return error_set(err, ERR_CONFIG,
                                 "services: \"%s\" must be one of project, package, repository, "
                                 "log_service, index, and a string",
                                 member->string);
        }
    }
    return 0;
}

static bool is_section(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < n_config_options; i++)
        if (strncmp(config_options[i].key, name, len) == 0 && config_options[i].key[len] == '.')
            return true;
    return false;
}

static int read_section(struct config *c, const struct jsonc *doc, const cJSON *section,
                        struct error *err)
{
    const cJSON *item;
    char *where;

    if (strcmp(section->string, "services") == 0) {
        if (check_services(section, err) < 0)
            return error_context(err, "%s:%d", doc->path, jsonc_line(doc, "services"));
        if (c->services)
            return error_set(err, ERR_CONFIG, "%s:%d: services is there twice; keep one", doc->path,
                             jsonc_line(doc, "services"));
        c->services = cJSON_Duplicate(section, true);
        return 0;
    }
    if (!cJSON_IsObject(section) || !is_section(section->string))
        return error_set(err, ERR_CONFIG, "%s:%d: %s is no section of the configuration", doc->path,
                         jsonc_line(doc, section->string), section->string);
    cJSON_ArrayForEach (item, section) {
        if (read_member(c, section->string, item, err) == 0)
            continue;
        where = xasprintf("%s.%s", section->string, item->string);
        error_context(err, "%s:%d", doc->path, jsonc_line(doc, where));
        free(where);
        return -1;
    }
    return 0;
}

static int read_file(struct config *c, const char *path, struct error *err)
{
    struct jsonc doc = { 0 };
    const cJSON *section;
    int rc = jsonc_load(path, &doc, err);

    if (rc == 0 && !cJSON_IsObject(doc.tree))
        rc = error_set(err, ERR_CONFIG, "%s: a JSON object was expected", path);
    cJSON_ArrayForEach (section, doc.tree) {
        if (rc < 0 || (rc = read_section(c, &doc, section, err)) < 0)
            break;
    }
    jsonc_clear(&doc);
    return rc;
}

static int read_environment(struct config *c, char *(*get)(const char *), struct error *err)
{
    for (size_t i = 0; i < n_config_options; i++) {
        const struct config_option *o = &config_options[i];
        const char *text = o->env ? get(o->env) : NULL;
        if (!text || !*text)
            continue;
        if (!fits(o->type, text))
            return error_set(err, ERR_CONFIG, "the environment's %s must be %s", o->env,
                             type_name(o->type));
        set(c, i, text, "environment");
    }
    return 0;
}

int config_load(const char *path, char *(*environ_get)(const char *), struct config **ret,
                struct error *err)
{
    struct config *c = xcalloc(1, sizeof(*c));

    c->values = xcalloc(n_config_options, sizeof(*c->values));
    for (size_t i = 0; i < n_config_options; i++)
        set(c, i, config_options[i].fallback, "default");
    c->credentials = path ? credentials_folder(path, environ_get) : NULL;
    if ((path && read_file(c, path, err) < 0) || read_environment(c, environ_get, err) < 0 ||
        config_check(c, err) < 0) {
        config_free(c);
        return -1;
    }
    for (size_t i = 0; i < n_config_options; i++)
        if (config_options[i].type == CONFIG_SECRET && c->values[i].text)
            redact_remember(c->values[i].text);
    *ret = c;
    return 0;
}

void config_adopt(struct config *fresh, const struct config *running,
                  void (*each)(void *user, const char *key, bool applied), void *user)
{
    for (size_t i = 0; i < n_config_options; i++) {
        const char *key = config_options[i].key;
        if (text_same(fresh->values[i].text, running->values[i].text) ||
            (!config_str(fresh, key) && !config_str(running, key)))
            continue;
        each(user, key, config_is_live(key));
        if (!config_is_live(key))
            set(fresh, i, running->values[i].text, running->values[i].source);
    }
    if (!cJSON_Compare(fresh->services, running->services, true) &&
        (fresh->services || running->services))
        each(user, "services", true);
}

void config_free(struct config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < n_config_options; i++) {
        if (c->values[i].text)
            OPENSSL_cleanse(c->values[i].text, strlen(c->values[i].text));
        free(c->values[i].text);
    }
    free(c->values);
    cJSON_Delete(c->services);
    free(c->credentials);
    free(c);
}

const char *config_str(const struct config *c, const char *key)
{
    const char *text = c->values[index_of(key)].text;

    return text && *text ? text : NULL;
}

int64_t config_num(const struct config *c, const char *key)
{
    const char *text = config_str(c, key);

    return text ? strtoll(text, NULL, 10) : 0;
}

bool config_bool(const struct config *c, const char *key)
{
    return text_same(config_str(c, key), "true");
}

void config_each(const struct config *c, const char *key,
                 void (*each)(void *user, const char *entry), void *user)
{
    static const char separators[] = "\n, \t";
    const char *text = config_str(c, key);

    while (text && *(text += strspn(text, separators))) {
        size_t len = strcspn(text, separators);
        char *entry = xstrndup(text, len);
        each(user, entry);
        free(entry);
        text += len;
    }
}

const char *config_source(const struct config *c, const char *key)
{
    return c->values[index_of(key)].source;
}

const cJSON *config_services(const struct config *c)
{
    return c->services;
}

int config_require(const struct config *c, const char *key, struct error *err)
{
    const struct config_option *o = &config_options[index_of(key)];

    if (config_str(c, key))
        return 0;
    return error_set(err, ERR_CONFIG, "%s is not set: %s. Put it into the configuration%s%s%s.",
                     key, o->help,
                     o->type == CONFIG_SECRET ? ", a file named by its _file key" : "",
                     o->env ? ", or the environment's " : "", o->env ? o->env : "");
}
