/* world - the scenario that these tests play: an incident of the sandbox's, with twins of its issue
 * and channels to ask in. */
#ifndef DBCONN_CRASH_WORLD_H
#define DBCONN_CRASH_WORLD_H

#include <stddef.h>

#define WORLD_SCENARIO "contrib/sandbox/scenarios/deployment-config-change.json"

struct world_size {
    size_t issues, channels;
    size_t events;     /* that a twin keeps of the issue's; 0: all */
    size_t log_copies; /* of each line of the logs, besides itself */
};

/* Writes it to `path`. */
void world_write(const char *path, const struct world_size *size);
#define WORLD_FIRST_ISSUE 1000 /* "SHOP-T1000" */
/* Issue i's short id and channel i's id; heap. */
char *world_issue(size_t i);
char *world_channel(size_t i);

#endif
