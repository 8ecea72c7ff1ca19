/* blocks_internal - shared by the sources of blocks.h. */
#ifndef BLOCKS_INTERNAL_H
#define BLOCKS_INTERNAL_H

#include "dbconn/slack/blocks.h"

#define TEXT_MAX 3000
#define CHART_CATEGORIES 20

cJSON *block_new(const char *type); /* {"type": type} */
cJSON *object_in(cJSON *array);     /* a new object at its end */
cJSON *text_plain(const char *text, size_t max);
/* Adds a finished block, or counts it as omitted and deletes it when there is no room. */
void blocks_add(struct blocks *b, cJSON *block);

#endif
