/*
 * start_response: checks, copies, remembers.
 */
#include "worker/start_response.h"

#include <errno.h>

#include "worker/broken.h"
#include "worker/response.h"
#include "worker/rules.h"

#define FIELD_OVERHEAD 16 /* bytes a field costs in a HEAD frame beside name and value, at most */

/* The exchange behind start_response or write, or NULL with an error when its request is over or this is a forked child. */
static struct exchange *exchange_of(PyObject *self, const char *what)
{
    struct handle *handle = (struct handle *)self;
    struct exchange *x = handle->x;

    if (x->serial == handle->serial && !x->state->worker.forked)
        return x;
    PyErr_Format(x->state->broken_rule, "%s was called %s", what,
                 x->serial == handle->serial ? "in a child process made by fork(); only the worker itself can answer"
                                             : "after its request had ended");
    return NULL;
}

/* ---- text ---- */

/* UTF-8 of code points below 256 to latin-1, in place of n bytes at most; -1 for any other. */
static ptrdiff_t to_latin1(char *out, const char *utf8, size_t n)
{
    size_t used = 0;

    if (rules_is_ascii(str_make(utf8, n))) {
        memcpy(out, utf8, n);
        return (ptrdiff_t)n;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)utf8[i];

        if (c < 0x80) {
            out[used++] = (char)c;
            continue;
        }
        if (c > 0xc3)
            return -1;
        i++;
        out[used++] = (char)((c & 3) << 6 | ((unsigned char)utf8[i] & 0x3f));
    }
    return (ptrdiff_t)used;
}

/* Copies a str behind what the head has already. 0, or -1 with an error. */
static int keep_text(struct exchange *x, PyObject *text, const char *what, struct str *out)
{
    Py_ssize_t n = 0;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &n);
    size_t room = sizeof(x->bytes) - FIELD_OVERHEAD * (x->head.n_fields + 2);
    ptrdiff_t used;

    if (utf8 == NULL) { /* lone surrogates */
        PyErr_Clear();
        used = -1;
    } else if (x->used + (size_t)n > room) {
        broken_rule_numbers(x, "status and headers must not exceed %d bytes together (a limit of the server)",
                            (int)room);
        return -1;
    } else {
        used = to_latin1(x->bytes + x->used, utf8, (size_t)n);
    }
    if (used < 0) {
        broken_rule(x, what, text);
        return -1;
    }
    *out = str_make(x->bytes + x->used, (size_t)used);
    x->used += (size_t)used;
    return 0;
}

/* ---- status and headers ---- */

static int keep_status(struct exchange *x, PyObject *status)
{
    const char *rule;
    struct str text;

    if (!PyUnicode_Check(status)) {
        broken_rule(x, "the status must be a str", status);
        return -1;
    }
    if (keep_text(x, status, "the status must be latin-1 text", &text) < 0)
        return -1;
    rule = rules_status(text, &x->head.status, &x->head.reason);
    if (rule != NULL)
        broken_rule(x, rule, status);
    return rule != NULL ? -1 : 0;
}

static int keep_length(struct exchange *x, struct str value, PyObject *item)
{
    if (x->has_length) {
        broken_rule(x, "Content-Length must not be given twice", item);
        return -1;
    }
    if (str_to_u64(str_trim(value), INT64_MAX, &x->length) < 0) {
        broken_rule(x, "Content-Length must be a decimal number", item);
        return -1;
    }
    x->has_length = true;
    return 0;
}

static bool is_content_length(const struct pool_field *field)
{
    return field->name.n == 14 && str_eq_nocase(field->name, STR("content-length"));
}

static bool names_a_file(const struct pool_field *field)
{
    return (field->name.n == 16 && str_eq_nocase(field->name, STR("x-accel-redirect"))) ||
           (field->name.n == 10 && str_eq_nocase(field->name, STR("x-sendfile")));
}

