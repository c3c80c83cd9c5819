/*
 * Compression on the fly: what is worth it, for whom, and with which fields (RFC 9110 8.4, 8.8.3.3, 12.5.3, 12.5.5).
 *
 * compress_filter runs when a response's head is complete and all other filters have run. compress_body.h does the work on the bytes.
 */
#ifndef QUINTET_EDGE_FILTER_COMPRESS_H
#define QUINTET_EDGE_FILTER_COMPRESS_H

#include <stdint.h>

struct exchange;

#define COMPRESS_FILE_MAX                                                                                              \
    (INT64_C(1) << 20)                      /* longer files go by sendfile: whoever wants them smaller makes siblings */
#define COMPRESS_APP_MAX (INT64_C(8) << 20) /* of an answer whose length is known */
#define COMPRESS_PADDING_MAX 100            /* bytes, as Django's own middleware adds */

void compress_filter(struct exchange *ex);

#endif
