/*
 * Frames into the response ring.
 *
 * The common response (one bytes item with its length) is HEAD + DATA + END and no attention of its own: pool_done brings it. A streamed one
 * gets its attention with each item, as PEP 3333 forbids to hold an item back while the application makes the next.
 */
#include "worker/response.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "pool/wake.h"
#include "worker/rules.h"

static struct pool *pool_of(const struct exchange *x)
{
    return x->state->worker.pool;
}

static int gone(struct exchange *x)
{
    x->gone = true;
    return -ECANCELED;
}

/* Sleeps until the edge made room. */
static int wait_room(struct exchange *x)
{
    uint64_t serial = x->serial;
    struct pool_ticket ticket = x->ticket;
    PyThreadState *saved;
    int r = -ETIMEDOUT;

    do {
        saved = PyEval_SaveThread();
        r = pool_wait_room(pool_of(x), ticket, NS_PER_SEC);
        PyEval_RestoreThread(saved);
        if (x->serial != serial || x->stage == EXCHANGE_ENDED)
            return -ECANCELED; /* this was a write() of another thread, and the request is over: not its client's fault */
    } while (r == -ETIMEDOUT);
    return r < 0 ? gone(x) : 0;
}

/* Puts a small frame, waiting for room as often as it takes. */
static int put_end(struct exchange *x)
{
    int r = 0;

    while (r == 0 && pool_put_end(pool_of(x), x->ticket) < 0)
        r = wait_room(x);
    if (r == 0)
        x->stage = EXCHANGE_ENDED;
    return r;
}

bool response_has_body(const struct exchange *x)
{
    return !x->request.head_only && !rules_bodyless(x->head.status);
}

void response_expect(struct exchange *x, uint64_t total)
{
    struct pool_field *field;
    int n;

    /* A 204 or 304 has no length of its own, and an empty body answering HEAD says nothing about GET. */
    if (x->has_length || rules_bodyless(x->head.status) || (x->request.head_only && total == 0))
        return;
    if (x->head.n_fields == POOL_FIELDS_MAX)
        return; /* it is a courtesy: the edge frames the body without it */
    n = snprintf(x->length_text, sizeof(x->length_text), "%llu", (unsigned long long)total);
    field = &x->fields[x->head.n_fields++];
    field->name = STR("Content-Length");
    field->value = str_make(x->length_text, (size_t)n);
    x->has_length = true;
    x->length = total;
}

static int put_head(struct exchange *x)
{
    int r = pool_put_head(pool_of(x), x->ticket, &x->head);

    /* start_response has kept the head below the limit, and the ring is empty, unless somebody scribbles over the pool. */
    if (r < 0)
        return gone(x);
    x->stage = EXCHANGE_SENT;
    return pool_cancelled(pool_of(x), x->ticket) ? gone(x) : 0;
}

static int begin(struct exchange *x)
{
    if (x->gone)
        return -ECANCELED;
    return x->stage == EXCHANGE_STARTED ? put_head(x) : 0;
}

static int put_all(struct exchange *x, struct str data)
{
    while (data.n > 0) {
        size_t took = pool_put_data(pool_of(x), x->ticket, data);

        x->sent += took;
        data = str_cut(data, took, data.n);
        if (data.n > 0 && wait_room(x) < 0)
            return -ECANCELED;
    }
    return pool_cancelled(pool_of(x), x->ticket) ? gone(x) : 0;
}

/* The part of n more bytes that the length has room for; the rest is counted. */
static uint64_t fit(struct exchange *x, uint64_t n)
{
    uint64_t room = x->length - x->sent;

    if (!x->has_length || n <= room)
        return n;
    x->surplus += n - room;
    return room;
}

static int end_when_complete(struct exchange *x)
{
    return x->has_length && x->sent == x->length && x->stage == EXCHANGE_SENT ? put_end(x) : 0;
}

int response_data(struct exchange *x, struct str data)
{
    int r = begin(x);

    if (r < 0 || !response_has_body(x))
        return r;
    r = put_all(x, str_cut(data, 0, fit(x, data.n)));
    return r < 0 ? r : end_when_complete(x);
}

static int send_descriptor(struct exchange *x, int fd)
{
    uint64_t serial = x->serial;
    PyThreadState *saved;
    int r;

    saved = PyEval_SaveThread();
    r = worker_send_file(&x->state->worker, x->ticket, fd);
    PyEval_RestoreThread(saved);
    if (x->serial != serial)
        return -ECANCELED;
    return r < 0 ? gone(x) : 0; /* no edge, no client */
}

int response_file(struct exchange *x, int fd, struct pool_file file)
{
    int r = begin(x);

    file.length = fit(x, file.length);
    if (r < 0 || !response_has_body(x))
        return r;
    if (file.length > 0) {
        r = send_descriptor(x, fd);
        while (r == 0 && pool_put_file(pool_of(x), x->ticket, &file) < 0)
            r = wait_room(x);
        if (r < 0)
            return r;
        x->sent += file.length;
    }
    return end_when_complete(x);
}

int response_end(struct exchange *x)
{
    int r;

    if (x->stage == EXCHANGE_ENDED)
        return 0;
    if (x->stage == EXCHANGE_STARTED)
        response_expect(x, 0);
    if (response_has_body(x) && x->has_length && x->sent < x->length)
        return -EPROTO;
    r = begin(x);
    return r < 0 ? r : put_end(x);
}

void response_fail(struct exchange *x)
{
    int r = x->gone || x->stage == EXCHANGE_ENDED ? -ECANCELED : 0;

    while (r == 0 && pool_put_fail(pool_of(x), x->ticket) < 0)
        r = wait_room(x);
    x->stage = EXCHANGE_ENDED;
}

void response_flush(struct exchange *x)
{
    pool_announce(pool_of(x), x->ticket);
}