/* One (name, value) pair, whose shape has been checked. */
static int keep_pair(struct exchange *x, PyObject *item, PyObject *name, PyObject *value)
{
    struct pool_field *field = &x->fields[x->head.n_fields];
    const char *rule;

    if (keep_text(x, name, "a header name must be latin-1 text", &field->name) < 0 ||
        keep_text(x, value, "a header value must be latin-1 text", &field->value) < 0)
        return -1;
    rule = rules_field_name(field->name);
    if (rule == NULL)
        rule = rules_field_value(field->value);
    if (rule != NULL) {
        broken_rule(x, rule, item);
        return -1;
    }
    x->elsewhere |= names_a_file(field);
    if (is_content_length(field)) {
        if (keep_length(x, field->value, item) < 0)
            return -1;
        if (x->head.status == 204)
            return 0; /* must not be sent (RFC 9110 section 8.6), and Django sends it */
    }
    x->head.n_fields++;
    return 0;
}

static int keep_header(struct exchange *x, PyObject *item)
{
    PyObject *name, *value;

    if (!PyTuple_Check(item) || PyTuple_Size(item) != 2) {
        broken_rule(x, "each header must be a tuple (name, value)", item);
        return -1;
    }
    name = PyTuple_GetItem(item, 0);
    value = PyTuple_GetItem(item, 1);
    if (!PyUnicode_Check(name) || !PyUnicode_Check(value)) {
        broken_rule(x, "header names and values must be str", item);
        return -1;
    }
    if (x->head.n_fields == POOL_FIELDS_MAX) {
        broken_rule_numbers(x, "there must not be more than %d headers (a limit of the server)", POOL_FIELDS_MAX);
        return -1;
    }
    return keep_pair(x, item, name, value);
}

/* The edge sends a file in the body's place, and what says how long it is has said so of the file: no rule for the body. */
static void forget_length(struct exchange *x)
{
    uint32_t n = 0;

    x->has_length = false;
    x->length = 0;
    for (uint32_t i = 0; i < x->head.n_fields; i++) {
        if (!is_content_length(&x->fields[i]))
            x->fields[n++] = x->fields[i];
    }
    x->head.n_fields = n;
}

static void forget_head(struct exchange *x)
{
    x->stage = EXCHANGE_OPEN;
    x->elsewhere = false;
    x->used = 0;
    x->head = (struct pool_head){ .fields = x->fields };
    x->has_length = false;
    x->length = 0;
}

static int keep_head(struct exchange *x, PyObject *status, PyObject *headers)
{
    forget_head(x);
    if (keep_status(x, status) < 0)
        return -1;
    if (!PyList_Check(headers)) {
        broken_rule(x, "the headers must be a list", headers);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_Size(headers); i++)
        if (keep_header(x, PyList_GetItem(headers, i)) < 0)
            return -1;
    if (x->elsewhere)
        forget_length(x);
    x->stage = EXCHANGE_STARTED;
    recorder_status(x->record, x->head.status);
    if (atomic_load_explicit(&x->record->phase, memory_order_relaxed) ==
        RECORDER_CALLED) /* not from a generator's first step */
        recorder_phase(x->record, RECORDER_STARTED);
    return 0;
}

/* ---- the callables ---- */

/* PEP 3333: "if headers have already been sent, raise the exc_info". */
static PyObject *raise_again(struct exchange *x, PyObject *exc_info)
{
    PyObject *value = PyTuple_Size(exc_info) == 3 ? PyTuple_GetItem(exc_info, 1) : NULL;
    PyObject *type, *trace;

    if (value == NULL || !PyExceptionInstance_Check(value)) {
        broken_rule(x, "exc_info must be the tuple of sys.exc_info()", exc_info);
        return NULL;
    }
    type = (PyObject *)Py_TYPE(value);
    trace = PyTuple_GetItem(exc_info, 2);
    PyErr_Restore(Py_NewRef(type), Py_NewRef(value), trace == Py_None ? NULL : Py_NewRef(trace));
    return NULL;
}

