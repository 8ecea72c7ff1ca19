/* dbconn playbook: what the playbook says, and whether a copy of it is sound. */
#include "command.h"

#include <stdio.h>

#include "dbconn/app/config.h"
#include "dbconn/base/json.h"
#include "dbconn/base/jsonc.h"
#include "dbconn/base/text.h"
#include "dbconn/diagnosis/casefile.h"
#include "dbconn/playbook/playbook.h"
#include "dbconn/report/terminal.h"
#include "playbook_facts.h"
#include "playbook_lint.h"
#include "table.h"

#define MAX_BYTES ((size_t)1 << 20)

static void print_json(cJSON *doc)
{
    char *text = json_print(doc);

    puts(text);
    cJSON_free(text);
    cJSON_Delete(doc);
}

static void print_table(struct table *t)
{
    struct buf text = BUF_INIT;

    table_print(t, (size_t)terminal_width(), &text);
    fputs(buf_str(&text), stdout);
    buf_clear(&text);
    table_clear(t);
}

/* ---- show ---- */

static void add_condition(const cJSON *c, bool nested, struct buf *out);

static void add_list(const cJSON *list, const char *word, bool nested, struct buf *out)
{
    const cJSON *item;
    bool several = nested && cJSON_GetArraySize(list) > 1;

    if (several)
        buf_addc(out, '(');
    cJSON_ArrayForEach (item, list) {
        if (item != list->child)
            buf_addf(out, " %s ", word);
        add_condition(item, true, out);
    }
    if (several)
        buf_addc(out, ')');
}

static void add_value(const char *word, const cJSON *value, struct buf *out)
{
    char *text = cJSON_PrintUnformatted(value);

    buf_addf(out, " %s %s", word, cJSON_IsString(value) ? value->valuestring : text);
    cJSON_free(text);
}

static void add_question(const cJSON *c, struct buf *out)
{
    static const struct {
        const char *key, *word;
    } operators[] = { { "is", "is" }, { "in", "in" }, { "at_least", ">=" }, { "at_most", "<=" } };

    buf_adds(out, json_str_or(c, "fact", "?"));
    for (size_t i = 0; i < ARRAY_LEN(operators); i++)
        if (json_get(c, operators[i].key))
            add_value(operators[i].word, json_get(c, operators[i].key), out);
}

static void add_not(const cJSON *inner, struct buf *out)
{
    if (json_str(inner, "known")) {
        buf_addf(out, "%s is not known", json_str(inner, "known"));
        return;
    }
    buf_adds(out, "not ");
    add_condition(inner, true, out);
}

static void add_condition(const cJSON *c, bool nested, struct buf *out)
{
    if (json_get(c, "all"))
        add_list(json_get(c, "all"), "and", nested, out);
    else if (json_get(c, "any"))
        add_list(json_get(c, "any"), "or", nested, out);
    else if (json_get(c, "not"))
        add_not(json_get(c, "not"), out);
    else if (json_str(c, "known"))
        buf_addf(out, "%s is known", json_str(c, "known"));
    else
        add_question(c, out);
}

static void condition_cell(struct table *t, const cJSON *condition, const char *otherwise)
{
    struct buf text = BUF_INIT;

    if (condition)
        add_condition(condition, false, &text);
    else
        buf_adds(&text, otherwise);
    table_cell(t, buf_str(&text));
    buf_clear(&text);
}

static void show_steps(const struct playbook *p)
{
    struct table t = { .n_columns = 5 };

    table_cell(&t, "STEP");
    table_cell(&t, "ID");
    table_cell(&t, "COLLECTOR");
    table_cell(&t, "NEEDS");
    table_cell(&t, "WHEN");
    for (size_t i = 0; i < p->n_steps; i++) {
        const struct playbook_step *step = &p->steps[i];
        struct buf needs = BUF_INIT;
        for (size_t j = 0; j < p->n_steps; j++)
            if (step->needs & 1u << j)
                buf_addf(&needs, "%s%d", needs.len ? ", " : "", p->steps[j].number);
        table_cellf(&t, "%d", step->number);
        table_cell(&t, step->id);
        table_cell(&t, step->collector);
        table_cell(&t, needs.len ? buf_str(&needs) : "-");
        condition_cell(&t, step->when, "always");
        buf_clear(&needs);
    }
    print_table(&t);
}

