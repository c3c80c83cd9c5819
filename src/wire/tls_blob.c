/* Reader and writer of the certificates' blob; the form is in the header. */
#include "wire/tls_blob.h"

#include <errno.h>
#include <stdint.h>

static int put_u32(struct buf *out, size_t n)
{
    unsigned char b[4] = { (unsigned char)(n >> 24), (unsigned char)(n >> 16), (unsigned char)(n >> 8),
                           (unsigned char)n };

    return buf_add(out, b, sizeof(b));
}

static int put_pair(struct buf *out, const struct tls_blob_pair *pair)
{
    const struct str pieces[] = { pair->label, pair->cert_pem, pair->key_pem };
    int error = 0;

    for (size_t i = 0; i < ARRAY_LEN(pieces) && error == 0; i++)
        error = pieces[i].n <= TLS_BLOB_MAX ? put_u32(out, pieces[i].n) : -EMSGSIZE;
    for (size_t i = 0; i < ARRAY_LEN(pieces) && error == 0; i++)
        error = buf_add_str(out, pieces[i]);
    return error;
}

int tls_blob_write(struct buf *out, const struct tls_blob *blob)
{
    int error = put_u32(out, blob->client_auth);

    if (blob->n > TLS_BLOB_PAIRS_MAX)
        return -EMSGSIZE;
    if (error == 0)
        error = put_pair(out, &blob->client_ca);
    for (size_t i = 0; i < blob->n && error == 0; i++)
        error = put_pair(out, &blob->pairs[i]);
    return error;
}

/* Takes n bytes off the front of *rest. */
static int take(struct str *rest, size_t n, struct str *out)
{
    if (n > rest->n)
        return -EPROTO;
    *out = str_make(rest->p, n);
    *rest = str_make(rest->p + n, rest->n - n);
    return 0;
}

static int take_u32(struct str *rest, size_t *n)
{
    struct str bytes;
    const unsigned char *b;

    if (take(rest, 4, &bytes) != 0)
        return -EPROTO;
    b = (const unsigned char *)bytes.p;
    *n = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    return 0;
}

static int take_pair(struct str *rest, struct tls_blob_pair *pair)
{
    struct str *pieces[] = { &pair->label, &pair->cert_pem, &pair->key_pem };
    size_t sizes[ARRAY_LEN(pieces)];

    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        if (take_u32(rest, &sizes[i]) != 0)
            return -EPROTO;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        if (take(rest, sizes[i], pieces[i]) != 0)
            return -EPROTO;
    return 0;
}

int tls_blob_read(struct str bytes, struct tls_blob *out)
{
    struct str rest = bytes;
    size_t auth;

    out->n = 0;
    if (bytes.n > TLS_BLOB_MAX || take_u32(&rest, &auth) != 0 || auth > TLS_BLOB_AUTH_MAX)
        return -EPROTO;
    out->client_auth = (uint32_t)auth;
    if (take_pair(&rest, &out->client_ca) != 0 || out->client_ca.key_pem.n > 0)
        return -EPROTO;
    while (rest.n > 0) {
        if (out->n == TLS_BLOB_PAIRS_MAX || take_pair(&rest, &out->pairs[out->n]) != 0)
            return -EPROTO;
        out->n++;
    }
    return 0;
}