static PyObject *call_start_response(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    struct exchange *x = exchange_of(self, "start_response");
    Py_ssize_t keywords = names == NULL ? 0 : PyTuple_Size(names);
    PyObject *exc_info = n + keywords == 3 ? args[2] : Py_None;

    if (x == NULL)
        return NULL;
    if (n < 2 || n + keywords > 3 ||
        (keywords == 1 && PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, 0), "exc_info") != 0)) {
        broken_rule(x, "start_response takes status, headers and optionally exc_info, by position", NULL);
        return NULL;
    }
    if (exc_info != Py_None && !PyTuple_Check(exc_info)) {
        broken_rule(x, "exc_info must be the tuple of sys.exc_info()", exc_info);
        return NULL;
    }
    if (exc_info == Py_None && x->stage >= EXCHANGE_STARTED) {
        broken_rule(x, "start_response must not be called again without exc_info", args[0]);
        return NULL;
    }
    if (x->stage >= EXCHANGE_SENT)
        return raise_again(x, exc_info);
    return keep_head(x, args[0], args[1]) < 0 ? NULL : Py_NewRef(x->write);
}

/* PEP 3333, "The write() Callable": at once to the edge, so that nothing is held back. */
static PyObject *call_write(PyObject *self, PyObject *data)
{
    struct exchange *x = exchange_of(self, "write()");
    char *p = NULL;
    Py_ssize_t n = 0;

    if (x == NULL)
        return NULL;
    if (!PyBytes_Check(data)) {
        broken_rule(x, "write() takes bytes", data);
        return NULL;
    }
    if (PyBytes_AsStringAndSize(data, &p, &n) < 0)
        return NULL;
    if (x->stage < EXCHANGE_STARTED) { /* a later start_response was refused */
        broken_rule(x, "write() must not be called before start_response has succeeded", NULL);
        return NULL;
    }
    if (x->has_length && (uint64_t)n > x->length - x->sent && !x->request.head_only) {
        broken_rule_numbers(
            x, "write() must not exceed the Content-Length of %llu: %llu bytes were written before, now %zd more",
            (unsigned long long)x->length, (unsigned long long)x->sent, n);
        return NULL;
    }
    if (n > 0 && x->stage == EXCHANGE_ENDED) {
        broken_rule(x, "write() must not be called after the response has ended", NULL);
        return NULL;
    }
    if (n > 0 && response_data(x, str_make(p, (size_t)n)) < 0) {
        PyErr_SetString(PyExc_BrokenPipeError, "the client has left");
        return NULL;
    }
    if (n > 0)
        response_flush(x);
    return Py_NewRef(Py_None);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type" /* CPython's own convention for METH_FASTCALL */
static PyMethodDef start_response_def = { "start_response", (PyCFunction)(void (*)(void))call_start_response,
                                          METH_FASTCALL | METH_KEYWORDS,
                                          "start_response(status, headers, exc_info=None) -> write" };
#pragma GCC diagnostic pop
static PyMethodDef write_def = { "write", call_write, METH_O, "write(bytes)" };

/* ---- the handle ---- */

static void handle_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

    release(self);
    Py_DECREF(type);
}

static PyType_Slot handle_slots[] = {
    { Py_tp_dealloc, handle_dealloc },
    { 0, NULL },
};

PyType_Spec exchange_handle_spec = {
    .name = "quintet._quintet.Handle",
    .basicsize = sizeof(struct handle),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = handle_slots,
};

static int make_callables(struct exchange *x)
{
    allocfunc alloc = (allocfunc)PyType_GetSlot(x->state->handle_type, Py_tp_alloc);

    Py_CLEAR(x->start_response);
    Py_CLEAR(x->write);
    Py_CLEAR(x->handle);
    x->handle = alloc(x->state->handle_type, 0);
    if (x->handle == NULL)
        return -1;
    ((struct handle *)x->handle)->x = x;
    x->start_response = PyCFunction_New(&start_response_def, x->handle);
    x->write = PyCFunction_New(&write_def, x->handle);
    return x->start_response == NULL || x->write == NULL ? -1 : 0;
}

int start_response_prepare(struct exchange *x)
{
    /* Both functions refer to the handle, and so does x. */
    bool kept = x->start_response == NULL || x->write == NULL || Py_REFCNT(x->start_response) != 1 ||
                Py_REFCNT(x->write) != 1 || Py_REFCNT(x->handle) != 3;

    if (kept && make_callables(x) < 0)
        return -1;
    ((struct handle *)x->handle)->serial = x->serial;
    forget_head(x);
    return 0;
}
