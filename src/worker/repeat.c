/* The bytes of the last request: see repeat.h. */
#include "worker/repeat.h"

static bool same_names(const struct repeat *r, const struct pool_request *request)
{
    if (r->n_fields != request->n_fields)
        return false;
    for (uint32_t i = 0; i < r->n_fields; i++)
        if (!repeat_same(r->fields[i].name, request->fields[i].name))
            return false;
    return true;
}

static bool same_vars_are_empty(const struct repeat *r, const struct pool_request *request)
{
    for (int i = 0; i < POOL_VAR_COUNT; i++)
        if ((r->vars[i].n == 0) != (request->vars[i].n == 0))
            return false;
    return true;
}

bool repeat_has_keys_of(const struct repeat *r, const struct pool_request *request)
{
    return r->known && same_names(r, request) && same_vars_are_empty(r, request) &&
           repeat_same(r->vars[POOL_SCHEME], request->vars[POOL_SCHEME]);
}

bool repeat_is_plain(const struct repeat *r)
{
    for (uint32_t i = 1; i < r->n_fields; i++)
        for (uint32_t j = 0; j < i; j++)
            if (r->fields[i].name.n == r->fields[j].name.n && str_eq_nocase(r->fields[i].name, r->fields[j].name))
                return false;
    return true;
}

/* A copy behind what is there. False: no room. */
static bool keep(struct repeat *r, size_t *used, struct str *out, struct str piece)
{
    if (piece.n > sizeof(r->bytes) - *used)
        return false;
    if (piece.n > 0)
        memcpy(r->bytes + *used, piece.p, piece.n);
    *out = str_make(r->bytes + *used, piece.n);
    *used += piece.n;
    return true;
}

void repeat_learn(struct repeat *r, const struct pool_request *request)
{
    size_t used = 0;

    r->known = request->n_fields <= REPEAT_FIELDS;
    r->n_fields = r->known ? request->n_fields : 0;
    for (int i = 0; i < POOL_VAR_COUNT && r->known; i++)
        r->known = keep(r, &used, &r->vars[i], request->vars[i]);
    for (uint32_t i = 0; i < r->n_fields && r->known; i++)
        r->known = keep(r, &used, &r->fields[i].name, request->fields[i].name) &&
                   keep(r, &used, &r->fields[i].value, request->fields[i].value);
}

bool repeat_replace(struct str *old, struct str value)
{
    if (old->n != value.n)
        return false;
    memcpy((char *)old->p, value.p, value.n); /* into r->bytes */
    return true;
}

void repeat_forget(struct repeat *r)
{
    r->known = false;
    Py_CLEAR(r->environ);
}
