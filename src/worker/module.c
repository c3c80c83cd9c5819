/*
 * The extension module quintet._quintet: what python/quintet/worker.py calls.
 *
 *   start(index, threads, lanes, generation)      takes over what the supervisor left in the descriptors
 *   configure(constants, file_wrapper, plain_file, report)
 *   collect(get_count, collect, settle, bound, net)  garbage collection between requests (worker/collect.h)
 *   ready(limit) | boot_failed(text)              tells the supervisor; limit: requests until it asks for a successor, 0: none
 *   serve(thread, app)                            serves until the worker stops
 *   stop()                                        makes every serve() return
 *   write(fd, bytes), flush()                     lines into the log
 *   warming()                                     the flight recorder's phase
 *   stacks()                                      (descriptor, signal) for faulthandler, or None
 *   preload_start(generation), preload_ready(), preload_failed(text), preload_await(), preload_dismiss(order),
 *   preload_fork(), preload_become(order)         the preloader's (worker/preload.h); an order is (index, descriptors)
 *   request_id()                                  of the request this thread runs, or None
 */
#include "worker/exchange.h"

#include <errno.h>

#include "worker/input.h"
#include "worker/output.h"
#include "worker/preload.h"

static struct state *state_of(PyObject *module)
{
    return PyModule_GetState(module);
}

/* None, or an OSError. */
static PyObject *result_of(int r)
{
    if (r == 0)
        return Py_NewRef(Py_None);
    errno = -r;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *module_start(PyObject *module, PyObject *args)
{
    struct worker *w = &state_of(module)->worker;

    if (!PyArg_ParseTuple(args, "IIII:start", &w->index, &w->threads, &w->lanes, &w->generation))
        return NULL;
    return result_of(worker_start(w));
}

static PyObject *module_configure(PyObject *module, PyObject *args)
{
    struct state *state = state_of(module);
    PyObject *constants, *file_wrapper, *plain_file, *report;

    if (!PyArg_ParseTuple(args, "OOOO:configure", &constants, &file_wrapper, &plain_file, &report))
        return NULL;
    if (environ_init(&state->environ, constants) < 0)
        return NULL;
    state->file_wrapper = Py_NewRef(file_wrapper);
    state->plain_file = Py_NewRef(plain_file);
    state->report = Py_NewRef(report);
    return Py_NewRef(Py_None);
}

static PyObject *module_collect(PyObject *module, PyObject *args)
{
    struct collect *c = &state_of(module)->collect;
    PyObject *get_count, *collect, *settle;

    if (!PyArg_ParseTuple(args, "OOOll:collect", &get_count, &collect, &settle, &c->bound, &c->net))
        return NULL;
    return collect_init(c, get_count, collect, settle) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *module_ready(PyObject *module, PyObject *args)
{
    unsigned long long limit;

    if (!PyArg_ParseTuple(args, "K:ready", &limit))
        return NULL;
    return result_of(worker_ready(&state_of(module)->worker, limit));
}

static PyObject *module_boot_failed(PyObject *module, PyObject *text)
{
    Py_ssize_t n;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &n);

    return utf8 == NULL ? NULL : result_of(worker_boot_failed(&state_of(module)->worker, str_make(utf8, (size_t)n)));
}

static PyObject *module_serve(PyObject *module, PyObject *args)
{
    struct state *state = state_of(module);
    unsigned thread;
    PyObject *app;

    if (!PyArg_ParseTuple(args, "IO:serve", &thread, &app))
        return NULL;
    if (thread >= state->worker.threads || state->report == NULL)
        return PyErr_Format(PyExc_ValueError, "serve: no such thread, or not configured");
    return exchange_serve(state, thread, app);
}

static PyObject *module_stop(PyObject *module, PyObject *unused)
{
    worker_stop(&state_of(module)->worker);
    return Py_NewRef(Py_None);
}

static PyObject *module_write(PyObject *module, PyObject *args)
{
    int fd;
    const char *p;
    Py_ssize_t n;
    PyThreadState *saved;

    if (!PyArg_ParseTuple(args, "iy#:write", &fd, &p, &n))
        return NULL;
    saved = PyEval_SaveThread();
    output_write(fd, str_make(p, (size_t)n));
    PyEval_RestoreThread(saved);
    return PyLong_FromSsize_t(n);
}

static PyObject *module_flush(PyObject *module, PyObject *unused)
{
    PyThreadState *saved = PyEval_SaveThread();
    output_flush();
    PyEval_RestoreThread(saved);
    return Py_NewRef(Py_None);
}

static PyObject *module_warming(PyObject *module, PyObject *unused)
{
    recorder_phase(&state_of(module)->worker.recorder->seats[0], RECORDER_WARMUP);
    return Py_NewRef(Py_None);
}

static PyObject *module_stacks(PyObject *module, PyObject *unused)
{
    int fd = state_of(module)->worker.stacks;

    return fd < 0 ? Py_NewRef(Py_None) : Py_BuildValue("(ii)", fd, RECORDER_SIGNAL);
}

static PyObject *module_request_id(PyObject *module, PyObject *unused)
{
    struct exchange *x = exchange_current();

    if (x == NULL)
        return Py_NewRef(Py_None);
    return PyUnicode_DecodeLatin1(x->request.vars[POOL_REQUEST_ID].p, (Py_ssize_t)x->request.vars[POOL_REQUEST_ID].n,
                                  NULL);
}

/* ---- the preloader ---- */

static PyObject *module_preload_start(PyObject *module, PyObject *args)
{
    unsigned generation;

    return PyArg_ParseTuple(args, "I:preload_start", &generation) ? result_of(preload_start(generation)) : NULL;
}

static PyObject *module_preload_ready(PyObject *module, PyObject *unused)
{
    return result_of(preload_ready());
}

static PyObject *module_preload_failed(PyObject *module, PyObject *text)
{
    Py_ssize_t n;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &n);

    return utf8 == NULL ? NULL : result_of(preload_failed(str_make(utf8, (size_t)n)));
}

