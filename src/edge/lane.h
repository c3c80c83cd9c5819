/*
 * A lane: one edge thread with its loop, its connections and its view of the pools.
 *
 * All of it belongs to its own thread. Others reach it by lane_post alone.
 */
#ifndef QUINTET_EDGE_LANE_H
#define QUINTET_EDGE_LANE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/bins.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/slab.h"
#include "edge/evict.h"
#include "edge/nap.h"
#include "edge/snapshot.h"
#include "edge/stats.h"
#include "http/date.h"
#include "os/loop.h"
#include "pool/pool.h"

#define LANE_SCRATCH (128u << 10)
#define LANE_LINE_MAX                                                                                                  \
    16000 /* an access log line: three values of a client at their longest, every byte escaped, and the rest */
#define LANE_POOLS_MAX 8 /* generations alive at a time */

struct edge;
struct encoders;
struct file_cache;
struct hints;
struct generation;
struct lane;

/* What another thread wants done in a lane's own thread. Posted once at a time; the poster owns it until fn runs. One that owns something has a `drop`: it
 * runs instead when the lane ends before, in whatever thread. */
struct lane_job {
    struct list link;
    void (*fn)(struct lane *lane, struct lane_job *job);
    void (*drop)(struct lane *lane, struct lane_job *job); /* NULL: nothing to do */
};

/* A pool as this lane sees it: its eventfd in the lane's loop. */
struct lane_pool {
    struct loop_io io;
    struct lane *lane;             /* borrowed */
    struct generation *generation; /* owned reference; NULL: unused place */
};

struct lane {
    struct edge *edge; /* borrowed */
    uint32_t index;
    pthread_t thread;
    struct loop *loop;    /* owned */
    struct slab conns;    /* struct conn */
    struct list spare_h1; /* struct h1 kept with their buffers */
    uint32_t n_spare_h1;
    struct list spare_h2; /* struct h2_stream, the same */
    uint32_t n_spare_h2;
    struct bins h2_memory;          /* of the HTTP/2 sessions */
    struct buf h2_out;              /* for the next of them that has something to say */
    struct list open;               /* struct conn */
    struct list ranks[EVICT_RANKS]; /* struct conn: who goes first when room is needed */
    atomic_uint n_open;             /* of them; read by the others, who hand new ones to the lane with the fewest */
    atomic_uint
        n_shaking; /* handshakes under way, from the accept on: counted by home.c, for the lane that will make them */
    struct file_cache *files;  /* owned */
    struct hints *hints;       /* owned; NULL: there was no memory for them */
    struct encoders *encoders; /* owned */
    struct buf line;           /* an access log line under construction */
    char *scratch;             /* LANE_SCRATCH bytes for reading bodies; owned */
    struct lane_pool pools[LANE_POOLS_MAX];
    struct snapshot *snapshot; /* owned reference: for new requests */
    struct list listeners;     /* struct listener, owned */
    uint32_t pending;          /* requests of this lane in the queue or at a worker */
    bool draining, stopped;
    struct nap nap;
    bool slept;                    /* told the pools that we sleep */
    struct loop_timer drain_timer; /* looks whether all connections have ended */
    /* other threads' jobs */
    pthread_mutex_t jobs_lock;
    struct list jobs;
    atomic_bool jobs_any;
    struct lane_job evict_job; /* another lane needs room */
    atomic_bool evict_asked;   /* it is on its way */
    struct log_seldom crowded_said, shed_said, rest_said, h2_said, proxy_said, stranger_said;
    /* cached once a second */
    uint64_t date_second;
    char date[HTTP_DATE_LEN];
    time_t line_second;
    char line_time[40]; /* as a text line of the access log has it */
    size_t line_time_n;
    uint64_t line_ms;
    char line_iso[CLOCK_ISO_LEN + 1]; /* as a JSON line has it */
    uint64_t wall_turn, wall_ahead;   /* read in the turn of that time: wall clock - clock_mono_ns, modulo 2^64 */
    uint64_t random[64];              /* unused random words from the kernel */
    uint32_t random_left;
    struct lane_stats stats;
};

MUST_CHECK int lane_init(struct lane *lane, struct edge *edge, uint32_t index); /* 0 or -errno */
void lane_fini(struct lane *lane);
void lane_run(struct lane *lane);                        /* until lane_stop, in the calling thread */
void lane_stop(struct lane *lane);                       /* own thread */
void lane_post(struct lane *lane, struct lane_job *job); /* any thread */
void lane_drop_jobs(struct lane *lane);                  /* its thread has ended: those that nobody runs any more */
/* Own thread: begin to watch a generation's pool, and stop. 0, -ENOSPC or -errno. */
MUST_CHECK int lane_add_pool(struct lane *lane, struct generation *generation);
void lane_drop_pool(struct lane *lane, struct generation *generation);
/* Own thread: requests go by this snapshot from now on; takes a reference. */
void lane_set_snapshot(struct lane *lane, struct snapshot *snapshot);
/* Own thread: listeners closed, every answer says Connection: close, connections without a request have a second left for one. */
void lane_drain(struct lane *lane, bool watch_too);      /* the listener of metrics, too */
struct str lane_date(struct lane *lane);                 /* the Date field's value now */
uint64_t lane_wall(struct lane *lane, uint64_t mono_ns); /* the wall clock at a moment of this turn */
void lane_random(struct lane *lane, uint64_t out[2]);    /* unpredictable: from a buffer of getrandom(2) */

#endif