static void show_causes(const struct playbook *p)
{
    struct table t = { .n_columns = 4 };
    const cJSON *signal;

    table_cell(&t, "CAUSE");
    table_cell(&t, "FOR");
    table_cell(&t, "AGAINST");
    table_cell(&t, "REQUIRES");
    for (int c = 0; c < CAUSE_COUNT; c++) {
        const char *code = cause_name((enum cause)c);
        size_t pro = 0, against = 0;
        cJSON_ArrayForEach (signal, json_get(p->tree, "signals")) {
            double points = 0;
            (void)json_num(json_get(signal, "points"), code, &points);
            pro += points > 0;
            against += points < 0;
        }
        table_cell(&t, code);
        table_cellf(&t, "%zu", pro);
        table_cellf(&t, "%zu", against);
        condition_cell(&t, json_path(p->tree, "causes", code, "requires", NULL), "nothing");
    }
    print_table(&t);
}

static void add_wrapped(const char *label, const char *text, struct buf *out)
{
    int columns = terminal_width();

    buf_addf(out, "  %-7s", label);
    terminal_wrap(text, columns ? (size_t)columns : 100, 9, 9, out);
}

/* Too wide for a table: a paragraph each. */
static void show_signals(const struct playbook *p)
{
    struct buf text = BUF_INIT, out = BUF_INIT;
    const cJSON *signal, *item;

    cJSON_ArrayForEach (signal, json_get(p->tree, "signals")) {
        buf_addf(&out, "%s\n", json_str_or(signal, "id", "-"));
        add_condition(json_get(signal, "if"), false, &text);
        add_wrapped("if", buf_str(&text), &out);
        buf_reset(&text);
        cJSON_ArrayForEach (item, json_get(signal, "points")) {
            buf_addf(&text, "%s%s %+.10g", text.len ? ", " : "", item->string, item->valuedouble);
        }
        add_wrapped("points", buf_str(&text), &out);
        buf_reset(&text);
    }
    fputs(buf_str(&out), stdout);
    buf_clear(&text);
    buf_clear(&out);
}

static void show_caps(const struct playbook *p)
{
    struct table t = { .n_columns = 3 };
    const cJSON *cap, *cause;

    table_cell(&t, "CONFIDENCE AT MOST");
    table_cell(&t, "OF");
    table_cell(&t, "IF");
    cJSON_ArrayForEach (cap, json_get(p->tree, "caps")) {
        struct buf causes = BUF_INIT;
        cJSON_ArrayForEach (cause, json_get(cap, "causes")) {
            buf_addf(&causes, "%s%s", causes.len ? ", " : "", cJSON_GetStringValue(cause));
        }
        table_cell(&t, json_str_or(cap, "at", "?"));
        table_cell(&t, causes.len ? buf_str(&causes) : "every cause");
        condition_cell(&t, json_get(cap, "if"), "always");
        buf_clear(&causes);
    }
    print_table(&t);
}

static void show(const struct playbook *p, const char *path)
{
    char *weighing = cJSON_PrintUnformatted(json_get(p->tree, "weighing"));

    printf("%s: %s\nVersion %.12s, %s\n\n", p->id, p->title, p->hash,
           path ? path : "built into this program");
    show_steps(p);
    putchar('\n');
    show_causes(p);
    putchar('\n');
    show_caps(p);
    printf("\nWeighing: %s\n\nSignals:\n", weighing ? weighing : "{}");
    show_signals(p);
    cJSON_free(weighing);
}

static int print_source(const char *path)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT;

    if (path && file_read(path, MAX_BYTES, &text, &err) < 0)
        return command_failed(&err, false, "config");
    fputs(path ? buf_str(&text) : playbook_builtin_text(), stdout);
    buf_clear(&text);
    return EXIT_OK;
}

static int print_playbook(const char *path, bool json, bool source)
{
    struct error err = ERROR_INIT;
    struct playbook *p = NULL;

    if (source)
        return print_source(path);
    if ((path ? playbook_load(path, &p, &err) : playbook_builtin(&p, &err)) < 0)
        return command_failed(&err, json, "config");
    if (json)
        print_json(cJSON_Duplicate(p->tree, true));
    else
        show(p, path);
    playbook_unref(p);
    return EXIT_OK;
}

static int playbook_show(const struct common_options *common, int argc, char **argv)
{
    bool json = false, source = false;
    const struct app_option options[] = { { "--json", &json, NULL },
                                          { "--source", &source, NULL } };
    int n = app_options_read("playbook show", options, ARRAY_LEN(options), argc, argv, 1);
    struct config *config;

    if (n >= 0 && json && source) {
        fprintf(stderr,
                "dbconn playbook show: either --json or --source; see dbconn playbook --help\n");
        n = -1;
    }
    if (n < 0)
        return EXIT_USAGE;
    if (n == 1)
        return print_playbook(argv[1], json, source);
    config = load_config_quietly(common);
    if (!config)
        return EXIT_USAGE;
    int exit_code = print_playbook(config_str(config, "playbook.path"), json, source);
    config_free(config);
    return exit_code;
}

/* ---- lint ---- */

