/*
 * What the parts of a request head mean together: private to h1_request.c and h1_rules.c.
 */
#ifndef QUINTET_HTTP_H1_RULES_H
#define QUINTET_HTTP_H1_RULES_H

#include "http/h1.h"

/* Ends the parser with that answer; returns H1_ERROR. */
enum h1_result h1_refuse(struct h1_parser *parser, uint16_t status, const char *reason);

/* Both: H1_MORE when the rules are kept, else H1_ERROR with status and reason. */
/* Method and target, known once the request line is read: sets target_form, path, query, authority (RFC 9112 3.2). */
enum h1_result h1_check_target(struct h1_parser *parser, const char *bytes, struct http_head *head);
/* Host, body framing, Expect and persistence, once all fields are there. */
enum h1_result h1_check_fields(struct h1_parser *parser, const char *bytes, struct http_head *head);

#endif
