/*
 * The keys of session tickets: made here, so that sessions outlive every edge, kept in memory alone, never on a disk.
 *
 *      age of a key   0 ─────────── 8 h ─────────────────────────── 24 h
 *                     seals and opens │ opens what it has sealed     │ wiped
 *
 * So whoever reads our memory can open at most the last 24 hours' tickets, and in TLS 1.3 not even what was said under them (each resumption has a key exchange of
 * its own). A ticket is good for 12 hours (os/tls.c), which is less than its key lives. A new program that takes over is given the ring.
 */
#ifndef QUINTET_SUPER_TICKETS_H
#define QUINTET_SUPER_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "os/loop.h"
#include "os/tls_tickets.h"

#define TICKETS_KEYS 3
#define TICKETS_TURN_NS (8ull * 3600 * 1000000000)

struct super;

struct tickets {
    unsigned char keys[TICKETS_KEYS][TLS_TICKET_KEY_LEN]; /* newest first */
    size_t n;
    uint64_t made_ns; /* keys[0], by clock_mono_ns */
};

void tickets_init(struct tickets *tickets, uint64_t now_ns); /* one new key */
void tickets_wipe(struct tickets *tickets);
/* Replaces the newest when it is due, also several times over. True: they have changed. */
bool tickets_turn(struct tickets *tickets, uint64_t now_ns);
/* A sealed memfd with the keys, newest first; or -errno. */
MUST_CHECK int tickets_blob(const struct tickets *tickets);

#endif
