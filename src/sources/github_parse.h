/*
 * github_parse - reading GitHub's answers, beyond what github.h offers to everybody. Pure.
 */
#ifndef SOURCES_GITHUB_PARSE_H
#define SOURCES_GITHUB_PARSE_H

#include <cjson/cJSON.h>

#include "dbconn/sources/github.h"
#include "source_mem.h"

#define GITHUB_MAX_FILES 3000 /* as many as GitHub lists of one commit or pull request */

struct github_file_list {
    struct github_file *items;
    size_t n, cap;
};

void github_read_file(const cJSON *json, struct source_mem *mem, struct github_file *ret);
/* Everything but the files. */
int github_read_commit(const cJSON *json, struct source_mem *mem, struct github_commit *ret,
                       struct error *err) MUST_CHECK;
int github_read_pull(const cJSON *json, struct source_mem *mem, struct github_pull *ret,
                     struct error *err) MUST_CHECK;
/* Adds a file; what is none is left out. false when there are `max` of them already. */
bool github_add_file(const cJSON *json, struct source_mem *mem, struct github_file_list *to,
                     size_t max);

/* What the functions above read of an answer, as paths of json_stream.h. */
extern const char *const github_wanted_commit[],
    *const github_wanted_pull[], *const github_wanted_pulls[], *const github_wanted_files[],
                                                                   *const github_wanted_compare[];

#endif
