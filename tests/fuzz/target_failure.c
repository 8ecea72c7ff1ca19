/*
 * Error messages. Lines: type, module, the message of a cause, a hint ("key=value"), a scope as
 * JSON, and the rest is the message. No password ends up in what was read.
 */
#include <string.h>

#include "dbconn/analysis/failure.h"
#include "dbconn/base/json.h"
#include "fuzz.h"

static const struct failure_reader *reader(void)
{
    static struct failure_reader *kept; /* compiled once; a few ms */

    if (!kept)
        kept = failure_reader_new();
    return kept;
}

static void check_text(const char *text, bool may_hold_it)
{
    FUZZ_CHECK(!text || may_hold_it || !strstr(text, FUZZ_SECRET));
}

static void check(const struct failure *f, bool may_hold_it)
{
    FUZZ_CHECK((int)f->kind >= 0 && f->kind < FAILURE_COUNT && f->engine < ENGINE_COUNT);
    FUZZ_CHECK(f->is_database == NO || !f->instead);
    for (size_t i = 0; i < f->n_targets; i++) {
        const struct failure_target *t = &f->targets[i];
        check_text(t->host, may_hold_it);
        check_text(t->port, may_hold_it);
        check_text(t->database, may_hold_it);
        check_text(t->user, may_hold_it);
        for (size_t a = 0; a < t->n_aliases; a++)
            check_text(t->aliases[a], may_hold_it);
    }
    (void)failure_is_applicable(f);
}

static void read_message(const char *message, bool may_hold_it)
{
    struct failure_exception e = { "OperationalError", message, NULL };
    struct failure f;

    failure_read(reader(), &e, &f);
    check(&f, may_hold_it);
    failure_clear(&f);
}

static void add_hints(struct failure *f, char *hint, const char *scope)
{
    char *equals = strchr(hint, '=');
    cJSON *tree = NULL;

    if (equals) {
        *equals = '\0';
        struct failure_hint h = { hint, equals + 1 };
        (void)failure_add_hints(reader(), &h, 1, f);
    }
    if (json_parse(scope, strlen(scope), "scope", &tree, NULL) == 0)
        (void)failure_add_json_hints(reader(), tree, f);
    cJSON_Delete(tree);
    (void)failure_add_layer(hint, f);
}

void fuzz_failure(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    struct failure f;
    struct buf planted = BUF_INIT;
    char *type = fuzz_line(&in), *module = fuzz_line(&in), *cause = fuzz_line(&in),
         *hint = fuzz_line(&in), *scope = fuzz_line(&in), *message = fuzz_rest(&in);
    struct failure_exception chain[] = { { NULL, cause, NULL }, { type, message, module } };

    failure_read_chain(reader(), chain, ARRAY_LEN(chain), &f);
    check(&f, true);
    add_hints(&f, hint, scope);
    check(&f, true);
    failure_clear(&f);

    buf_addf(&planted, "%s\npostgresql://app:" FUZZ_SECRET "@db-1:5432/shop\n", message);
    read_message(buf_str(&planted), strstr(message, FUZZ_SECRET) != NULL);
    buf_clear(&planted);
    free(type);
    free(module);
    free(cause);
    free(hint);
    free(scope);
    free(message);
}