static PyObject *module_preload_await(PyObject *module, PyObject *unused)
{
    struct preload_order order;
    int r;

    do {
        PyThreadState *saved = PyEval_SaveThread();

        r = preload_await(&order);
        PyEval_RestoreThread(saved);
    } while (r == -EINTR && PyErr_CheckSignals() == 0);
    if (r == -EINTR)
        return NULL;
    if (r == 0)
        return Py_NewRef(Py_None);
    return Py_BuildValue("(Iiiii)", order.worker, order.fds[0], order.fds[1], order.fds[2], order.fds[3]);
}

static bool order_of(PyObject *args, struct preload_order *out)
{
    int *fds = out->fds;

    return PyArg_ParseTuple(args, "(Iiiii)", &out->worker, &fds[0], &fds[1], &fds[2], &fds[3]);
}

static PyObject *module_preload_dismiss(PyObject *module, PyObject *args)
{
    struct preload_order order;

    if (!order_of(args, &order))
        return NULL;
    preload_dismiss(&order);
    return Py_NewRef(Py_None);
}

/* os.fork, but that the child is nobody's yet. True in it. */
static PyObject *module_preload_fork(PyObject *module, PyObject *unused)
{
    int r;

    PyOS_BeforeFork();
    r = preload_fork();
    if (r == 0)
        PyOS_AfterFork_Child();
    else
        PyOS_AfterFork_Parent();
    return r < 0 ? result_of(r) : PyBool_FromLong(r == 0);
}

static PyObject *module_preload_become(PyObject *module, PyObject *args)
{
    struct preload_order order;
    int r;

    if (!order_of(args, &order))
        return NULL;
    r = preload_become(&order);
    state_of(module)->worker.preloaded = true;
    return r < 0 ? result_of(r) : PyLong_FromUnsignedLong(order.worker);
}

static PyMethodDef module_methods[] = {
    { "preload_start", module_preload_start, METH_VARARGS, "preload_start(generation)" },
    { "preload_ready", module_preload_ready, METH_NOARGS, "tell the supervisor that workers can be forked" },
    { "preload_failed", module_preload_failed, METH_O, "tell the supervisor why they cannot" },
    { "preload_await", module_preload_await, METH_NOARGS, "the next order, or None when it is time to go" },
    { "preload_dismiss", module_preload_dismiss, METH_VARARGS, "preload_dismiss(order): close its descriptors" },
    { "preload_fork", module_preload_fork, METH_NOARGS, "True in the worker, which belongs to nobody yet" },
    { "preload_become", module_preload_become, METH_VARARGS, "preload_become(order): in the worker; its number" },
    { "start", module_start, METH_VARARGS, "start(index, threads, lanes, generation)" },
    { "configure", module_configure, METH_VARARGS, "configure(constants, file_wrapper, plain_file, report)" },
    { "collect", module_collect, METH_VARARGS,
      "collect(get_count, collect, settle, bound, net): garbage, between requests" },
    { "ready", module_ready, METH_VARARGS, "ready(limit): tell the supervisor that the application is imported" },
    { "boot_failed", module_boot_failed, METH_O, "tell the supervisor why it is not" },
    { "serve", module_serve, METH_VARARGS, "serve(thread, app): returns when the worker stops" },
    { "stop", module_stop, METH_NOARGS, "let every serve() return after its request" },
    { "write", module_write, METH_VARARGS, "write(fd, bytes): lines into the log" },
    { "flush", module_flush, METH_NOARGS, "end this thread's unfinished line" },
    { "warming", module_warming, METH_NOARGS, "the application is imported, warm-up requests follow" },
    { "stacks", module_stacks, METH_NOARGS, "(descriptor, signal) for faulthandler, or None" },
    { "request_id", module_request_id, METH_NOARGS, "id of the request this thread runs, or None" },
    { NULL, NULL, 0, NULL },
};

static PyTypeObject *make_type(PyObject *module, PyType_Spec *spec)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
}

static int module_exec(PyObject *module)
{
    struct state *state = state_of(module);

    state->handle_type = make_type(module, &exchange_handle_spec);
    state->input_type = make_type(module, &input_spec);
    state->broken_rule = PyErr_NewExceptionWithDoc(
        "quintet.BrokenRule", "The application broke a rule of WSGI (PEP 3333).", PyExc_AssertionError, NULL);
    state->close_name = PyUnicode_InternFromString("close");
    if (state->handle_type == NULL || state->input_type == NULL || state->broken_rule == NULL ||
        state->close_name == NULL)
        return -1;
    output_init();
    return PyModule_AddObjectRef(module, "BrokenRule", state->broken_rule);
}

static PyModuleDef_Slot module_slots[] = {
    { Py_mod_exec, module_exec },
    { 0, NULL },
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_quintet",
    .m_doc = "The worker's end of the pool: requests in, WSGI calls, responses out.",
    .m_size = sizeof(struct state),
    .m_methods = module_methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__quintet(void); /* found by its name */

PyMODINIT_FUNC PyInit__quintet(void)
{
    return PyModuleDef_Init(&module_def);
}
