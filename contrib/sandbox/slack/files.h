/*
 * files - uploads in three steps: an upload URL, the bytes, and where to show them.
 * https://docs.slack.dev/reference/methods/files.getUploadURLExternal and .completeUploadExternal
 */
#ifndef SANDBOX_SLACK_FILES_H
#define SANDBOX_SLACK_FILES_H

#include "shell/http.h"
#include "slack/slack.h"

struct files *files_new(void);
void files_free(struct files *files);
/* Is there an uploaded and completed file of that id? */
bool files_has(const struct files *files, const char *id);
/* POST /upload/v1/<key>: plain text answers, as at Slack. */
void files_upload(struct slack *slack, const char *key, const struct request *req,
                  struct reply *reply);
/* The bytes of a file, for people who look (and the tests). NULL when there is none. Lent. */
const struct buf *files_bytes(const struct files *files, const char *id, const char **ret_name);
cJSON *files_list(const struct files *files); /* caller's */

#endif
