/*
 * Accept-Encoding (RFC 9110 12.5.3): which content coding a client would have.
 *
 * Without the field, and with an empty one, nothing is encoded: the first says nothing about what the client can decode, the second says that it
 * can decode nothing. A member that is malformed counts as not there; of one that is repeated the first counts. Identity is never refused: who excludes it
 * and can decode none of ours gets it all the same, as 12.5.3 allows.
 */
#ifndef QUINTET_HTTP_ENCODING_H
#define QUINTET_HTTP_ENCODING_H

#include "base/coding.h"
#include "http/head.h"

#define HTTP_Q_MAX 1000 /* weights are in thousandths */

struct http_encodings {
    uint16_t q[CODINGS]; /* 0: not acceptable */
};

/* From all Accept-Encoding fields of the head. */
void http_encodings_read(const struct http_head *head, const char *base, struct http_encodings *out);
/* The coding with the highest weight among those of `have` (CODING_BIT) and identity; at equal weights by the order of enum coding. */
enum coding http_encodings_choose(const struct http_encodings *encodings, unsigned have);
/* A weight, "0.5", in thousandths; -1 for what is none (RFC 9110 12.4.2). */
int http_weight(struct str s);

#endif
