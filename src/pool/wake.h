/*
 * Attention: how a worker tells an edge thread that a slot has news, at no system call while that thread is awake.
 *
 * Each lane has a bitmap with a bit a slot and a word that says whether the lane sleeps. The worker sets the bit, and only if it can turn
 * `asleep` from 1 to 0 does it write the lane's eventfd. Bits are idempotent and need no reservation, so a worker killed in the middle leaves
 * no hole. The lane: pool_lane_sleep → (false: there is news already, do not sleep) → epoll_wait → pool_lane_woken → pool_lane_take.
 * While requests wait anyway the lane may nap instead (edge/nap.h): no worker pays for waking it.
 */
#ifndef QUINTET_POOL_WAKE_H
#define QUINTET_POOL_WAKE_H

#include "pool/pool.h"
#include "pool/slot.h"

typedef void pool_attention_fn(void *arg, uint32_t slot);

/* ---- edge, the lane's own thread ---- */
bool pool_lane_sleep(struct pool *pool, uint32_t lane); /* true: may sleep, workers will write the eventfd */
/* Sleeps for a time whatever there is to read: only a worker that cannot go on writes the eventfd, since it finds nothing to take, waits for room in its
 * ring or for a body. (A seat that has found nothing just before may have been too early.) */
void pool_lane_nap(struct pool *pool, uint32_t lane);
void pool_lane_woken(struct pool *pool, uint32_t lane); /* awake again: no more eventfd writes */
/* Takes all bits and calls fn for each slot, lowest first. Returns how many. */
uint32_t pool_lane_take(struct pool *pool, uint32_t lane, pool_attention_fn *fn, void *arg);
/* The lane has not taken all that is in this slot: it looks again in its next turn. */
void pool_lane_again(struct pool *pool, uint32_t lane, uint32_t slot);

/* ---- both ---- */
/* The lanes' eventfds (non-blocking), inherited; borrowed. Set once before the first request; the edge needs them for pool_recover. */
void pool_set_lane_fds(struct pool *pool, const int *fds, uint32_t n);

/* Whether a slot that comes free is news by itself: while requests wait for one, and while a generation is being emptied. Otherwise pool_done wakes
 * nobody if all frames were announced before: the bit is found at the lane's next turn. Set it, then take the bits once more, then sleep.
 * As long as the ready ring has something for the workers the free slot is not urgent either, and whoever takes that entry ends it sooner or later:
 * the lanes are woken by the pool_done that leaves an empty ring behind, and by a seat that is about to sleep or to end. */
void pool_set_hungry(struct pool *pool, bool hungry);

/* ---- worker ---- */
/* Sets the bit of the ticket's slot in its lane and wakes it, from a nap too: the worker waits for the lane. */
void pool_attention(struct pool *pool, struct pool_ticket ticket);
/* The same if frames were written since the last time, for a worker that goes on: a nap lasts. */
void pool_announce(struct pool *pool, struct pool_ticket ticket);

#endif
