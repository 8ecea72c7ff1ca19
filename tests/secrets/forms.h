/*
 * forms - a corpus of texts with secrets in them, as programs write them, and the search for what
 * is left of the secrets in a program's output.
 *
 * forms.txt holds the texts; the secrets are made up anew for each use of a form, so that one that
 * is found says which form leaked at which place.
 */
#ifndef TESTS_SECRETS_FORMS_H
#define TESTS_SECRETS_FORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dbconn/base/buf.h"

struct forms {
    char **items;
    size_t n, cap;
};

/* Reads tests/secrets/forms.txt (from the top of the tree); fails the test when it cannot. */
void forms_load(struct forms *ret);
void forms_clear(struct forms *forms);

/* What must not come out, with the places it was put in. Zero is an empty one. */
struct secrets {
    struct secret *items;
    size_t n, cap;
    uint64_t random;
    struct needles *needles; /* made by the first search */
};
void secrets_clear(struct secrets *s);

/* `form` with secrets of its own in its gaps, which are kept as used at `place`; heap. */
char *secrets_fill(struct secrets *s, const char *form, const char *place);
/* A secret of this kind ("pw"), kept likewise; heap. */
char *secrets_make(struct secrets *s, const char *kind, const char *place);
/* One that is known already: a token of ours. */
void secrets_add(struct secrets *s, const char *secret, const char *place);

/*
 * Looks for eight bytes in a row of any secret (twelve of one of digits), as they are and as URLs,
 * JSON, HTML and base64 write them. Says what was found where, once for each secret; gives how many
 * secrets were found.
 */
size_t secrets_search(struct secrets *s, const char *where, const void *bytes, size_t len);

#endif
