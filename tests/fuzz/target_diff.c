/* Diffs, and the settings that they change. */
#include <string.h>

#include "dbconn/analysis/diff.h"
#include "dbconn/analysis/settings.h"
#include "dbconn/base/alloc.h"
#include "fuzz.h"

static void check_span(const struct diff_span *span, const char *text, size_t len)
{
    FUZZ_CHECK(span->len == 0 || (span->text >= text && span->text + span->len <= text + len));
}

static void check_patch(const char *text, size_t len)
{
    struct diff_patch p;

    diff_patch_read(text, len, &p);
    FUZZ_CHECK(p.n_lines <= DIFF_MAX_LINES);
    for (size_t i = 0; i < p.n_hunks; i++) {
        FUZZ_CHECK(p.hunks[i].first_line + p.hunks[i].n_lines <= p.n_lines);
        check_span(&p.hunks[i].section, text, len);
    }
    for (size_t i = 0; i < p.n_lines; i++)
        check_span(&p.lines[i].span, text, len);
    diff_patch_clear(&p);
}

static void read_settings(const struct diff_files *files)
{
    static const char *const services[] = { "shop" }, *const hosts[] = { "db-1", "10.0.0.5" };
    static const struct change_context ctx = { .environment = "production",
                                               .services = services,
                                               .n_services = 1,
                                               .engine = "postgresql",
                                               .hosts = hosts,
                                               .n_hosts = 2,
                                               .port = "5432",
                                               .database = "shop",
                                               .user = "app" };
    struct changed_file *changed = xcalloc(files->n + 1, sizeof(*changed));
    struct settings_report report;

    for (size_t i = 0; i < files->n; i++) {
        const struct diff_file *f = &files->items[i];
        changed[i] = (struct changed_file){ .path = f->path,
                                            .previous_path = f->old_path,
                                            .patch = f->patch.len ? f->patch.text : NULL,
                                            .patch_len = f->patch.len,
                                            .added = f->status == DIFF_NEW,
                                            .removed = f->status == DIFF_DELETED,
                                            .binary = f->binary };
    }
    settings_read(changed, files->n, &ctx, &report);
    FUZZ_CHECK(report.n_changes <= SETTINGS_MAX_CHANGES);
    for (size_t i = 0; i < report.n_changes; i++) {
        const struct setting_change *c = &report.changes[i];
        FUZZ_CHECK(c->file && c->key);
        FUZZ_CHECK(c->harmless != HARMLESS_NOT || c->old_value || c->new_value);
        FUZZ_CHECK((c->harmless == HARMLESS_NOT) == !c->harmless_why);
    }
    settings_report_clear(&report);
    free(changed);
}

void fuzz_diff(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct diff_files files;

    check_patch(text, size);
    diff_files_read(text, size, &files);
    for (size_t i = 0; i < files.n; i++) {
        check_span(&files.items[i].patch, text, size);
        FUZZ_CHECK(files.items[i].path);
        check_patch(files.items[i].patch.text, files.items[i].patch.len);
    }
    read_settings(&files);
    diff_files_clear(&files);

    struct fuzz_input in = { data, size };
    char *message = fuzz_rest(&in);
    (void)diff_message_reverts(message);
    free(message);
}
