/* front_internal - one HTTP/2 connection, until it ends. */
#ifndef TESTS_FAULTS_FRONT_INTERNAL_H
#define TESTS_FAULTS_FRONT_INTERNAL_H

#include <openssl/ssl.h>

#include "front.h"

void front_http2(SSL *ssl, const struct front_options *options);

#endif
