/*
 * The request body as a file-like object.
 *
 * One way of looking serves both kinds of body: peek() gives contiguous bytes at the position, from the slot or from a window of the descriptor
 * that is filled by pread. Lines are found with peek alone and then taken at once, so that no line is built piecewise.
 */
#include "worker/input.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define WINDOW_BYTES (64u << 10)

struct input {
    PyObject_HEAD struct exchange *x; /* borrowed, as in struct handle */
    uint64_t serial;
    uint64_t at;     /* position */
    uint64_t size;   /* of the body */
    struct str data; /* POOL_BODY_INLINE: in the slot */
    int fd;          /* POOL_BODY_FD: owned, -1 until asked for */
    bool busy;       /* a thread reads, without the GIL */
    char *window;    /* of fd, owned, NULL until needed */
    uint64_t window_at;
    size_t window_n;
};

/* ---- the bytes ---- */

static bool usable(struct input *in)
{
    if (in->busy) {
        PyErr_SetString(PyExc_RuntimeError, "wsgi.input is being read by another thread");
        return false;
    }
    if (in->x->serial == in->serial && in->x->stage != EXCHANGE_NONE && !in->x->state->worker.forked)
        return true;
    PyErr_SetString(PyExc_ValueError, "wsgi.input belongs to a request that has ended");
    return false;
}

/* Fetches the descriptor when it is not there yet. */
static int need_fd(struct input *in)
{
    struct exchange *x = in->x;
    PyThreadState *saved;
    int fd;

    if (in->fd >= 0 || in->data.p != NULL || in->size == 0)
        return 0;
    in->busy = true;
    saved = PyEval_SaveThread();
    fd = worker_body(&x->state->worker, x->thread, x->ticket);
    PyEval_RestoreThread(saved);
    in->busy = false;
    if (fd >= 0 && !usable(in)) {
        close(fd); /* the request has ended in the meantime */
        return -1;
    }
    if (fd < 0) {
        x->gone = x->gone || x->serial == in->serial;
        PyErr_SetString(PyExc_ConnectionResetError, "the client has left");
        return -1;
    }
    in->fd = fd;
    return 0;
}

/* n bytes of the descriptor at `at` into p. A body that has shrunk is as bad as one that cannot be read. */
static int read_at(struct input *in, char *p, size_t n, uint64_t at)
{
    int fd = in->fd;

    while (n > 0) {
        PyThreadState *saved;
        ssize_t got;

        in->busy = true;
        saved = PyEval_SaveThread();
        got = pread(fd, p, n, (off_t)at);
        PyEval_RestoreThread(saved);
        in->busy = false;
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            errno = got == 0 ? EIO : errno;
            PyErr_SetFromErrno(PyExc_OSError);
            return -1;
        }
        p += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return 0;
}

static int fill_window(struct input *in, uint64_t at)
{
    size_t n = in->size - at < WINDOW_BYTES ? (size_t)(in->size - at) : WINDOW_BYTES;

    if (in->window == NULL)
        in->window = mem_alloc(WINDOW_BYTES);
    in->window_n = 0;
    if (read_at(in, in->window, n, at) < 0)
        return -1;
    in->window_at = at;
    in->window_n = n;
    return 0;
}

/* Contiguous bytes at `at`, at least one; at < size. */
static int peek(struct input *in, uint64_t at, struct str *out)
{
    if (in->data.p != NULL) {
        *out = str_cut(in->data, at, in->data.n);
        return 0;
    }
    if ((at < in->window_at || at >= in->window_at + in->window_n) && fill_window(in, at) < 0)
        return -1;
    *out = str_make(in->window + (at - in->window_at), in->window_n - (size_t)(at - in->window_at));
    return 0;
}

/* The next n bytes as a bytes object; n is within the body. */
static PyObject *take(struct input *in, uint64_t n)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)n);
    bool in_window = in->window_n > 0 && in->at >= in->window_at && in->at + n <= in->window_at + in->window_n;
    struct str from;

    if (bytes == NULL || n == 0)
        return bytes;
    if (in->data.p != NULL || in_window) {
        must(peek(in, in->at, &from) == 0);
        memcpy(PyBytes_AsString(bytes), from.p, n);
    } else if (read_at(in, PyBytes_AsString(bytes), n, in->at) < 0) {
        Py_DECREF(bytes);
        return NULL;
    }
    in->at += n;
    return bytes;
}

/* Length of the next line with its LF, at most `most`. 0, or -1 with an error. */
static int line_length(struct input *in, uint64_t most, uint64_t *out)
{
    uint64_t n = 0;
    struct str part;
    const char *end = NULL;

    while (n < most && end == NULL) {
        if (peek(in, in->at + n, &part) < 0)
            return -1;
        part = str_cut(part, 0, most - n);
        end = memchr(part.p, '\n', part.n);
        n += end == NULL ? part.n : (size_t)(end - part.p) + 1;
    }
    *out = n;
    return 0;
}

/* ---- methods ---- */

