/*
 * Who is let in by name and password: a thread that compares, and a memory of whom it let in.
 *
 *      gate ─ remembered ──────────────────────────────────────────▶ in
 *           └ verify_handler ─ queue ─ thread: crypt(3) ─ lane ─┬──▶ in, and remembered for a minute
 *                                                               └──▶ 401
 *
 * A comparison takes a tenth of a second by design, so it is never made in a lane, and not more than CREDENTIALS_QUEUE wait for one: whoever tries passwords
 * costs one thread. What is remembered is a keyed hash (128 bits, key of this process) of file entry, name and password; a changed hash is another entry.
 * A name that is not there is compared with somebody else's hash, so that time does not tell.
 */
#ifndef QUINTET_EDGE_CREDENTIALS_H
#define QUINTET_EDGE_CREDENTIALS_H

#include <pthread.h>

#include "base/hash.h"
#include "base/list.h"
#include "edge/lane.h"
#include "os/passwords.h"

#define CREDENTIALS_QUEUE 64
#define CREDENTIALS_REMEMBERED 1024
#define CREDENTIALS_FRESH_NS (UINT64_C(60) * 1000000000)

struct credentials_key {
    uint64_t a, b;
};

struct credentials_entry {
    struct credentials_key key;
    uint64_t until_ns; /* 0: empty */
};

/* One comparison. The lane's but while it is with the thread; freed by credentials when it is done, wanted or not. */
struct credentials_job {
    struct list link, all;
    struct lane_job back;
    struct lane *lane;
    struct exchange *exchange; /* the lane's: NULL when nobody waits any more */
    void (*done)(struct exchange *ex, bool in);
    struct credentials_key key;
    char hash[PASSWORDS_HASH_MAX + 1], password[PASSWORDS_LENGTH_MAX + 1];
    bool known; /* the name is in the file */
    bool in;
};

struct credentials {
    pthread_mutex_t lock;
    pthread_cond_t news;
    pthread_t thread;
    bool started, stop;
    struct list queue, jobs; /* those that wait; all that have not been freed */
    uint32_t n_queued;
    struct hash_seed seeds[2];
    struct credentials_entry remembered[CREDENTIALS_REMEMBERED];
};

void credentials_init(struct credentials *c);
void credentials_fini(struct credentials *c); /* when no lane runs any more */
struct credentials_key credentials_key(const struct credentials *c, struct str hash, struct str name,
                                       struct str password);
bool credentials_remembered(struct credentials *c, const struct credentials_key *key,
                            uint64_t now); /* was let in lately */
/* Takes the job over and answers later by job->done in its lane. 0; -EBUSY: too many wait; -EAGAIN: no thread. Then the job is still the caller's. */
MUST_CHECK int credentials_submit(struct credentials *c, struct credentials_job *job);
void credentials_job_free(struct credentials_job *job);

#endif
