/*
 * Iteration over the application's result.
 *
 * Three ways: a list or tuple is walked by index, its length known beforehand; a FileWrapper around a real file goes as a descriptor; everything else
 * is iterated, each item handed on before the next is asked for. Iteration goes on after Content-Length has been reached, so that a generator runs
 * to its end, but the first surplus item stops it.
 */
#include "worker/body.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/broken.h"
#include "worker/response.h"

/* 1: go on; 0: stop, since the client left, there is a surplus, or none of it is sent anyway; -1 with an error. */
static int send_item(struct exchange *x, PyObject *item)
{
    char *p;
    Py_ssize_t n;

    if (x->stage < EXCHANGE_STARTED) {
        broken_rule(x, "start_response must be called before the first body item", item);
        return -1;
    }
    if (!PyBytes_Check(item)) {
        broken_rule(x, "body items must be bytes", item);
        return -1;
    }
    if (PyBytes_AsStringAndSize(item, &p, &n) < 0)
        return -1;
    if (n == 0)
        return !x->gone;
    return response_data(x, str_make(p, (size_t)n)) == 0 && x->surplus == 0 && response_has_body(x);
}

/* ---- list and tuple ---- */

static PyObject *item_at(PyObject *sequence, Py_ssize_t i)
{
    return PyList_Check(sequence) ? PyList_GetItem(sequence, i) : PyTuple_GetItem(sequence, i); /* borrowed */
}

static Py_ssize_t size_of(PyObject *sequence)
{
    return PyList_Check(sequence) ? PyList_Size(sequence) : PyTuple_Size(sequence);
}

/* Sum of the items' bytes, or -1 when one is no bytes (which is found again, and reported, when it is its turn). */
static Py_ssize_t total_of(PyObject *sequence)
{
    Py_ssize_t total = 0;

    for (Py_ssize_t i = 0; i < size_of(sequence); i++) {
        PyObject *item = item_at(sequence, i);

        if (!PyBytes_Check(item))
            return -1;
        total += PyBytes_Size(item);
    }
    return total;
}

static int send_sequence(struct exchange *x, PyObject *sequence)
{
    Py_ssize_t total =
        x->stage == EXCHANGE_STARTED ? total_of(sequence) : -1; /* SENT: by write(), too late for a header */
    int r = 1;

    if (total > 0)
        response_expect(x, (uint64_t)total);
    /* The size is asked for again: sleeping for room gives other threads the chance to change the list. */
    for (Py_ssize_t i = 0; r > 0 && i < size_of(sequence); i++) {
        PyObject *item = Py_NewRef(item_at(sequence, i));

        r = send_item(x, item);
        Py_DECREF(item);
    }
    return r < 0 ? -1 : 0;
}

/* ---- any iterable ---- */

static PyObject *iterator_of(struct exchange *x, PyObject *result)
{
    PyObject *iterator;

    if (PyBytes_Check(result) || PyUnicode_Check(result)) {
        broken_rule(x, "the application must return an iterable of bytes, such as a list, not the body itself", result);
        return NULL;
    }
    iterator = PyObject_GetIter(result);
    if (iterator == NULL && PyErr_ExceptionMatches(PyExc_TypeError) && !PyObject_HasAttrString(result, "__iter__")) {
        PyErr_Clear();
        broken_rule(x, "the application must return an iterable of bytes", result);
    }
    return iterator;
}

static int send_iterable(struct exchange *x, PyObject *result)
{
    PyObject *iterator = iterator_of(x, result), *item;
    int r = 1;

    if (iterator == NULL)
        return -1;
    while (r > 0) {
        item = PyIter_Next(iterator);
        exchange_end_forked(x);
        if (item == NULL)
            break;
        r = send_item(x, item);
        Py_DECREF(item);
        if (r > 0)
            response_flush(x);
    }
    Py_DECREF(iterator);
    return r < 0 || PyErr_Occurred() ? -1 : 0;
}

/* ---- files ---- */

/* What is left of the regular file behind a FileWrapper: 1 with *fd and *file; 0: read it instead; -1 with an error. */
static int find_file(struct exchange *x, PyObject *wrapper, int *fd, struct pool_file *file)
{
    PyObject *found = PyObject_CallFunctionObjArgs(x->state->plain_file, wrapper, NULL);
    long long offset = 0;
    struct stat st;
    int r = 0;

    if (found == NULL)
        return -1;
    if (found != Py_None)
        r = PyArg_ParseTuple(found, "iL", fd, &offset) ? 1 : -1;
    Py_DECREF(found);
    if (r <= 0)
        return r;
    if (fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode) || offset < 0)
        return 0;
    file->offset = (uint64_t)offset;
    file->length = st.st_size > offset ? (uint64_t)(st.st_size - offset) : 0;
    return 1;
}

/* 1: sent (or the client left); 0: it is no plain file; -1 with an error. */
static int send_file(struct exchange *x, PyObject *wrapper)
{
    struct pool_file file;
    int fd, r;

    if (x->stage < EXCHANGE_STARTED) {
        broken_rule(x, "start_response must be called before the first body item", NULL);
        return -1;
    }
    r = find_file(x, wrapper, &fd, &file);
    if (r <= 0)
        return r;
    if (x->stage == EXCHANGE_STARTED)
        response_expect(x, file.length);
    if (response_file(x, fd, file) == 0)
        x->surplus = 0; /* a file is sent as far as its Content-Length goes: that is how applications send ranges */
    return 1;
}

/* ---- the whole ---- */

static int send_result(struct exchange *x, PyObject *result)
{
    int r = 0;

    if (PyList_CheckExact(result) || PyTuple_CheckExact(result))
        return send_sequence(x, result);
    if ((PyObject *)Py_TYPE(result) == x->state->file_wrapper)
        r = send_file(x, result);
    return r == 0 ? send_iterable(x, result) : r;
}

static int finish(struct exchange *x)
{
    int r;

    if (x->stage < EXCHANGE_STARTED) {
        broken_rule(x, "start_response must be called before the body ends", NULL);
        return -1;
    }
    r = response_end(x);
    if (r == -EPROTO) {
        broken_rule_numbers(x, "the body must have as many bytes as its Content-Length says: %llu, got %llu",
                            (unsigned long long)x->length, (unsigned long long)x->sent);
        return -1;
    }
    return 0;
}

int body_send(struct exchange *x, PyObject *result)
{
    if (send_result(x, result) < 0)
        return -1;
    if (x->gone)
        return 0;
    if (finish(x) < 0)
        return -1;
    if (x->surplus == 0)
        return 0;
    broken_rule_numbers(x, "the body must not have more bytes than its Content-Length says: %llu, got %llu more",
                        (unsigned long long)x->length, (unsigned long long)x->surplus);
    return -1;
}

int body_close(struct exchange *x, PyObject *result)
{
    PyObject *close, *done;

    if (PyList_CheckExact(result) || PyTuple_CheckExact(result))
        return 0;
    close = PyObject_GetAttr(result, x->state->close_name);
    if (close == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
        return 0;
    }
    recorder_phase(x->record, RECORDER_CLOSING);
    response_flush(x); /* the client need not wait for it */
    done = PyObject_CallObject(close, NULL);
    Py_DECREF(close);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}
