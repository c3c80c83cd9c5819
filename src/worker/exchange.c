/*
 * The serving loop of one thread.
 *
 * Order at the end of a request, which the rest relies on: END (or FAIL) and attention, so that the client has its answer; then close(), which may
 * take its time; then everything of the request is let go of; then DONE, after which the slot's memory is another request's.
 */
#include "worker/exchange.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "worker/body.h"
#include "worker/broken.h"
#include "worker/input.h"
#include "worker/output.h"
#include "worker/response.h"
#include "worker/start_response.h"

static _Thread_local struct exchange *current;

struct exchange *exchange_current(void)
{
    return current;
}

/* ---- one request ---- */

void exchange_end_forked(struct exchange *x)
{
    if (!x->state->worker.forked)
        return;
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_SystemExit))
        broken_report(x); /* why it came back */
    PyErr_Clear();
    broken_rule(x, "a child process made by fork() must end with os._exit(), it returned from the application", NULL);
    broken_report(x);
    output_flush();
    _exit(1);
}

/* Logs the error that is set and breaks the response off. Errors that only say "the client has left" are no news. */
static void fail(struct exchange *x)
{
    exchange_end_forked(x);
    if (PyErr_ExceptionMatches(PyExc_SystemExit) || PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        x->quit = true;
    if (x->gone && PyErr_ExceptionMatches(PyExc_ConnectionError))
        PyErr_Clear();
    else
        broken_report(x);
    response_fail(x);
}

static void run(struct exchange *x, PyObject *app, PyObject *env)
{
    PyObject *result;

    recorder_phase(x->record, RECORDER_CALLED);
    result = PyObject_CallFunctionObjArgs(app, env, x->start_response, NULL);
    exchange_end_forked(x);
    if (result == NULL) {
        fail(x);
        return;
    }
    recorder_phase(x->record, RECORDER_ITERATING);
    if (body_send(x, result) < 0)
        fail(x);
    if (body_close(x, result) < 0)
        fail(x);
    exchange_end_forked(x);
    Py_DECREF(result);
}

static void record(struct exchange *x)
{
    const struct str *vars = x->request.vars;

    recorder_begin(x->record, pool_taken_ns(x->state->worker.pool, x->ticket), vars[POOL_METHOD], vars[POOL_TARGET],
                   vars[POOL_REQUEST_ID]);
    recorder_phase(x->record, RECORDER_ENVIRON);
}

static int prepare(struct exchange *x)
{
    if (pool_request_read(x->state->worker.pool, x->ticket, &x->request) < 0) {
        PyErr_SetString(PyExc_RuntimeError, "the request area of the pool makes no sense");
        return -1;
    }
    record(x);
    return start_response_prepare(x) < 0 || input_prepare(x) < 0 ? -1 : 0;
}

static void begin(struct exchange *x, struct pool_ticket ticket)
{
    collect_begin(&x->state->collect);
    x->serial++;
    x->ticket = ticket;
    x->stage = EXCHANGE_OPEN;
    x->sent = 0;
    x->surplus = 0;
    x->gone = false;
    x->request.n_fields = 0;
    memset(x->request.vars, 0, sizeof(x->request.vars)); /* until it is read: not the last one's */
    current = x;
    recorder_phase(x->record, RECORDER_TAKEN);
}

static void finish(struct exchange *x)
{
    input_finish(x);
    output_flush();
    x->stage = EXCHANGE_NONE;
    current = NULL;
    worker_count(&x->state->worker);
    recorder_phase(x->record, RECORDER_COLLECTING);
    pool_done(x->state->worker.pool, x->seat, x->ticket);
    collect_end(&x->state->collect);
    recorder_phase(x->record, RECORDER_IDLE);
}

static void answer(struct exchange *x, PyObject *app)
{
    PyObject *env = NULL;

    if (prepare(x) == 0)
        env = environ_build(&x->state->environ, x);
    if (env != NULL)
        run(x, app, env);
    else
        fail(x);
    Py_XDECREF(env);
}

/* ---- the loop ---- */

/* Without sleeping first: under load that saves giving the interpreter away and taking it back. */
static enum pool_take_result take(struct exchange *x, struct pool_ticket *ticket)
{
    struct pool *pool = x->state->worker.pool;
    enum pool_take_result r = pool_try_take(pool, x->seat, ticket);
    PyThreadState *saved;
    uint64_t wait_ns;

    if (r != POOL_TIMEOUT)
        return r;
    recorder_rest(x->record);
    wait_ns = collect_wait(&x->state->collect);
    saved = PyEval_SaveThread();
    r = pool_take(pool, x->seat, wait_ns, ticket);
    PyEval_RestoreThread(saved);
    return r;
}

static struct exchange *exchange_new(struct state *state, uint32_t thread)
{
    struct exchange *x = mem_zalloc(sizeof(*x));

    x->state = state;
    x->thread = thread;
    x->seat = state->worker.first_seat + thread;
    x->record = &state->worker.recorder->seats[thread];
    recorder_sit(x->record);
    worker_spare_stack();
    recorder_phase(x->record, RECORDER_IDLE);
    return x; /* never freed: what the application kept of a request may point to it */
}

PyObject *exchange_serve(struct state *state, uint32_t thread, PyObject *app)
{
    struct exchange *x = exchange_new(state, thread);
    struct pool_ticket ticket;

    for (;;) {
        enum pool_take_result r = take(x, &ticket);

        if (r == POOL_CLOSED)
            return Py_NewRef(Py_None);
        if (r == POOL_TAKEN) {
            begin(x, ticket);
            answer(x, app);
            finish(x);
        }
        if (x->quit)
            worker_stop(&state->worker);
        if (r != POOL_TIMEOUT)
            continue;
        recorder_phase(x->record, RECORDER_COLLECTING);
        collect_idle(&state->collect);
        recorder_phase(x->record, RECORDER_IDLE);
        /* Handlers that the application installed in Python run between requests too. */
        if (PyErr_CheckSignals() < 0)
            return NULL;
    }
}
