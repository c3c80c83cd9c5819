/* Slots: handed over, freed, and the descriptors that belong to them. */
#include "edge/slots.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "edge/edge_process.h"
#include "edge/express.h"
#include "edge/lanes.h"
#include "edge/report.h"
#include "edge/tally.h"
#include "pool/wake.h"
#include "wire/message.h"

#define MESSAGES_MAX 512 /* taken off a worker's channel at a time */

void slots_hand_over(struct dispatch *d, struct generation *g, struct job *job)
{
    uint32_t number = g->free[--g->n_free];
    struct slot *s = &g->slots[number];

    g->used++;
    s->free = s->begun = s->lost = false;
    s->slow = job->usual_ns != 0;
    g->n_slow += s->slow;
    s->job = job;
    s->lane = job->lane->index;
    job->state = JOB_HANDED;
    job->generation = g;
    job->ticket = (struct pool_ticket){ .slot = number, .serial = s->serial };
    memset(&job->reader, 0, sizeof(job->reader));
    /* The app handler refuses (431) what could not fit. */
    must(pool_request_write(g->pool, job->ticket, job->request) == 0);
    pool_publish(g->pool, job->ticket, s->lane);
    atomic_fetch_add_explicit(&d->unwoken, 1, memory_order_relaxed);
}

uint32_t slots_usual(const struct generation *g)
{
    uint32_t seats = g->geometry.workers * g->geometry.threads;

    return seats < 2 ? 4 : 2 * seats;
}

bool slots_open(const struct dispatch *d, const struct generation *g)
{
    uint32_t used = atomic_load_explicit(&g->used, memory_order_relaxed);

    return g->n_free > 0 && used < slots_usual(g) + atomic_load_explicit(&d->ahead, memory_order_relaxed);
}

void slots_set_hungry(struct dispatch *d, struct generation *g, bool hungry)
{
    if (g->hungry == hungry)
        return;
    g->hungry = hungry;
    pool_set_hungry(g->pool, hungry);
    if (hungry)
        lanes_wake(d->edge);
}

void slots_feed(struct dispatch *d)
{
    struct generation *g = hold_on(&d->hold) ? NULL : d->active;

    while (g != NULL && slots_open(d, g) && d->n_queued > 0) {
        struct job *job = express_next(d, g);

        if (job == NULL)
            break;
        d->n_queued--;
        d->handed++;
        slots_hand_over(d, g, job);
    }
    if (d->n_queued == 0)
        rate_idle(&d->rate);
    if (g != NULL)
        slots_set_hungry(d, g, d->n_queued > 0);
}

void slots_free(struct dispatch *d, struct generation *g, uint32_t number, uint32_t serial)
{
    struct slot *s = &g->slots[number];
    bool slow = s->slow;

    must(!s->free);
    if (s->file >= 0)
        close(s->file);
    mem_free(s->what);
    tally_leave(s->crowd);
    *s = (struct slot){ .serial = serial, .free = true, .file = -1 };
    g->free[g->n_free++] = number;
    g->used--;
    g->n_slow -= slow;
    if (g->retired && g->used == 0 && !g->idle_told)
        report_idle(d->edge);
    if (hold_is_quiet(d))
        report_idle(d->edge);
    slots_feed(d);
}

void slots_free_orphan(struct dispatch *d, struct generation *g, uint32_t number)
{
    uint32_t serial;

    if (g->slots[number].free || g->slots[number].job != NULL ||
        pool_release(g->pool, slots_ticket(g, number), &serial) != 0)
        return;
    d->rate.ended++;
    slots_free(d, g, number, serial);
}

/* Back into the queue at its place: it has waited since queued_ns. */
static void requeue(struct dispatch *d, struct job *job)
{
    struct list *at = d->queue.next;

    while (at != &d->queue && CONTAINER_OF(at, struct job, link)->queued_ns <= job->queued_ns)
        at = at->next;
    job->state = JOB_QUEUED;
    list_insert_between(&job->link, at->prev, at);
    d->n_queued++;
}

void slots_take_back(struct dispatch *d, struct generation *g)
{
    for (uint32_t i = 0; i < g->geometry.slots; i++) {
        struct job *job = g->slots[i].job;
        uint32_t serial;

        if (g->slots[i].free || g->slots[i].begun || g->slots[i].lost || job == NULL)
            continue;
        if (!pool_take_back(g->pool, slots_ticket(g, i), &serial))
            continue;
        requeue(d, job);
        slots_free(d, g, i, serial);
    }
}

struct pool_ticket slots_ticket(const struct generation *g, uint32_t number)
{
    return (struct pool_ticket){ .slot = number, .serial = g->slots[number].serial };
}

bool slots_worker(const struct generation *g, struct pool_ticket ticket, uint32_t *worker)
{
    struct pool_look look;

    if (pool_look(g->pool, ticket, &look) != 0 || (look.phase != POOL_RUNNING && look.phase != POOL_DONE))
        return false;
    *worker = look.seat / g->geometry.threads;
    return true;
}

void slots_receive_files(struct generation *g, uint32_t worker)
{
    char text[WIRE_TEXT_MAX];
    struct wire_message m;

    if (g->workers[worker].channel < 0)
        return;
    for (int i = 0; i < MESSAGES_MAX && wire_receive(g->workers[worker].channel, "WE", MSG_DONTWAIT, text, &m) == 1;
         i++) {
        struct pool_ticket ticket = { .slot = (uint32_t)(m.number >> 32), .serial = (uint32_t)m.number };
        uint32_t owner;

        if (m.type == WIRE_FILE_BODY && ticket.slot < g->geometry.slots && !g->slots[ticket.slot].free &&
            slots_worker(g, ticket, &owner) && owner == worker && g->slots[ticket.slot].file < 0) {
            g->slots[ticket.slot].file = m.fds[0];
            m.fds[0] = -1;
        }
        wire_close_fds(&m);
    }
}
