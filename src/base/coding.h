/*
 * Content codings (RFC 9110 8.4.1): what Quintet writes, one row each. HTTP's negotiation (http/encoding.h), the encoders (pack/) and the names of
 * precompressed files share them.
 */
#ifndef QUINTET_BASE_CODING_H
#define QUINTET_BASE_CODING_H

#include "base/str.h"

/* In order of preference, the least preferred first. */
enum coding { CODING_IDENTITY, CODING_GZIP, CODING_ZSTD, CODING_BR, CODINGS };

#define CODING_BIT(coding) (1u << (coding))
#define CODING_ALL (CODING_BIT(CODING_GZIP) | CODING_BIT(CODING_ZSTD) | CODING_BIT(CODING_BR))

struct str coding_name(enum coding coding);   /* as in Content-Encoding: "br" */
struct str coding_suffix(enum coding coding); /* of a precompressed file: ".br"; identity: "" */

#endif
