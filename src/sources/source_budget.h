/*
 * source_budget - how much the results of one job may take together.
 *
 * Each call's memory is charged to its owner's account while it lives, held results included. Above
 * the limit nothing further is read for that owner: lists end, calls are not sent.
 */
#ifndef SOURCES_SOURCE_BUDGET_H
#define SOURCES_SOURCE_BUDGET_H

#include "dbconn/sources/source.h"

struct source_account;

/* The owner's account, made when it has none; each needs one source_account_release(). NULL for no
 * budget and for owner 0. */
struct source_account *source_account_open(struct source_budget *budget, uint64_t owner);
void source_account_release(struct source_account *account); /* NULL is fine */
void source_account_add(struct source_account *account, size_t bytes);
void source_account_take(struct source_account *account, size_t bytes);
bool source_account_is_full(const struct source_account *account); /* NULL never is */
size_t source_account_limit(const struct source_account *account);

#endif
