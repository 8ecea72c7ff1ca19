/* list - what may go wrong outside, told to the sandbox or to a front before it. */
#ifndef TESTS_FAULTS_LIST_H
#define TESTS_FAULTS_LIST_H

#include "../e2e/harness.h"
#include "front.h"

struct fault {
    const char *name;
    /* One of these three. */
    const char *fault; /* of the sandbox */
    const char *url;   /* instead of the service's */
    const struct front_options *front;
    bool shows;  /* nothing came: a step must say so */
    bool slow;   /* takes the whole budget */
    bool serves; /* everything comes in the end: the cause stays right */
};

extern const struct fault faults[];
extern const size_t n_faults;

/* FAULTS=all: everything, however long it takes. */
bool everything(void);

/* `fault` NULL with `service` NULL: none any more, anywhere. */
void set_faults(struct stage *s, const char *service, const char *fault);
/* A variable of the bot's environment. */
void set_variable(struct stage *s, const char *variable, const char *value);
/* A configuration file with the fronts' CA; `host` of net.allow_hosts, and further sections, ",..."
 * (both may be NULL). Heap. */
char *write_config(struct stage *s, const char *host, const char *more);

#endif
