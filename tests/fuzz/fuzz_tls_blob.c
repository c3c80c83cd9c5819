/* Any bytes as the certificates' blob: what is read lies within it, and what is well-formed is written back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/tls_blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(struct str piece, const uint8_t *data, size_t size)
{
    if ((const uint8_t *)piece.p < data || (const uint8_t *)piece.p + piece.n > data + size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_blob blob;
    struct buf out;

    if (tls_blob_read(str_make((const char *)data, size), &blob) != 0)
        return 0;
    within(blob.client_ca.label, data, size);
    within(blob.client_ca.cert_pem, data, size);
    for (size_t i = 0; i < blob.n; i++) {
        within(blob.pairs[i].label, data, size);
        within(blob.pairs[i].cert_pem, data, size);
        within(blob.pairs[i].key_pem, data, size);
    }
    buf_init(&out, TLS_BLOB_MAX);
    if (tls_blob_write(&out, &blob) != 0 || !str_eq(buf_str(&out), str_make((const char *)data, size)))
        abort();
    buf_fini(&out);
    return 0;
}
