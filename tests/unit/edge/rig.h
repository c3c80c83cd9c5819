/*
 * An edge of one lane inside a test: no supervisor, no worker; connections are socket pairs.
 */
#ifndef QUINTET_TESTS_EDGE_RIG_H
#define QUINTET_TESTS_EDGE_RIG_H

#include "edge/edge_process.h"

struct rig {
    struct edge edge;
    struct lane *lane; /* edge.lanes[0] */
    int supervisor;    /* its end of the channel */
    char dir[64];      /* a static root at /static/, a media root at /media/ */
};

void rig_init(struct rig *rig, const char *option,
              const char *value); /* one option may be set; NULL: none; more behind it: "value|other=value" */
void rig_fini(struct rig *rig);
struct snapshot *rig_snapshot(struct conf_builder *b);                 /* of what it has been told; frees it */
void rig_file(struct rig *rig, const char *path, const char *content); /* below dir: "static/a.css", "media/x.html" */
int rig_connect(struct rig *rig);                                      /* the client's end, non-blocking */
int rig_connect_by_tcp(struct rig *rig);                               /* over loopback */
/* Sends all of it and turns the loop until the edge has nothing more to say; returns what came, NUL-terminated, the caller's (mem_free). */
char *rig_talk(struct rig *rig, int client, const char *bytes, size_t n);
char *rig_read(struct rig *rig, int client); /* the same without sending */
enum wire_type rig_told(struct rig *rig);    /* the next message to the supervisor, WIRE_NONE when there is none */

/* ---- an application: the test plays the worker ---- */

struct rig_app {
    struct generation *generation;
    struct pool *pool; /* the worker's mapping */
    int channel;       /* the worker's end */
};

/* A generation with one worker of `threads` seats, serving. */
void rig_app_boot(struct rig *rig, struct rig_app *app, uint32_t number, uint32_t threads); /* not switched to */
void rig_app_open(struct rig *rig, struct rig_app *app, uint32_t number, uint32_t threads);
void rig_app_close(struct rig *rig, struct rig_app *app);
/* The worker is dead, as the supervisor would say; then another one joins. */
void rig_app_kill(struct rig *rig, struct rig_app *app);
/* The worker takes a request, which must be there. */
struct pool_ticket rig_app_take(struct rig_app *app, uint32_t seat, struct pool_request *request);
bool rig_app_idle(struct rig_app *app, uint32_t seat); /* nothing to take */
void rig_app_head(struct rig_app *app, struct pool_ticket ticket, unsigned status, const char *name, const char *value);
void rig_app_data(struct rig_app *app, struct pool_ticket ticket, const char *data);
void rig_app_end(struct rig_app *app, struct pool_ticket ticket, uint32_t seat); /* END and DONE */

bool rig_closed(struct rig *rig, int client); /* the edge has closed its end */

#endif
