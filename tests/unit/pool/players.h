/*
 * The cast of the kill tests: a worker that is one process with one seat, and an edge that keeps its books. Each maps the pool for itself, as in
 * real life, and dies of SIGKILL where kill_at says.
 */
#ifndef PLAYERS_H
#define PLAYERS_H

#include <sys/types.h>

#include "pool/layout.h"
#include "pool/response.h"
#include "pool/step.h"

#define PLAYERS_SLOTS 8
#define PLAYERS_IDS 4096
#define PLAYERS_LOST_MS 10000 /* who sleeps that long has lost a wake-up */

enum errand { ERRAND_SMALL, ERRAND_LARGE, ERRAND_ASK, ERRAND_CLOSE };

/* Shared by all processes of a test: how often each request was run. */
struct board {
    _Atomic uint32_t runs[PLAYERS_IDS];
};

/* The stage: what every process inherits. */
struct stage {
    struct board *board;
    int memfd, lane_fd;
};

struct errand_slip { /* travels as the request's target */
    uint32_t id, errand;
};

struct order {
    struct errand_slip slip;
    struct pool_ticket ticket;
    struct pool_reader reader;
    uint64_t got;
    bool out, ended;
};

struct edge {
    const struct stage *stage;
    struct pool *pool;
    struct order orders[PLAYERS_SLOTS];
    uint32_t serials[PLAYERS_SLOTS];
    bool is_free[PLAYERS_SLOTS];
    uint32_t next_id, answered;
    pid_t watched; /* dead: nobody waits for room */
};

void stage_open(struct stage *stage);
void stage_close(struct stage *stage);
struct pool *stage_map(const struct stage *stage);

/* This process is killed when it passes `step` for the nth time (from 1). */
void kill_at(enum pool_step step, unsigned nth);
const char *step_name(enum pool_step step);
char step_who(enum pool_step step); /* 'E', 'W' or 'B' */

/* Serves requests in its seat until it is closed; exits 0. The pid in the parent. */
pid_t worker_start(const struct stage *stage, uint32_t seat, enum pool_step step, unsigned nth);
_Noreturn void worker_main(const struct stage *stage, uint32_t seat);

void edge_open(struct edge *edge, const struct stage *stage, uint32_t first_id);
void edge_close(struct edge *edge);
uint32_t edge_free(const struct edge *edge); /* slots */
/* Hands a new request over; there must be a free slot. Its slot. */
uint32_t edge_hand_over(struct edge *edge, enum errand errand);
/* Sleeps until there is attention, at most ms, and deals with it. False: nothing came. */
bool edge_turn(struct edge *edge, int ms);
/* Turns until every request is answered; a lost wake-up is an assertion. */
void edge_finish(struct edge *edge);
/* Seat's process is dead: settles all it had, replays what it was running. Returns how many were replayed. */
uint32_t edge_bury(struct edge *edge, uint32_t seat);

bool is_asleep(const struct edge *edge, uint32_t seat);
/* Until the seat is marked as asleep; one that sleeps unmarked, so that nobody can wake it, is an assertion. */
void await_asleep(const struct edge *edge, uint32_t seat);
enum life { ALIVE, KILLED, EXITED };
/* KILLED by SIGKILL or EXITED with 0, and now reaped. Any other end is an assertion. */
enum life life_of(pid_t pid);
void await_exit(pid_t pid); /* with status 0 */

#endif
