/*
 * Naps: how a lane sleeps while requests wait for a worker anyway (interrupt moderation, as network drivers do it).
 *
 * A request that comes now takes its place behind those that wait; nobody is served later if it is read a little later, and an answer that is
 * sent a few milliseconds later has waited longer than that before. So the lane leaves its sockets and the workers' completions alone for as long as the
 * workers have something ready, NAP_MAX_NS at most, and finds what has come in one turn. A worker that runs out of work, or of
 * room for its response, ends the nap. With real applications
 * each turn of the lane runs on a cold cache, and costs the worker beside it its warm one.
 *
 * Not while completions come so seldom that a nap would find none; nor while sockets bring anything but requests for the application (files, uploads,
 * handshakes, new connections: whoever is not in the queue is in a hurry). One a lane, for its thread alone.
 */
#ifndef QUINTET_EDGE_NAP_H
#define QUINTET_EDGE_NAP_H

#include <stdbool.h>
#include <stdint.h>

struct nap {
    uint32_t idle_looks;   /* in a row that found no completion */
    uint64_t completed_ns; /* when the last one was found */
    uint64_t gap_ns;       /* between two of them, on average */
    uint32_t hurried;      /* turns to come without a nap */
    uint32_t expected;     /* events of this turn that are no hurry: signals, and requests that have joined the queue */
};

void nap_completions(struct nap *nap, uint32_t n); /* a look at the pools has found so many */
void nap_expect(struct nap *nap);                  /* an event of this turn that was no hurry */
/* At the end of a turn, once, with its number of descriptors' events: may the sockets wait? */
bool nap_is_calm(struct nap *nap, uint32_t events);
/* If so: for how many ns; 0: no nap. `waiting`: requests that are handed over and that no worker has taken yet. */
uint64_t nap_length(const struct nap *nap, uint32_t waiting);

#endif
