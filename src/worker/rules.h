/*
 * What PEP 3333 and RFC 9110 say about the bytes of a status line and of header fields. Pure C, no Python.
 *
 * Each check returns NULL when the bytes are fine, else a static text that names the broken rule, to be followed by the value in the log.
 */
#ifndef QUINTET_WORKER_RULES_H
#define QUINTET_WORKER_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* "200 OK" → 200 and "OK"; the reason may be empty, the space before it may not. Final statuses only: 200 … 599. */
const char *rules_status(struct str status, uint16_t *code, struct str *reason);
/* A token (RFC 9110 section 5.1) that is not hop-by-hop (PEP 3333, "Other HTTP Features"). */
const char *rules_field_name(struct str name);
/* No control byte but HTAB (RFC 9110 section 5.5; PEP 3333 forbids them in values). */
const char *rules_field_value(struct str value);
bool rules_is_ascii(struct str s);
/* No body follows such a status, whatever its fields say (RFC 9112 section 6.3). */
bool rules_bodyless(uint16_t status);

#endif
