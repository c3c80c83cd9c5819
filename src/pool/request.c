/*
 * Requests in a slot's request area:
 *
 *      struct table │ field lengths: n_fields × { name, value } │ vars │ field names and values │ inline body
 *
 * Only lengths are stored: the pieces lie one after another, so there is one sum to check and no two can overlap.
 */
#include "pool/request.h"

#include <errno.h>

#include "pool/layout.h"

struct table {
    uint64_t body_size;
    uint64_t edge_ns;
    uint64_t queued_ns;
    uint32_t body;
    uint32_t flags;
    uint32_t n_fields;
    uint32_t vars[POOL_VAR_COUNT];
};

struct lengths {
    uint32_t name, value;
};

enum { FLAG_HAS_BODY = 1, FLAG_HEAD_ONLY = 2 };

static void table_make(struct table *table, const struct pool_request *request)
{
    table->body_size = request->body == POOL_BODY_INLINE ? request->body_data.n : request->body_size;
    table->edge_ns = request->edge_ns;
    table->queued_ns = request->queued_ns;
    table->body = (uint32_t)request->body;
    table->flags =
        (request->has_body ? (uint32_t)FLAG_HAS_BODY : 0) | (request->head_only ? (uint32_t)FLAG_HEAD_ONLY : 0);
    table->n_fields = request->n_fields;
    for (size_t i = 0; i < POOL_VAR_COUNT; i++)
        table->vars[i] = (uint32_t)request->vars[i].n;
}

static bool fits(const struct pool_request *request)
{
    size_t size = sizeof(struct table), body = request->body == POOL_BODY_INLINE ? request->body_data.n : 0;

    if (request->n_fields > POOL_FIELDS_MAX || body > POOL_INLINE_BODY)
        return false;
    size += request->n_fields * sizeof(struct lengths) + body;
    /* Each addend is checked against the whole, so the sum cannot wrap. */
    for (size_t i = 0; i < POOL_VAR_COUNT && size <= POOL_REQUEST_BYTES; i++)
        size += request->vars[i].n <= POOL_REQUEST_BYTES ? request->vars[i].n : POOL_REQUEST_BYTES;
    for (size_t i = 0; i < request->n_fields && size <= POOL_REQUEST_BYTES; i++) {
        const struct pool_field *field = &request->fields[i];
        size += field->name.n <= POOL_REQUEST_BYTES ? field->name.n : POOL_REQUEST_BYTES;
        size += field->value.n <= POOL_REQUEST_BYTES ? field->value.n : POOL_REQUEST_BYTES;
    }
    return size <= POOL_REQUEST_BYTES;
}

static unsigned char *append(unsigned char *at, const void *bytes, size_t n)
{
    if (n > 0)
        memcpy(at, bytes, n);
    return at + n;
}

int pool_request_write(struct pool *pool, struct pool_ticket ticket, const struct pool_request *request)
{
    unsigned char *at = request_area(pool, ticket.slot);
    struct table table = { 0 };

    if (!fits(request))
        return -EMSGSIZE;
    table_make(&table, request);
    at = append(at, &table, sizeof(table));
    for (size_t i = 0; i < request->n_fields; i++) {
        struct lengths lengths = { (uint32_t)request->fields[i].name.n, (uint32_t)request->fields[i].value.n };
        at = append(at, &lengths, sizeof(lengths));
    }
    for (size_t i = 0; i < POOL_VAR_COUNT; i++)
        at = append(at, request->vars[i].p, request->vars[i].n);
    for (size_t i = 0; i < request->n_fields; i++) {
        at = append(at, request->fields[i].name.p, request->fields[i].name.n);
        at = append(at, request->fields[i].value.p, request->fields[i].value.n);
    }
    if (request->body == POOL_BODY_INLINE)
        append(at, request->body_data.p, request->body_data.n);
    return 0;
}

/* The next n bytes of what is left. After the first piece that does not fit, *rest.p is NULL and stays so. */
static struct str cut(struct str *rest, uint64_t n)
{
    struct str piece = { rest->p, (size_t)n };

    if (rest->p == NULL || n > rest->n) {
        *rest = (struct str){ NULL, 0 };
        return *rest;
    }
    rest->p += n;
    rest->n -= (size_t)n;
    return piece;
}

static int cut_pieces(const struct table *table, const struct lengths *lengths, struct str rest,
                      struct pool_request *out)
{
    for (size_t i = 0; i < POOL_VAR_COUNT; i++)
        out->vars[i] = cut(&rest, table->vars[i]);
    for (size_t i = 0; i < table->n_fields; i++) {
        out->fields[i].name = cut(&rest, lengths[i].name);
        out->fields[i].value = cut(&rest, lengths[i].value);
    }
    out->body_data = cut(&rest, table->body == POOL_BODY_INLINE ? table->body_size : 0);
    return rest.p != NULL ? 0 : -EPROTO;
}

int pool_request_read(struct pool *pool, struct pool_ticket ticket, struct pool_request *out)
{
    struct str rest = { (const char *)request_area(pool, ticket.slot), POOL_REQUEST_BYTES };
    struct lengths lengths[POOL_FIELDS_MAX];
    struct table table;

    /* Private copies first: what is checked is what is used, whoever writes there meanwhile. */
    memcpy(&table, cut(&rest, sizeof(table)).p, sizeof(table));
    if (table.n_fields > POOL_FIELDS_MAX || table.body > POOL_BODY_FD)
        return -EPROTO;
    if (table.body == POOL_BODY_INLINE && table.body_size > POOL_INLINE_BODY)
        return -EPROTO;
    memcpy(lengths, cut(&rest, table.n_fields * sizeof(*lengths)).p, table.n_fields * sizeof(*lengths));
    out->n_fields = table.n_fields;
    out->body = (enum pool_body)table.body;
    out->body_size = table.body_size;
    out->edge_ns = table.edge_ns;
    out->queued_ns = table.queued_ns;
    out->has_body = table.flags & FLAG_HAS_BODY;
    out->head_only = table.flags & FLAG_HEAD_ONLY;
    return cut_pieces(&table, lengths, rest, out);
}
