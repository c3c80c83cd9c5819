/*
 * The keys that session tickets are sealed with: a ring, newest first, shared by every context, thread and edge process.
 *
 * Tickets are made with the newest key and opened with any, so a key can be replaced without a session lost. Who makes keys, and when one is dropped,
 * is the caller's affair (super/tickets.h); here they live in memory alone and are wiped when they go. Without tls_tickets_set there is one
 * random key, and sessions are resumed in this process only. Reference-counted; every call may be made by any thread.
 */
#ifndef QUINTET_OS_TLS_TICKETS_H
#define QUINTET_OS_TLS_TICKETS_H

#include <stddef.h>

#include "base/must.h"

#define TLS_TICKET_KEY_LEN 80 /* 16 name + 32 HMAC-SHA-256 + 32 AES-256; random bytes will do */
#define TLS_TICKET_KEYS_MAX 4

struct tls_tickets;

struct tls_tickets *tls_tickets_new(void);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *tickets);
void tls_tickets_unref(struct tls_tickets *tickets); /* NULL allowed */
/* All keys from now on, newest first, copied; 1 <= n <= TLS_TICKET_KEYS_MAX. */
void tls_tickets_set(struct tls_tickets *tickets, const unsigned char (*keys)[TLS_TICKET_KEY_LEN], size_t n);

#endif