/* The optional size argument: absent, None and negative mean all that is left. Cut to what is left. */
static int size_argument(struct input *in, PyObject *const *args, Py_ssize_t n_args, uint64_t *out)
{
    uint64_t left = in->size - in->at;
    Py_ssize_t n = -1;

    if (n_args > 1) {
        PyErr_SetString(PyExc_TypeError, "wsgi.input takes at most one argument, the size");
        return -1;
    }
    if (n_args == 1 && args[0] != Py_None) {
        n = PyNumber_AsSsize_t(args[0], NULL); /* too large counts as all */
        if (n == -1 && PyErr_Occurred())
            return -1;
    }
    *out = n < 0 || (uint64_t)n > left ? left : (uint64_t)n;
    return 0;
}

static PyObject *input_read(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    struct input *in = (struct input *)self;
    uint64_t n;

    if (!usable(in) || size_argument(in, args, n_args, &n) < 0 || (n > 0 && need_fd(in) < 0))
        return NULL;
    return take(in, n);
}

static PyObject *next_line(struct input *in, uint64_t most)
{
    uint64_t n = 0;

    if (most > 0 && (need_fd(in) < 0 || line_length(in, most, &n) < 0))
        return NULL;
    return take(in, n);
}

static PyObject *input_readline(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    struct input *in = (struct input *)self;
    uint64_t most;

    if (!usable(in) || size_argument(in, args, n_args, &most) < 0)
        return NULL;
    return next_line(in, most);
}

/* Lines until `hint` bytes are reached, as io.IOBase.readlines: no hint, None or one that is not positive means all. */
static PyObject *input_readlines(PyObject *self, PyObject *const *args, Py_ssize_t n_args)
{
    struct input *in = (struct input *)self;
    PyObject *lines;
    uint64_t most, end;

    if (!usable(in) || size_argument(in, args, n_args, &most) < 0)
        return NULL;
    end = most == 0 ? in->size : in->at + most;
    lines = PyList_New(0);
    while (lines != NULL && in->at < end) {
        PyObject *line = next_line(in, in->size - in->at);

        if (line == NULL || PyList_Append(lines, line) < 0)
            Py_CLEAR(lines);
        Py_XDECREF(line);
    }
    return lines;
}

static PyObject *input_next(PyObject *self)
{
    struct input *in = (struct input *)self;

    if (!usable(in) || in->at == in->size)
        return NULL; /* no error set: the end */
    return next_line(in, in->size - in->at);
}

/* ---- the object ---- */

static void release_bytes(struct input *in)
{
    if (in->fd >= 0)
        close(in->fd);
    mem_free(in->window);
    in->fd = -1;
    in->window = NULL;
    in->window_n = 0;
    in->data = (struct str){ NULL, 0 };
}

static void input_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    release_bytes((struct input *)self);
    release(self);
    Py_DECREF(type);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type" /* CPython's own convention for METH_FASTCALL */
static PyMethodDef input_methods[] = {
    { "read", (PyCFunction)(void (*)(void))input_read, METH_FASTCALL, "read(size=-1) -> bytes" },
    { "readline", (PyCFunction)(void (*)(void))input_readline, METH_FASTCALL, "readline(size=-1) -> bytes" },
    { "readlines", (PyCFunction)(void (*)(void))input_readlines, METH_FASTCALL, "readlines(hint=-1) -> list of bytes" },
    { NULL, NULL, 0, NULL },
};
#pragma GCC diagnostic pop

static PyType_Slot input_slots[] = {
    { Py_tp_dealloc, input_dealloc },
    { Py_tp_methods, input_methods },
    { Py_tp_iter, PyObject_SelfIter },
    { Py_tp_iternext, input_next },
    { Py_tp_doc, "wsgi.input: the request body" },
    { 0, NULL },
};

PyType_Spec input_spec = {
    .name = "quintet._quintet.Input",
    .basicsize = sizeof(struct input),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = input_slots,
};

int input_prepare(struct exchange *x)
{
    struct input *in;

    if (x->input == NULL || Py_REFCNT(x->input) != 1) {
        allocfunc alloc = (allocfunc)PyType_GetSlot(x->state->input_type, Py_tp_alloc);

        Py_CLEAR(x->input);
        x->input = alloc(x->state->input_type, 0);
        if (x->input == NULL)
            return -1;
        ((struct input *)x->input)->fd = -1;
    }
    in = (struct input *)x->input;
    in->x = x;
    in->serial = x->serial;
    in->at = 0;
    in->window_at = 0;
    in->size = x->request.body == POOL_BODY_NONE ? 0 : x->request.body_size;
    if (x->request.body == POOL_BODY_INLINE) {
        in->data = x->request.body_data;
        in->size = in->data.n;
    }
    return 0;
}

void input_finish(struct exchange *x)
{
    if (x->input == NULL)
        return;
    /* Whoever kept it may be reading in another thread this very moment: then the bytes go with the last reference. */
    if (Py_REFCNT(x->input) == 1)
        release_bytes((struct input *)x->input);
    else
        Py_CLEAR(x->input);
}
