/*
 * redact_private - what the redact*.c files share.
 *
 *   redact.c        the walk through the text, our own secrets, secrets that come up again
 *   redact_name.c   which names of settings say that the value is a secret
 *   redact_value.c  name=value in every quoting, headers, command lines
 *   redact_phrase.c words and options that a secret follows
 *   redact_near.c   secrets beside their name without = or :
 *   redact_people.c e-mail addresses and IPs, when they are to be hidden
 *   redact_token.c  secrets that give themselves away: prefixes, hashes, keys
 *   redact_url.c    where URLs and their credentials end
 *
 * Each reader looks at one position and either takes over from there or leaves it alone. None
 * looks back or ahead further than a fixed number of bytes beyond what it hides, so that the whole
 * stays linear.
 */
#ifndef DBCONN_BASE_REDACT_PRIVATE_H
#define DBCONN_BASE_REDACT_PRIVATE_H

#include "dbconn/base/redact.h"

#define REDACT_MAX_FOUND 16
#define REDACT_MAX_NAME 96 /* bytes of a setting's name */

struct span {
    size_t start, end; /* half open */
};

struct redaction {
    const char *s;
    size_t len;
    size_t at;     /* here the walk is */
    size_t copied; /* up to here `out` has the text */
    struct buf *out;
    struct span found[REDACT_MAX_FOUND]; /* hidden ones; they may come up again elsewhere */
    size_t n_found;
    size_t url_end;     /* of the URL that the walk is in or has left */
    size_t value_until; /* "name: DB_PASSWORD" was read: a "value:" before this offset is secret */
};

/* Replaces [start, end), which begins at or after `at`, and goes on behind it. */
void redact_hide(struct redaction *r, size_t start, size_t end);

bool redact_is_word(char c); /* letters, digits, underscore, all of UTF-8 beyond ASCII */
bool redact_is_blank(char c);
bool redact_is_name_char(char c); /* of a setting's name: also . and - */

bool redact_secret_name(const char *name, size_t len);
/* Is this value no secret: empty, masked already, a reference to a variable, "YES", "null"? */
bool redact_harmless(const char *value, size_t len);

/* The name that ends before offset `end`, without quotes, brackets and blanks. */
bool redact_name_before(const struct redaction *r, size_t end, struct span *ret);
/* How long the quote is that opens at s[0] as written (\", \"\"\"); 0 when none does. */
size_t redact_opening(const char *s);
/* Hide what stands there unless it is harmless; r->at moves to or behind it. */
bool redact_hide_value(struct redaction *r, size_t start, size_t len);
bool redact_hide_quoted(struct redaction *r, size_t at, size_t open);
/* The value at or behind `at`, quoted or bare; `equals`: behind an = */
bool redact_hide_from(struct redaction *r, const struct span *name, size_t at, bool equals);

/* Each is called with r->at at what its name says; true: it moved on. */
bool redact_setting(struct redaction *r);         /* at = or : */
bool redact_element(struct redaction *r);         /* at > of <password> */
bool redact_phrase(struct redaction *r);          /* at the start of a word */
bool redact_person(struct redaction *r);          /* at the start of a word */
bool redact_argument(struct redaction *r);        /* at ( */
bool redact_pair(struct redaction *r);            /* at , */
bool redact_arrow(struct redaction *r);           /* at -> */
bool redact_neighbour(struct redaction *r);       /* at a blank */
bool redact_escaped_setting(struct redaction *r); /* at % */
bool redact_token(struct redaction *r);           /* at the start of a word */
bool redact_key_block(struct redaction *r);       /* at -----BEGIN */

#endif
