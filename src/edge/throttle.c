/* GCRA in a set-associative table, see throttle.h. */
#include "edge/throttle.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

#define WAYS 8
#define LOCKS 64
#define KEYS_MIN (LOCKS * WAYS)
#define KEYS_MAX (1u << 26)
#define SKEW_NS NS_PER_SEC /* the lanes' clocks differ by less */

struct entry {
    uint64_t key; /* 0: never used */
    uint64_t tat; /* clock_mono_ns */
};

/* A cache line each, so that lanes at different sets do not slow each other. */
union set_lock {
    pthread_mutex_t mutex;
    char line[64];
};

struct throttle {
    atomic_uint refs;
    union set_lock locks[LOCKS];
    struct hash_seed seed;
    uint64_t mask;         /* of a set's number */
    struct entry *entries; /* WAYS a set; owned */
};

struct throttle *throttle_new(uint32_t keys)
{
    struct throttle *t = mem_zalloc(sizeof(*t));
    size_t n = KEYS_MIN;

    must(keys <= KEYS_MAX);
    atomic_init(&t->refs, 1);
    while (n < keys)
        n *= 2;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_init(&t->locks[i].mutex, NULL);
    hash_seed_random(&t->seed);
    t->mask = n / WAYS - 1;
    t->entries = mem_calloc(n, sizeof(*t->entries));
    return t;
}

struct throttle *throttle_ref(struct throttle *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void throttle_unref(struct throttle *t)
{
    if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&t->locks[i].mutex);
    mem_free(t->entries);
    mem_free(t);
}

uint64_t throttle_key(const struct throttle *t, uint64_t rule, struct str key)
{
    struct hash_seed seed = { t->seed.k0 ^ rule, t->seed.k1 };
    uint64_t hash = hash_str(&seed, key);

    return hash != 0 ? hash : 1;
}

/* The key's own entry, or the one that makes room for it. */
static struct entry *find(struct entry *set, uint64_t key)
{
    struct entry *earliest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].tat < earliest->tat)
            earliest = &set[i];
    }
    return earliest;
}

/* `debt`: how far the TAT is ahead, before this request. */
static struct throttle_answer judge(const struct throttle_rate *rate, uint64_t debt)
{
    uint64_t room = rate->burst * rate->interval_ns;
    struct throttle_answer answer = { .pass = debt + rate->interval_ns <= room };

    if (answer.pass)
        debt += rate->interval_ns;
    answer.left = debt < room ? (room - debt) / rate->interval_ns : 0;
    answer.wait_ns = debt + (answer.left + 1) * rate->interval_ns - room;
    return answer;
}

struct throttle_answer throttle_ask(struct throttle *t, uint64_t key, const struct throttle_rate *rate, uint64_t now)
{
    uint64_t number = key & t->mask, most = rate->burst * rate->interval_ns;
    pthread_mutex_t *mutex = &t->locks[number % LOCKS].mutex;
    struct throttle_answer answer;
    struct entry *e;
    uint64_t tat;
    bool forgot;

    pthread_mutex_lock(mutex);
    e = find(t->entries + number * WAYS, key);
    forgot = e->key != key && e->tat > now;
    tat = e->key != key || e->tat < now ? now : e->tat;
    if (tat - now > most + SKEW_NS)
        tat = now + most; /* by a rate that was slower */
    answer = judge(rate, tat - now);
    answer.forgot = forgot;
    *e = (struct entry){ key, answer.pass ? tat + rate->interval_ns : tat };
    pthread_mutex_unlock(mutex);
    return answer;
}
