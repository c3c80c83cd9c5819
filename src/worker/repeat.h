/*
 * What a thread's requests have in common: the environ of the last one, with the bytes it was made of.
 *
 * Requests that follow one another often have the same fields in the same order and mostly the same values: one kind of client, a proxy in front, a
 * connection that is kept. Then the new environ is a copy of the last one in which a few values are replaced, and a copy of a dict costs a tenth of filling it.
 * The dict is this module's own, the application gets copies. It is made when the same names come for the second time, so that changing clients cost a
 * comparison alone.
 *
 * One a thread: in a shared one another thread's values could come between bringing it up to date and copying it, as memory allocated in between may run
 * the collector, that a finalizer, and that may give the interpreter away.
 */
#ifndef QUINTET_WORKER_REPEAT_H
#define QUINTET_WORKER_REPEAT_H

#include "worker/python.h"

#include "base/must.h"
#include "pool/request.h"

#define REPEAT_FIELDS 48 /* requests with more, or with more bytes, are not remembered */
#define REPEAT_BYTES 8192

struct repeat {
    PyObject *environ; /* owned; NULL: the names have come once */
    bool known;        /* the rest says what the last request had */
    uint32_t n_fields;
    struct str vars[POOL_VAR_COUNT]; /* into bytes, as the fields */
    struct pool_field fields[REPEAT_FIELDS];
    char bytes[REPEAT_BYTES];
};

/* Whether the request has the keys that the last one had: the same names in the same order, the same variables empty, the same scheme. */
bool repeat_has_keys_of(const struct repeat *r, const struct pool_request *request);
/* Every name once, whatever its case: each field has a key of its own. */
bool repeat_is_plain(const struct repeat *r);
/* Remembers the request's bytes, if there is room. */
void repeat_learn(struct repeat *r, const struct pool_request *request);
/* The new value in place of the old one. False: it has another length, learn anew. */
bool repeat_replace(struct str *old, struct str value);
void repeat_forget(struct repeat *r);

static inline bool repeat_same(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

#endif
