/*
 * Routes that are not for everybody: name and password (RFC 7617), or a URL with a signature of ours.
 *
 * A signature is HMAC-SHA256 with the route's key over the path as the application sees it, the rest of the query and the time it ends,
 * a line each: ?…&expires=SECONDS&signature=…, in base64url. Python's side is quintet.signing. What has ended is 410, what does not fit 403.
 */
#include <time.h>

#include "base/clock.h"
#include "edge/edge_process.h"
#include "edge/gate.h"
#include "edge/gate/gates.h"
#include "edge/handler/verify.h"
#include "http/uri.h"
#include "os/hmac.h"

#define WRONG STR("the signature of this URL does not fit")

/* ---- signed URLs ---- */

struct signature {
    struct str rest; /* of the query, in the arena */
    struct str expires, text;
    uint64_t ends; /* seconds */
};

/* Once each, and nothing that could be read in two ways. */
static bool take_parts(struct exchange *ex, struct signature *s)
{
    struct str query = http_str(ex->bytes, ex->head.query);
    char *rest = arena_alloc(&ex->arena, query.n + 1);
    bool first = true;
    size_t n = 0;

    must(rest != NULL);
    while (query.p != NULL) {
        struct str part = str_split(&query, '&'), value = part, name = str_split(&value, '=');
        struct str *known = str_eq(name, STR("expires"))     ? &s->expires
                            : str_eq(name, STR("signature")) ? &s->text
                                                             : NULL;

        if (known != NULL && (known->p != NULL || value.p == NULL))
            return false;
        if (known != NULL) {
            *known = value;
            continue;
        }
        if (!first)
            rest[n++] = '&';
        first = false;
        memcpy(rest + n, part.p, part.n);
        n += part.n;
    }
    s->rest = str_make(rest, n);
    return s->text.p != NULL && s->expires.p != NULL && str_to_u64(s->expires, UINT64_MAX / 2, &s->ends) == 0;
}

static bool fits(struct exchange *ex, const struct signature *s)
{
    struct str raw = exchange_path(ex);
    char *decoded = arena_alloc(&ex->arena, raw.n + 1), wanted[HMAC_TEXT_LEN];
    struct str pieces[] = { { decoded, 0 }, STR("\n"), s->rest, STR("\n"), s->expires };

    must(decoded != NULL);
    pieces[0].n = uri_decode(raw, decoded);
    return hmac_text(conf_sites_key(ex->route->key->bytes), pieces, ARRAY_LEN(pieces), wanted) == 0 &&
           hmac_same(str_make(wanted, sizeof(wanted)), s->text);
}

static const struct handler *ask_signature(struct exchange *ex)
{
    struct signature s = { .ends = 0 };

    if (ex->route->key == NULL || (ex->head.method != HTTP_GET && ex->head.method != HTTP_HEAD) ||
        !take_parts(ex, &s) || !fits(ex, &s))
        return gate_refuse(ex, 403, WRONG);
    if (s.ends <= clock_wall_ns() / NS_PER_SEC)
        return gate_refuse(ex, 410, STR("this URL has expired"));
    return NULL;
}

/* ---- name and password ---- */

const struct handler *gate_credentials(struct exchange *ex)
{
    const struct handler *other = ex->route->is_signed ? ask_signature(ex) : NULL;

    return other == NULL && ex->route->basic ? verify_ask(ex) : other;
}
