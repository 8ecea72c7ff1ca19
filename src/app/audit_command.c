/* dbconn audit: the log of who asked for what. */
#include "audit_key.h"
#include "jobs.h"

#include <stdio.h>

#include "dbconn/app/state_dir.h"
#include "dbconn/base/clock.h"
#include "dbconn/base/json.h"
#include "dbconn/base/text.h"

#define PAGE 1000

/* Calls `take` for every entry from `seq` on, oldest first, until it gives -1. */
typedef int take_fn(void *user, const struct audit_entry *entry, struct error *err);

static int each_entry(struct store *st, int64_t seq, take_fn *take, void *user, struct error *err)
{
    bool more = true;

    while (more) {
        struct audit_list list = { 0 };
        int rc = store_audit_list(st, seq, PAGE, &list, err) < 0 ? -1 : 0;
        for (size_t i = 0; rc == 0 && i < list.n; i++)
            rc = take(user, &list.items[i], err);
        more = list.n == PAGE;
        seq = list.n ? list.items[list.n - 1].seq + 1 : seq;
        audit_list_clear(&list);
        if (rc < 0)
            return -1;
    }
    return 0;
}

/* ---- verify ---- */

struct verifying {
    struct audit_check check;
    struct audit_key key;
    int64_t head_seq; /* one that was noted elsewhere; 0: none */
    const char *head_hash;
    bool head_found;
};

static int verify_entry(void *user, const struct audit_entry *e, struct error *err)
{
    struct verifying *v = user;

    if (audit_check_next(&v->check, &v->key, e, err) < 0)
        return -1;
    v->head_found |= e->seq == v->head_seq && text_same(e->hash, v->head_hash);
    return 0;
}

static int load_key(struct jobs *j, struct audit_key *ret)
{
    char *url = state_dir_store_url(j->config, false, &j->err);
    int rc = url ? audit_key_load(j->config, url, false, ret, &j->err) : -1;

    free(url);
    return rc;
}

static int verify(struct jobs *j, struct verifying *v)
{
    if (load_key(j, &v->key) < 0 || each_entry(j->store, 1, verify_entry, v, &j->err) < 0 ||
        audit_check_end(&v->check, &j->err) < 0)
        return jobs_failed(j);
    if (v->head_seq && !v->head_found && v->head_seq >= v->check.first_seq) {
        error_set(&j->err, ERR_INVALID,
                  "entry %lld with that hash is not there: the log was cut or written anew",
                  (long long)v->head_seq);
        return jobs_failed(j);
    }
    if (j->json) {
        cJSON *doc = cJSON_CreateObject();
        json_put_i64(doc, "entries", v->check.n);
        json_put_i64(doc, "first", v->check.first_seq);
        json_put_i64(doc, "last", v->check.seq);
        json_put_str(doc, "hash", v->check.hash);
        char *text = json_print(doc);
        puts(text);
        free(text);
        cJSON_Delete(doc);
    } else {
        printf("%lld entries, unchanged and without a gap. The newest is %lld:%s\n",
               (long long)v->check.n, (long long)v->check.seq, v->check.hash);
    }
    return EXIT_OK;
}

static int audit_verify(const struct common_options *common, int argc, char **argv)
{
    const char *head = NULL;
    bool json = false;
    const struct app_option options[] = { { "--json", &json, NULL }, { "--head", NULL, &head } };
    struct verifying v = { .head_seq = 0 };
    struct jobs j;

    if (app_options_read("audit verify", options, ARRAY_LEN(options), argc, argv, 0) < 0)
        return EXIT_USAGE;
    if (head) {
        const char *colon = strchr(head, ':');
        v.head_seq = strtoll(head, NULL, 10);
        v.head_hash = colon ? colon + 1 : "";
        if (v.head_seq <= 0 || !*v.head_hash) {
            fprintf(stderr,
                    "dbconn audit verify: --head must be NUMBER:HASH as the log says it, "
                    "not \"%s\"\n",
                    head);
            return EXIT_USAGE;
        }
    }
    int exit_code = jobs_open(common, json, &j);
    if (j.store)
        exit_code = verify(&j, &v);
    audit_key_wipe(&v.key);
    jobs_close(&j);
    return exit_code;
}

