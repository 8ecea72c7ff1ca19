/* slack_front - a front before the sandbox's Slack: one for the Web API, one for the socket. */
#ifndef TESTS_FAULTS_SLACK_FRONT_H
#define TESTS_FAULTS_SLACK_FRONT_H

#include "list.h"

#define GOOD_S 86400

struct slack_front {
    struct front api, socket;
    const char *api_host, *socket_host; /* NULL: localhost */
    char *http, *ws;                    /* where the sandbox itself is */
    char *wss;                          /* what the bot is told instead */
};

/* Both good; the bot's environment points to them. The configuration is the test's. */
void slack_front_start(struct stage *s, struct slack_front *f);
void slack_front_stop(struct slack_front *f);

/* Another one at the same address; every connection to the old one is cut. */
void slack_front_api(struct slack_front *f, enum front_kind kind, long valid_s);
void slack_front_socket(struct slack_front *f, long valid_s);

/* The status of a path at the bot's own port (DBCONN_METRICS_LISTEN=127.0.0.1:0); 0: no answer. */
long bot_status_of(struct stage *s, const char *path);

#endif
