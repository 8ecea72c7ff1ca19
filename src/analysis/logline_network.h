#ifndef DBCONN_ANALYSIS_LOGLINE_NETWORK_H
#define DBCONN_ANALYSIS_LOGLINE_NETWORK_H

#include "dbconn/analysis/logline.h"
#include "haystack.h"

/* Does the line name a thing of the network and say that something is wrong with it? For lines that
 * no rule knows; whether it has to do with the errors is told by its time. */
bool line_tells_network_trouble(const struct haystack *h);

/* Was it written by a program that makes or watches paths of the network (`program`: as syslog
 * names it, may be NULL), and does it say that something failed? */
bool line_is_of_network_program(const struct log_record *r, const char *program, size_t len);
bool line_tells_program_failure(const struct haystack *h);
/* Does the kernel tell of a network card that fails? For the kernel's lines. */
bool line_tells_driver_trouble(const struct haystack *h);

#endif
