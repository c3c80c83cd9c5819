/*
 * Broken rules and unhandled exceptions: what the log says about them.
 */
#include "worker/broken.h"

#define SHOWN_MAX 120 /* characters of a value in a log line */

/* A short "str 'hello'" for the message; NULL with an error when even that raises. */
static PyObject *shown(PyObject *value)
{
    PyObject *repr = PyObject_Repr(value), *cut, *name, *text = NULL;

    if (repr == NULL) {
        PyErr_Clear();
        repr = PyUnicode_FromString("(its repr raises)");
    }
    cut = repr == NULL ? NULL : PyUnicode_Substring(repr, 0, SHOWN_MAX);
    name = PyObject_GetAttrString((PyObject *)Py_TYPE(value), "__name__");
    if (cut != NULL && name != NULL)
        text = value == Py_None ? PyUnicode_FromString("None") : PyUnicode_FromFormat("%U %U", name, cut);
    Py_XDECREF(repr);
    Py_XDECREF(cut);
    Py_XDECREF(name);
    return text;
}

void broken_rule(struct exchange *x, const char *rule, PyObject *value)
{
    PyObject *text;

    if (value == NULL) {
        PyErr_Format(x->state->broken_rule, "%s", rule);
        return;
    }
    text = shown(value);
    if (text == NULL)
        return;
    PyErr_Format(x->state->broken_rule, "%s; got %U", rule, text);
    Py_DECREF(text);
}

/* "GET /path", as bytes that cannot fail to decode. */
static PyObject *request_line(const struct exchange *x)
{
    struct str method = x->request.vars[POOL_METHOD], target = x->request.vars[POOL_TARGET];
    PyObject *a = PyUnicode_DecodeLatin1(method.p, (Py_ssize_t)method.n, NULL);
    PyObject *b = PyUnicode_DecodeLatin1(target.p, (Py_ssize_t)target.n, NULL);
    PyObject *line = a == NULL || b == NULL ? NULL : PyUnicode_FromFormat("%U %U", a, b);

    Py_XDECREF(a);
    Py_XDECREF(b);
    return line;
}

void broken_report(struct exchange *x)
{
    PyObject *type, *value, *trace, *line, *result = NULL;

    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace != NULL && value != NULL && PyException_SetTraceback(value, trace) < 0)
        PyErr_Clear();
    line = request_line(x);
    if (line != NULL && value != NULL)
        result = PyObject_CallFunctionObjArgs(x->state->report, line, value, NULL);
    if (result == NULL)
        PyErr_WriteUnraisable(x->state->report);
    Py_XDECREF(result);
    Py_XDECREF(line);
    Py_XDECREF(type);
    Py_XDECREF(value);
    Py_XDECREF(trace);
}
