/* The entry points of libFuzzer. The environment's FUZZ_TARGET names the target. */
#include <stdio.h>
#include <stdlib.h>

#include "dbconn/base/log.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fuzz_target *target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("FUZZ_TARGET");

    (void)argc;
    (void)argv;
    log_set_level(LOG_NONE);
    target = name ? fuzz_target_find(name) : NULL;
    if (!target) {
        fprintf(stderr, "FUZZ_TARGET must be one of");
        for (size_t i = 0; i < n_fuzz_targets; i++)
            fprintf(stderr, " %s", fuzz_targets[i].name);
        fprintf(stderr, "\n");
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target->run(data, size);
    return 0;
}
