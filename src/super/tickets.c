/* The ring of ticket keys. */
#include "super/tickets.h"

#include <string.h>

#include "base/mem.h"
#include "os/tls.h"
#include "wire/message.h"

void tickets_init(struct tickets *tickets, uint64_t now_ns)
{
    tickets_wipe(tickets);
    tls_random(tickets->keys[0], TLS_TICKET_KEY_LEN);
    tickets->n = 1;
    tickets->made_ns = now_ns;
}

void tickets_wipe(struct tickets *tickets)
{
    mem_wipe(tickets, sizeof(*tickets));
}

bool tickets_turn(struct tickets *tickets, uint64_t now_ns)
{
    uint64_t turns = now_ns > tickets->made_ns ? (now_ns - tickets->made_ns) / TICKETS_TURN_NS : 0;

    if (turns == 0)
        return false;
    if (turns >= TICKETS_KEYS) {
        tickets_init(tickets, now_ns); /* all are too old: the machine has slept, or the clock of another one counts */
        return true;
    }
    for (uint64_t i = 0; i < turns; i++) {
        memmove(tickets->keys[1], tickets->keys[0], sizeof(tickets->keys) - TLS_TICKET_KEY_LEN);
        tls_random(tickets->keys[0], TLS_TICKET_KEY_LEN);
        if (tickets->n < TICKETS_KEYS)
            tickets->n++;
    }
    tickets->made_ns += turns * TICKETS_TURN_NS;
    return true;
}

int tickets_blob(const struct tickets *tickets)
{
    return wire_blob_make("quintet-tickets", str_make((const char *)tickets->keys, tickets->n * TLS_TICKET_KEY_LEN));
}