/* ---- list, export ---- */

struct listing {
    int64_t since_ms;
    bool lines;
};

static const char *or_dash(const cJSON *doc, const char *key)
{
    const char *s = json_str(doc, key);

    return s && *s ? s : "-";
}

static int print_entry(void *user, const struct audit_entry *e, struct error *err)
{
    const struct listing *l = user;
    struct buf line = BUF_INIT;

    (void)err;
    if (e->at_ms < l->since_ms)
        return 0;
    if (l->lines) {
        audit_line(e, &line);
        fputs(buf_str(&line), stdout);
    } else {
        cJSON *doc = cJSON_Parse(e->payload);
        buf_addf(&line, "%6lld  ", (long long)e->seq);
        time_format_iso(e->at_ms, &line);
        buf_addf(&line, "  %-13s %-11s %-12s %-12s %-10s %s", or_dash(doc, "event"),
                 or_dash(doc, "what"), or_dash(doc, "who"), or_dash(doc, "channel"),
                 or_dash(doc, "outcome"), or_dash(doc, "subject"));
        struct buf clean = BUF_INIT;
        text_clean(buf_str(&line), true, &clean);
        puts(buf_str(&clean));
        buf_clear(&clean);
        cJSON_Delete(doc);
    }
    buf_clear(&line);
    return 0;
}

static int print_all(const struct common_options *common, const char *name, bool lines, int argc,
                     char **argv)
{
    const char *since = NULL;
    const struct app_option options[] = { { "--since", NULL, &since } };
    struct listing l = { .since_ms = INT64_MIN, .lines = lines };
    int64_t age_ms;
    struct jobs j;

    if (app_options_read(name, options, ARRAY_LEN(options), argc, argv, 0) < 0)
        return EXIT_USAGE;
    if (since && !age_parse(since, &age_ms)) {
        fprintf(stderr, "dbconn %s: --since must be an age such as 36h or 90d, not \"%s\"\n", name,
                since);
        return EXIT_USAGE;
    }
    if (since)
        l.since_ms = clock_wall_ms() - age_ms;
    int exit_code = jobs_open(common, false, &j);
    if (j.store && each_entry(j.store, 1, print_entry, &l, &j.err) < 0)
        exit_code = jobs_failed(&j);
    jobs_close(&j);
    return exit_code;
}

static int audit_list(const struct common_options *common, int argc, char **argv)
{
    return print_all(common, "audit list", false, argc, argv);
}

static int audit_export(const struct common_options *common, int argc, char **argv)
{
    return print_all(common, "audit export", true, argc, argv);
}

static int run(int argc, char **argv)
{
    static const struct app_subcommand subcommands[] = {
        { "verify", audit_verify },
        { "list", audit_list },
        { "export", audit_export },
    };

    return subcommand_run(&command_audit, subcommands, ARRAY_LEN(subcommands), argc, argv);
}

const struct app_command command_audit = {
    "audit",
    "who asked for what: verify, list, export",
    "Usage: dbconn audit verify [--head NUMBER:HASH] [--json]\n"
    "       dbconn audit list [--since AGE]\n"
    "       dbconn audit export [--since AGE]\n"
    "\n"
    "The bot notes who asked for what, where, what came of it and which sources were asked;\n"
    "help is not noted. Each entry carries a keyed hash (audit.key) over itself and the one\n"
    "before it.\n"
    "\n"
    "  verify         finds a changed entry, a gap and a missing beginning\n"
    "    --head N:HASH  and whether this entry is still there: dbconn serve logs the newest\n"
    "                   one from time to time (audit.head), so that a cut end shows\n"
    "    --json         for scripts\n"
    "  list           one line each, oldest first\n"
    "  export         as lines of JSON, with what was hashed\n"
    "    --since AGE    only the last 36h, 90d, ...\n"
    "\n"
    "  --config FILE  configuration; environment variables override it\n"
    "\n"
    "Exit code: 0 done, 1 the log is not as it was written, or the store does not work,\n"
    "2 usage or configuration.\n",
    run,
};
