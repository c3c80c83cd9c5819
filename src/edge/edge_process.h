/*
 * The edge process's own struct: what its lanes share. Private to src/edge.
 */
#ifndef QUINTET_EDGE_EDGE_PROCESS_H
#define QUINTET_EDGE_EDGE_PROCESS_H

#include "base/log.h"
#include "edge/admit.h"
#include "edge/credentials.h"
#include "edge/dispatch.h"
#include "edge/lane.h"
#include "edge/overdue.h"
#include "edge/ping.h"
#include "edge/pools.h"
#include "os/sink.h"
#include "wire/channel.h"

#define EDGE_LISTENERS_MAX 64

enum edge_phase { EDGE_CONFIGURING, EDGE_SERVING, EDGE_DRAINING };

/* A listening socket as it was received, before START gives it to the lanes. */
struct edge_listener {
    int fd; /* owned */
    enum stats_listener kind;
};

struct edge {
    enum edge_phase phase;
    struct lane lanes[POOL_LANES_MAX];
    uint32_t n_lanes;
    uint32_t n_homes; /* the first of them: home.h */
    struct dispatch dispatch;
    struct admit admit;
    struct credentials credentials;
    struct channel super;        /* in lane 0's loop */
    struct snapshot *snapshot;   /* in force; owned reference */
    struct snapshot *building;   /* being received; NULL when none */
    struct tls_ctx *tls;         /* owned; newest */
    struct tls_tickets *tickets; /* one reference; its keys outlive every configuration */
    struct edge_listener listeners[EDGE_LISTENERS_MAX];
    uint32_t n_listeners;
    struct log log;
    struct sink *error_sink;          /* owned; NULL: stderr */
    struct sink *_Atomic access_sink; /* owned; NULL: off */
    atomic_bool access_json;
    atomic_uint listening_lanes, deaf_lanes, drained_lanes;
    atomic_bool idle_posted; /* idle_job is on its way */
    bool watching;    /* the listener of metrics is served already: before START, as it tells that we are not ready */
    bool watch_late;  /* … but not while another edge serves it */
    bool handed_over; /* another edge has the sockets, also that of metrics */
    atomic_bool has_served;   /* a generation serves, or has */
    atomic_bool unready;      /* readiness fails: the server is about to stop */
    atomic_ullong watched_ns; /* when the supervisor was last told that somebody asks for readiness */
    struct ping ping;
    struct overdue_watch overdue;
    struct loop_timer last_call; /* drain: of the lane that closes the listeners */
    struct lane *closer;         /* that lane */
    uint64_t last_call_ns;       /* when it does, at the latest */
    bool nobody_comes;           /* and it may: nobody is on the way to one of them */
    atomic_bool closed;          /* it has */
    struct lane_job ready_job, idle_job, drained_job;
    struct loop_timer hold_timer; /* lane 0: the end of a pause, should nobody say so */
    uint64_t started_ns;
    uint64_t fds_for_clients; /* a connection's descriptor is below this; 0: no limit */
    int exit_status;
};

#endif
