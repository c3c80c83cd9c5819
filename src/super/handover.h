/*
 * What the program before hands over to the one that takes its place by exec: a versioned JSON document in a sealed memfd, and the
 * descriptors it names, which stay open across the exec.
 *
 * Whoever reads it is of another version than whoever wrote it. A field that is missing has a meaning (see handover_read), one that is unknown
 * is ignored; what cannot be explained that way is another format, and the program says so before anything is changed (super/probe.h).
 */
#ifndef QUINTET_SUPER_HANDOVER_H
#define QUINTET_SUPER_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "super/child.h"
#include "super/listen.h"
#include "super/tickets.h"
#include "super/why.h"
#include "wire/message.h"

#define HANDOVER_FORMAT 1
#define HANDOVER_MAX (4u << 20)
#define HANDOVER_WORKERS_MAX 1024

struct super;

struct handover_worker {
    struct child_past past;
    uint32_t release; /* the generation its title shows */
};

struct handover {
    uint64_t started_ns;
    uint64_t watched_ns; /* as in struct super */
    uint32_t last_generation;
    int more_workers;
    bool second_wanted;  /* the edge is of a program before the one that wrote this */
    uint64_t edge_asked; /* the edge may still answer these: number of the last STATUS_ASK, and of the last pause */
    uint32_t pauses;
    struct tickets tickets;
    char *pid_file; /* owned; NULL: none */
    int control;
    char *control_path; /* owned */
    struct listeners listeners;
    struct child_past edge;
    /* the serving generation */
    uint32_t generation, release, workers, threads;
    int umask;
    char *conf, *directory, *python, *app; /* owned */
    int pool_fds[WIRE_FDS_MAX];
    size_t n_pool_fds;
    struct handover_worker *worker; /* owned; as many as workers says */
};

/* The document about `super`, in which nothing may be under way: a sealed memfd, or -errno. The descriptors it names are left as they are. */
MUST_CHECK int handover_write(const struct super *super);
/* 0; or -errno with the reason. What it names is checked to be open, and closes on exec from now on; nothing is closed on failure. */
MUST_CHECK int handover_read(int fd, struct handover *out, struct why *why);
/* Memory only: whoever took a descriptor over has it, the others stay open. */
void handover_fini(struct handover *h);

/* Every descriptor named in the document: to be kept across an exec, or not any more. */
void handover_keep(int fd, bool keep);

#endif
