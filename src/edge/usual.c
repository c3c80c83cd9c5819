/* A small set-associative table of slow kinds of requests. */
#include "edge/usual.h"

#include <string.h>

#define WAYS 4
#define NOTED_NS (2 * USUAL_SLOW_NS)     /* from here on a new kind is remembered */
#define FORGOTTEN_NS (USUAL_SLOW_NS / 4) /* below it a kind is forgotten */
#define KIND_MAX 192                     /* bytes of a kind that count */

void usual_init(struct usual *u)
{
    memset(u, 0, sizeof(*u));
    hash_seed_random(&u->seed);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Method and path, "0" for each segment with a digit. */
static size_t spell(char *out, struct str method, struct str path)
{
    size_t n = method.n < 16 ? method.n : 16, segment;

    if (n > 0)
        memcpy(out, method.p, n);
    segment = n;
    for (size_t i = 0; i < path.n && n < KIND_MAX; i++) {
        bool same = n == segment + 1 && out[segment] == '0' && path.p[i] != '/';

        if (same)
            continue;
        if (is_digit(path.p[i]))
            n = segment;
        out[n++] = is_digit(path.p[i]) ? '0' : path.p[i];
        if (path.p[i] == '/')
            segment = n;
    }
    return n;
}

static uint64_t key_of(const struct usual *u, struct str method, struct str path)
{
    char text[KIND_MAX + 16];
    uint64_t key = hash_str(&u->seed, str_make(text, spell(text, method, path)));

    return key != 0 ? key : 1;
}

static struct usual_kind *find(const struct usual *u, uint64_t key)
{
    struct usual_kind *set = (struct usual_kind *)u->kinds + key % (USUAL_KINDS / WAYS) * WAYS;

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].key == key)
            return &set[i];
    return NULL;
}

uint64_t usual_slow(const struct usual *u, struct str method, struct str path)
{
    const struct usual_kind *kind = u->n == 0 ? NULL : find(u, key_of(u, method, path));

    return kind != NULL && kind->ns >= USUAL_SLOW_NS ? kind->ns : 0;
}

static void remember(struct usual *u, uint64_t key, uint64_t ns)
{
    struct usual_kind *set = u->kinds + key % (USUAL_KINDS / WAYS) * WAYS, *least = set;

    for (size_t i = 1; i < WAYS; i++)
        if (set[i].ns < least->ns)
            least = &set[i];
    u->n += least->key == 0;
    *least = (struct usual_kind){ key, ns };
}

void usual_note(struct usual *u, struct str method, struct str path, uint64_t ran_ns)
{
    struct usual_kind *kind;
    uint64_t key;

    if (u->n == 0 && ran_ns < NOTED_NS)
        return;
    key = key_of(u, method, path);
    kind = find(u, key);
    if (kind == NULL) {
        if (ran_ns >= NOTED_NS)
            remember(u, key, ran_ns / 2);
        return;
    }
    kind->ns = kind->ns - kind->ns / 4 + ran_ns / 4;
    if (kind->ns >= FORGOTTEN_NS)
        return;
    *kind = (struct usual_kind){ 0 };
    u->n--;
}
