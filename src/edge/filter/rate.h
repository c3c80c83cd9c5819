/*
 * The RateLimit fields (draft-ietf-httpapi-ratelimit-headers-10): told with every answer of a route that has rate limits, so that a client which reads them
 * need not run into one.
 */
#ifndef QUINTET_EDGE_FILTER_RATE_H
#define QUINTET_EDGE_FILTER_RATE_H

struct exchange;

/* Nothing where no rule was asked, or where the application sends such fields of its own. */
void rate_filter(struct exchange *ex);

#endif
