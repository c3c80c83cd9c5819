/*
 * SipHash-1-3 and a chained hash map: see hash.h.
 *
 * One compression and three finalisation rounds is what CPython, Ruby and Rust use for their maps: it holds against
 * somebody who chooses keys and sees timings, at little more than the cost of an unkeyed hash.
 */
#include "base/hash.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/must.h"

#define FIRST_BUCKETS 16

struct map_entry {
    struct map_entry *next; /* in the same bucket */
    uint64_t hash;
    void *value; /* borrowed */
    size_t n;
    char key[];
};

struct sip {
    uint64_t v0, v1, v2, v3;
};

void hash_seed_random(struct hash_seed *seed)
{
    ssize_t n;

    do
        n = getrandom(seed, sizeof(*seed), 0);
    while (n < 0 && errno == EINTR);
    must(n == (ssize_t)sizeof(*seed));
}

static inline uint64_t rotl(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

uint64_t hash_str(const struct hash_seed *seed, struct str s)
{
    struct sip sip = {
        seed->k0 ^ UINT64_C(0x736f6d6570736575),
        seed->k1 ^ UINT64_C(0x646f72616e646f6d),
        seed->k0 ^ UINT64_C(0x6c7967656e657261),
        seed->k1 ^ UINT64_C(0x7465646279746573),
    };
    uint64_t word, last = (uint64_t)s.n << 56;
    size_t whole = s.n & ~(size_t)7;

    for (size_t i = 0; i < whole; i += 8) {
        memcpy(&word, s.p + i, 8);
        sip_word(&sip, le64toh(word));
    }
    for (size_t i = whole; i < s.n; i++)
        last |= (uint64_t)(unsigned char)s.p[i] << (8 * (i - whole));
    sip_word(&sip, last);
    sip.v2 ^= 0xff;
    sip_round(&sip);
    sip_round(&sip);
    sip_round(&sip);
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

void map_init(struct map *m)
{
    *m = (struct map){ 0 };
    hash_seed_random(&m->seed);
}

void map_fini(struct map *m)
{
    for (size_t i = 0; i < m->n_buckets; i++) {
        for (struct map_entry *e = m->buckets[i], *next; e != NULL; e = next) {
            next = e->next;
            mem_free(e);
        }
    }
    mem_free(m->buckets);
    m->buckets = NULL;
    m->n_buckets = m->n = 0;
}

/* The link that points to the key's entry, or to the NULL where it would go; NULL while there are no buckets. */
static struct map_entry **find(const struct map *m, struct str key, uint64_t hash)
{
    struct map_entry **link;

    if (m->n_buckets == 0)
        return NULL;
    link = &m->buckets[hash & (m->n_buckets - 1)];
    while (*link != NULL && ((*link)->hash != hash || !str_eq(str_make((*link)->key, (*link)->n), key)))
        link = &(*link)->next;
    return link;
}

static void resize(struct map *m, size_t n_buckets)
{
    struct map_entry **buckets = mem_calloc(n_buckets, sizeof(struct map_entry *));

    for (size_t i = 0; i < m->n_buckets; i++) {
        for (struct map_entry *e = m->buckets[i], *next; e != NULL; e = next) {
            struct map_entry **to = &buckets[e->hash & (n_buckets - 1)];

            next = e->next;
            e->next = *to;
            *to = e;
        }
    }
    mem_free(m->buckets);
    m->buckets = buckets;
    m->n_buckets = n_buckets;
}

void *map_get(const struct map *m, struct str key)
{
    struct map_entry **link = find(m, key, hash_str(&m->seed, key));

    return link != NULL && *link != NULL ? (*link)->value : NULL;
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_str(&m->seed, key);
    struct map_entry **link, *e;

    must(value != NULL && key.n < SIZE_MAX - sizeof(*e));
    if (m->n >= m->n_buckets)
        resize(m, m->n_buckets != 0 ? m->n_buckets * 2 : FIRST_BUCKETS);
    link = find(m, key, hash);
    if (*link != NULL) {
        void *old = (*link)->value;

        (*link)->value = value;
        return old;
    }
    e = mem_alloc(sizeof(*e) + key.n);
    *e = (struct map_entry){ .hash = hash, .value = value, .n = key.n };
    if (key.n > 0)
        memcpy(e->key, key.p, key.n);
    *link = e;
    m->n++;
    return NULL;
}

void *map_remove(struct map *m, struct str key)
{
    struct map_entry **link = find(m, key, hash_str(&m->seed, key)), *e;
    void *value;

    if (link == NULL || *link == NULL)
        return NULL;
    e = *link;
    *link = e->next;
    value = e->value;
    mem_free(e);
    m->n--;
    return value;
}

void map_each(const struct map *m, map_visit_fn *fn, void *arg)
{
    for (size_t i = 0; i < m->n_buckets; i++)
        for (struct map_entry *e = m->buckets[i]; e != NULL; e = e->next)
            fn(arg, str_make(e->key, e->n), e->value);
}
