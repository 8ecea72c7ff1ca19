/* names - a machine with a network, a resolv.conf and a name server of its own, until the test
 * program ends. */
#ifndef TESTS_FAULTS_NAMES_H
#define TESTS_FAULTS_NAMES_H

#include <stdbool.h>
#include <sys/types.h>

struct names {
    pid_t pid;
    char *dir;
    char *silence; /* while this file is there nobody is answered */
};

/*
 * This process, and all that it starts from now on, moves to namespaces of its own, where every
 * name is 127.0.0.1. `dir`, an empty one, holds a few
 * small files and goes with names_stop(); `resolver_options` is a line of resolv.conf(5),
 * or "". False where the kernel does not let us: as root
 * it does, and usually as anybody; not in every container.
 */
bool names_start(struct names *names, const char *dir, const char *resolver_options);
void names_stop(struct names *names);

void names_silent(const struct names *names, bool silent);

#endif
