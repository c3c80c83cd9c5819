/*
 * Replays one message to the parser cut in every way that matters: whole, byte by byte, and at random places. All must
 * give the same answer and the same head, each with the message in fresh memory of exact size, so that a sanitizer sees
 * any look past the end.
 */
#ifndef QUINTET_TESTS_REPLAY_H
#define QUINTET_TESTS_REPLAY_H

#include "http/h1.h"

struct replay {
    enum h1_result result;
    struct h1_parser parser;
    struct http_head head;
};

/* Fails the running test when two cuts disagree. `seed` makes the random cuts; it is printed on failure. */
struct replay replay_head(struct str message, const struct h1_limits *limits, unsigned seed);

struct replay_body {
    enum h1_result result;
    unsigned status;
    size_t used; /* bytes of the message that belong to the body; with H1_ERROR: up to and with the offending one */
    size_t n;
    char data[64 << 10]; /* what was delivered */
};

/* The same for a body of the kind and length in `head`. */
void replay_body(struct str message, const struct http_head *head, unsigned seed, struct replay_body *out);

#endif
