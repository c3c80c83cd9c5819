/*
 * A slot: one request on its way to a worker and its response on the way back. One atomic word says where it is.
 *
 *              edge: pool_ready            worker: pool_take           worker: pool_done
 *      FREE ───────────────────▶ READY ───────────────────▶ RUNNING ───────────────────▶ DONE
 *        ▲                         │ edge: pool_take_back       │ edge: pool_reap (the seat's process is dead)   │
 *        └─────────────────────────┴────────────────────────────┴────────────────────────┘ edge: pool_release
 *
 * The word: phase in bits 0–7, seat in bits 8–31 (valid in RUNNING and DONE), serial in bits 32–63. The serial grows by one each
 * time the slot becomes FREE, so that a stale ring entry, a late worker or a descriptor for an earlier request cannot be taken for
 * this one. In FREE and READY→FREE only the edge writes; RUNNING → DONE only the seat that is named.
 *
 * Edge functions: the owner of a slot is whoever in the edge filled it; callers serialise (the edge's dispatch lock) pool_ready,
 * pool_take_back, pool_reap and pool_recover. Worker functions: any thread of a worker, for its own seat.
 */
#ifndef QUINTET_POOL_SLOT_H
#define QUINTET_POOL_SLOT_H

#include <sys/types.h>

#include "pool/pool.h"

enum pool_phase { POOL_FREE, POOL_READY, POOL_RUNNING, POOL_DONE };

/* Names one request in one slot; 0 serials are valid. What ring entries, channels and cancellations carry. */
struct pool_ticket {
    uint32_t slot;
    uint32_t serial;
};

/* A slot's word taken apart; `phase` may be any value when a worker has scribbled: check with pool_look's result. */
struct pool_look {
    enum pool_phase phase;
    uint32_t seat;
    uint64_t
        taken_ns; /* with RUNNING and DONE: clock_mono_ns when a worker took it, by the worker's word (0 for an instant) */
};

/* ---- edge ---- */

/* Attaches as the (only) edge, before anything else: every slot that is READY is taken back, every RUNNING one is cancelled and left
 * to end by itself, DONE ones are released. For a new pool this finds nothing to do; for one inherited from a dead edge it is the
 * clean-up. Fills serials[slots] for all; is_free[slot] tells whether it may be used now: the others come free when
 * pool_orphan_ended() says so. */
void pool_adopt(struct pool *pool, uint32_t *serials, bool *is_free);
/* An orphan (RUNNING at pool_adopt) that has become DONE or whose process is dead (seat_alive[seats]): FREE now, with its new serial.
 * False: still running, or a word that makes no sense and stays out of use. Its end also comes as attention to its lane. */
bool pool_orphan_ended(struct pool *pool, uint32_t slot, const bool *seat_alive, uint32_t *serial);

/* The request area has been filled (pool/request.h): FREE → READY and pushed to the ready ring. `lane` will get the attention bits.
 * Nobody is woken: pool_wake must follow before the edge sleeps, once for all that was published in a turn of its loop. A worker woken for each
 * would take the processor from the edge that has more to hand over. */
void pool_publish(struct pool *pool, struct pool_ticket ticket, uint32_t lane);
/* Wakes at most n sleepers, fewer when the ring is empty by then. */
void pool_wake(struct pool *pool, uint32_t n);
/* Both at once. */
void pool_ready(struct pool *pool, struct pool_ticket ticket, uint32_t lane);
/* READY → FREE before any worker took it (deadline passed, client left). True with the new *serial; false: a worker has it (or the
 * word is spoilt: pool_look says so). */
bool pool_take_back(struct pool *pool, struct pool_ticket ticket, uint32_t *serial);
/* Tells a running application that nobody listens any more: its next write fails. No change of phase. */
void pool_cancel(struct pool *pool, struct pool_ticket ticket);
/* What the word says now. 0, or -EPROTO when it does not fit the ticket (another serial, unknown phase, FREE, seat out of range). */
MUST_CHECK int pool_look(const struct pool *pool, struct pool_ticket ticket, struct pool_look *out);
/* DONE → FREE after the response was read. 0 with the new *serial, or -EPROTO when it was not DONE. */
MUST_CHECK int pool_release(struct pool *pool, struct pool_ticket ticket, uint32_t *serial);
/* RUNNING by a seat whose process is known dead (or any word that is -EPROTO, at the end of a generation) → FREE. */
void pool_reap(struct pool *pool, struct pool_ticket ticket, uint32_t *serial);
/* After a worker's death: what it may have popped and not taken is pushed again, sleep marks of seats [first, first + n) are wiped,
 * attention is set for every slot these seats have RUNNING or DONE (the dead may have been about to), and every seat and every lane whose
 * eventfd is set is woken to look. The RUNNING ones are then the edge's to read to their end and to reap; DONE ones hold a whole
 * response. Does no harm when nothing is wrong, so it may also be called with n = 0 whenever a READY slot waits suspiciously long
 * (a spoilt bitmap, a stopped process). */
void pool_recover(struct pool *pool, uint32_t first_seat, uint32_t n);
/* READY slots that nobody has taken yet: 0 means every request handed over is running. Looks at each slot's word. */
uint32_t pool_waiting(const struct pool *pool);

/* ---- worker ---- */

enum pool_take_result {
    POOL_TAKEN,   /* *ticket is RUNNING by this seat */
    POOL_TIMEOUT, /* nothing came, or a signal */
    POOL_CLOSED,  /* pool_close was called for this worker: end */
};

/* Takes the next ready slot, sleeping at most timeout_ns (UINT64_MAX: no limit) on the seat's futex. Never holds anything while
 * asleep. Call without the GIL. */
enum pool_take_result pool_take(struct pool *pool, uint32_t seat, uint64_t timeout_ns, struct pool_ticket *ticket);
/* Without sleeping: POOL_TAKEN or POOL_TIMEOUT or POOL_CLOSED. */
enum pool_take_result pool_try_take(struct pool *pool, uint32_t seat, struct pool_ticket *ticket);
/* RUNNING → DONE and attention. All frames must have been written. */
void pool_done(struct pool *pool, uint32_t seat, struct pool_ticket ticket);
bool pool_cancelled(const struct pool *pool, struct pool_ticket ticket);    /* the client left */
uint64_t pool_taken_ns(const struct pool *pool, struct pool_ticket ticket); /* when this worker took it */
/* Makes pool_take of these seats return POOL_CLOSED once what they run is done: drain. Any thread, of the edge or of the worker
 * itself. Holds for the process that has the seats now, never for the one after it. */
void pool_close(struct pool *pool, uint32_t first_seat, uint32_t n);
/* Edge: process `pid` has these seats from now on (0: any process, as in a new pool). Any other process's pool_take waits as if nothing
 * came: so a replacement that boots faster than the edge hears of the death cannot take requests while its predecessor's are not
 * settled. Nothing happens when they are this process's already. If pool_seat_look shows another owner than 0 and pid, that one is dead: reap and pool_recover first. */
void pool_reopen(struct pool *pool, uint32_t first_seat, uint32_t n, pid_t pid);

/* ---- what each seat is doing, for status and after a crash (racy by nature: a hint) ---- */

struct pool_seat_view {
    bool busy;
    uint32_t slot;
    uint64_t since_ns; /* clock_mono_ns when the request was taken */
    uint64_t requests; /* served so far */
    pid_t owner;       /* by pool_reopen; 0: any */
};

void pool_seat_look(const struct pool *pool, uint32_t seat, struct pool_seat_view *out);

#endif
