/* Names and addresses in the text of a log line. */
#ifndef DBCONN_ANALYSIS_LOGLINE_NAMES_H
#define DBCONN_ANALYSIS_LOGLINE_NAMES_H

#include "dbconn/analysis/logline.h"

/*
 * The next host name or IP address from *at on; *at moves past it. Names have a letter and a dot or
 * a dash, or follow a word that announces a host (host=, server, endpoint, pod/). false at the end.
 * Roles: by the words around it, MENTION_PEER otherwise.
 */
bool logline_next_name(const char **at, const char *end, struct log_mention *ret);

/* "Aug 18 10:02:58 pg-1 kernel: ...": the host and the program of a syslog line (RFC 3164). */
struct syslog_prefix {
    const char *host, *program;
    size_t host_len, program_len; /* 0: it is no such line */
    const char *text;             /* what follows, or the whole line */
};
void syslog_prefix_read(const char *message, struct syslog_prefix *ret);

#endif
