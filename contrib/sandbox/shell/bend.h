/* bend - answers that are wrong in a way of their own: a fault's "bend". */
#ifndef SANDBOX_SHELL_BEND_H
#define SANDBOX_SHELL_BEND_H

#include <stdbool.h>

#include "shell/http.h"

/*
 * types      every value has another type: texts become numbers, numbers texts, arrays objects
 * nulls      every value but those at the top is null
 * deep       50,000 arrays, each in the one before
 * duplicate  every member of an object stands there twice, first as null
 * gzip       300 KB that unpack to 50 MB
 */
bool bend_is_known(const char *how);
void bend(const char *how, struct reply *reply);

#endif
