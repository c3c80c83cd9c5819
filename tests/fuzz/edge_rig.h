/*
 * An edge of one lane for fuzzers, made once and used for every input: files at /static/, health at /up, an application of one seat whose
 * worker is the fuzzer. After each input nothing may be left over: rig_quiet.
 */
#ifndef QUINTET_TESTS_FUZZ_EDGE_RIG_H
#define QUINTET_TESTS_FUZZ_EDGE_RIG_H

#include "edge/edge_process.h"

struct rig {
    struct edge edge;
    struct lane *lane;
    struct generation *generation; /* NULL: requests for the application wait in the queue */
    struct pool *pool;             /* the worker's view */
    int channel;                   /* the worker's end */
    int supervisor;
};

struct rig *rig_make(bool with_app);   /* once; lives as long as the process */
int rig_connect(struct rig *rig);      /* the client's end, non-blocking */
void rig_turn(struct rig *rig);        /* one turn that does not sleep */
void rig_worker_dies(struct rig *rig); /* and another one joins */
void rig_quiet(struct rig *rig);       /* the client is gone: no connection, request or slot is left (must) */

#endif
