/* tristate - an answer that may be missing. Nobody may read UNKNOWN as NO. */
#ifndef DBCONN_BASE_TRISTATE_H
#define DBCONN_BASE_TRISTATE_H

enum tristate { UNKNOWN, NO, YES };

#endif