/* Lines about what is doubtful; -1 when the file cannot be used, with the reason in `out`. */
static long lint_text(const char *path, const char *text, struct buf *out)
{
    struct playbook *p = NULL, *builtin = NULL;
    struct error err = ERROR_INIT;
    struct jsonc doc = { 0 };
    long n = -1;

    if (playbook_parse(path, text, &p, &err) < 0 || playbook_builtin(&builtin, &err) < 0 ||
        jsonc_parse(path, text, &doc, &err) < 0)
        buf_addf(out, "%s\n", error_text(&err));
    else
        n = (long)playbook_lint(&doc, builtin, out);
    jsonc_clear(&doc);
    playbook_unref(p);
    playbook_unref(builtin);
    error_clear(&err);
    return n;
}

static int lint_file(const char *path)
{
    struct error err = ERROR_INIT;
    struct buf text = BUF_INIT, said = BUF_INIT;

    if (file_read(path, MAX_BYTES, &text, &err) < 0)
        return command_failed(&err, false, "config");
    long n = lint_text(path, buf_str(&text), &said);
    fputs(buf_str(&said), stdout);
    if (n < 0)
        printf("%s cannot be used.\n", path);
    else if (n > 0)
        printf("%s can be used; %ld %s doubtful.\n", path, n,
               n == 1 ? "thing in it is" : "things in it are");
    else
        printf("%s is sound.\n", path);
    buf_clear(&text);
    buf_clear(&said);
    return n == 0 ? EXIT_OK : EXIT_NOT_DONE;
}

static int playbook_lint_command(const struct common_options *common, int argc, char **argv)
{
    int n = app_options_read("playbook lint", NULL, 0, argc, argv, 1);

    (void)common;
    if (n == 0)
        fprintf(stderr, "dbconn playbook lint: which file?\n");
    return n <= 0 ? EXIT_USAGE : lint_file(argv[1]);
}

/* ---- facts ---- */

static void facts_json(void)
{
    cJSON *doc = cJSON_CreateObject(), *list = json_put_array(doc, "facts");

    for (size_t i = 0; i < n_fact_helps; i++) {
        cJSON *obj = cJSON_CreateObject();
        json_put_str(obj, "name", fact_helps[i].name);
        json_put_str(obj, "step", fact_helps[i].step);
        json_put_str(obj, "kind", fact_helps[i].kind);
        json_put_str(obj, "meaning", fact_helps[i].meaning);
        cJSON_AddItemToArray(list, obj);
    }
    print_json(doc);
}

static int playbook_facts(const struct common_options *common, int argc, char **argv)
{
    bool json = false;
    const struct app_option options[] = { { "--json", &json, NULL } };
    struct table t = { .n_columns = 4 };

    (void)common;
    if (app_options_read("playbook facts", options, ARRAY_LEN(options), argc, argv, 0) < 0)
        return EXIT_USAGE;
    if (json) {
        facts_json();
        return EXIT_OK;
    }
    table_cell(&t, "FACT");
    table_cell(&t, "KIND");
    table_cell(&t, "STEP");
    table_cell(&t, "MEANING");
    for (size_t i = 0; i < n_fact_helps; i++) {
        table_cell(&t, fact_helps[i].name);
        table_cell(&t, fact_helps[i].kind);
        table_cell(&t, fact_helps[i].step);
        table_cell(&t, fact_helps[i].meaning);
    }
    print_table(&t);
    return EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct app_subcommand subcommands[] = {
        { "show", playbook_show },
        { "lint", playbook_lint_command },
        { "facts", playbook_facts },
    };

    return subcommand_run(&command_playbook, subcommands, ARRAY_LEN(subcommands), argc, argv);
}

const struct app_command command_playbook = {
    "playbook",
    "what the playbook says, and whether a copy of it is sound",
    "Usage: dbconn playbook show [FILE] [--json | --source] [--config FILE]\n"
    "       dbconn playbook lint FILE\n"
    "       dbconn playbook facts [--json]\n"
    "\n"
    "A playbook declares the steps of an investigation and how their evidence is weighed.\n"
    "docs/playbooks.md explains every member.\n"
    "\n"
    "  show           steps, causes, signals and caps of FILE (default: playbook.path, else\n"
    "                 the built-in one)\n"
    "    --json         the document without its comments\n"
    "    --source       the document as it was written: the start for a copy of one's own\n"
    "  lint           names what makes FILE unusable, with its line; then what is doubtful:\n"
    "                 members nobody reads, facts no step writes, answers never possible\n"
    "  facts          what the steps find out and conditions may ask for\n"
    "\n"
    "Exit code: 0 done, 1 lint found something, 2 usage, or a file that cannot be read.\n",
    run,
};
