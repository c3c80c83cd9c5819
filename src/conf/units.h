/*
 * Durations and sizes as people write them, and back.
 */
#ifndef QUINTET_CONF_UNITS_H
#define QUINTET_CONF_UNITS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/str.h"

/* "30s", "5m", "250ms", "2h", "1d"; a bare number is seconds; "1.5s" is allowed. Nanoseconds. 0, -EINVAL, -ERANGE. */
MUST_CHECK int units_duration_parse(struct str text, uint64_t *ns);
/* "512k", "10m", "2g"; a bare number is bytes; 1024-based, any case, an optional final "b" or "ib". 0, -EINVAL, -ERANGE. */
MUST_CHECK int units_size_parse(struct str text, uint64_t *bytes);
MUST_CHECK int units_duration_write(struct buf *out, uint64_t ns); /* shortest exact form: "30s", "250ms", "1m" */
MUST_CHECK int units_size_write(struct buf *out, uint64_t bytes);  /* "100m", "16k", "1000" */

#endif
