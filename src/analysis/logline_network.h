#ifndef DBCONN_ANALYSIS_LOGLINE_NETWORK_H
#define DBCONN_ANALYSIS_LOGLINE_NETWORK_H

#include "haystack.h"

/* Does the line name a thing of the network and say that something is wrong with it? For lines that
 * no rule knows; whether it has to do with the errors is told by its time. */
bool line_tells_network_trouble(const struct haystack *h);

#endif
