/*
 * A request that is with the application: what app.c, app_request.c and app_frames.c share. For them alone.
 */
#ifndef QUINTET_EDGE_HANDLER_APP_H
#define QUINTET_EDGE_HANDLER_APP_H

#include "edge/edge_process.h"
#include "edge/handler/handlers.h"

#define APP_HELD_MEMORY (64u << 10)
#define APP_HELD_MAX (UINT64_C(1) << 30) /* more than this a slow client does not spool: then the worker waits for it */
#define APP_FIELDS_MAX 256
/* Bytes spooled and frames taken at a time: a worker that fills the ring as fast as it is emptied must not hold the lane. */
#define APP_TURN_MAX (UINT64_C(1) << 20)
#define APP_TURN_FRAMES 256

enum app_source { SOURCE_NONE, SOURCE_HELD, SOURCE_FILE, SOURCE_RING };

struct app {
    struct job job;
    struct loop_timer timer;
    struct pool_request request;
    struct spool held; /* taken off the worker's hands */
    int file;          /* of a FILE frame; -1; owned */
    uint64_t file_at, file_left;
    enum app_source source;  /* of the piece peeked last */
    struct pool_piece piece; /* with SOURCE_RING */
    struct str elsewhere;    /* X-Accel-Redirect or X-Sendfile: the file that is the answer; .p NULL: none */
    bool elsewhere_is_path;  /* X-Sendfile */
    const char *unfit;       /* why a response is not fit to be sent, for the log */
    bool broken;             /* unfit by the pool's own rules: its worker must go */
    bool blocked;            /* the client does not read now */
    bool full;               /* and the spool takes no more: the worker waits for the client */
    bool have_head, ended, failed, released;
};

static inline struct app *app_of(struct exchange *ex)
{
    return ex->state;
}

static inline struct dispatch *app_dispatch(struct app *app)
{
    return &app->job.lane->edge->dispatch;
}

static inline struct pool *app_pool(struct app *app)
{
    return app->job.generation->pool;
}

/* The worker has said END or FAIL: no frame follows. */
static inline bool app_all_said(const struct app *app)
{
    return app->ended || app->failed;
}

/* app_request.c: what the worker will read. The pieces are the exchange's; they are copied at the hand-over. */
void app_request_fill(struct exchange *ex, struct pool_request *request);

/* app_frames.c: takes all frames that can be taken: head into ex->response, file and data into `app`, and gives the slot back after the last one.
 * DATA stays in the ring (app->piece) while the client reads. False: the response is unfit (app->unfit says why). */
MUST_CHECK bool app_pump(struct exchange *ex, struct app *app);

/* accel.c: answers with the file that the application's head named; the handler is another one afterwards. */
void accel_send(struct exchange *ex, struct str target, bool by_path);
#define ACCEL_ROOM (16u << 10) /* of the arena, beside what depends on the target's length */
/* It is with the application no more, whatever becomes of its answer. Harmless when said already. */
void app_leave_crowd(struct app *app);

/* Which worker has it, how long it waited and ran: for the access log, while the slot is still its own. Nothing when no worker has it. */
void app_note_times(struct exchange *ex, struct app *app);

#endif
