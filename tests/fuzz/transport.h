/*
 * transport - an HTTP client (net/http.h) without a network, for fuzzing what reads the answers.
 *
 * It stands in for net/http.c when the fuzz program is linked. The input is a list of answers:
 *
 *     === /issues/77/events/ 200
 *     Link: <https://sentry.io/x>; rel="next"; results="true"; cursor="0:1:0"
 *
 *     [{"id": "1"}]
 *
 * A request gets the first one whose text occurs in its URL, again and again; one that none fits
 * fails as a refused connection does.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include "dbconn/net/http.h"
#include "fuzz.h"

#define TRANSPORT_MAX_REQUESTS 300 /* of one run; later ones fail */

/* Takes what is left of the input. The caller owns it (transport_free()). */
struct http *transport_new(struct fuzz_input *in);
void transport_free(struct http *http);
/* Answers until nothing is asked any more. */
void transport_run(struct http *http);

#endif
