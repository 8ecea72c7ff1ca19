/*
 * playbook_lint - what is doubtful about a playbook that can be used: members that nobody reads,
 * facts that no step writes, values that can never be.
 *
 * What makes a playbook unusable is found by playbook_parse(). Pure.
 */
#ifndef DBCONN_APP_PLAYBOOK_LINT_H
#define DBCONN_APP_PLAYBOOK_LINT_H

#include "dbconn/base/jsonc.h"
#include "dbconn/playbook/playbook.h"

/* Appends a line "FILE:LINE: MEMBER: what" for each doubt and gives their number. `builtin` is the
 * document that ships: what it names is known. */
size_t playbook_lint(const struct jsonc *doc, const struct playbook *builtin, struct buf *out);

#endif
