/*
 * When to collect. `bound` is the interpreter's own threshold of young objects (700, later 2000).
 *
 *   under load   generation 0 past the bound, looked at after every request, or every eighth where requests leave little; each tenth time generation 1;
 *                everything when what has survived since the last time is ten bounds and a quarter of the old, which is CPython's own rule
 *   idle 2 ms    generation 0 or 1 past a quarter of the bound. Not at once: the next request is often on its way
 *   idle 100 ms  everything, past one bound and a tenth of the old, or for the first time
 *
 * And a full one at most after a hundred times what the last one took: one percent of the time, however large the heap. Where no object
 * survives, nothing grows, and none is made.
 *
 * What a request has made that is so large that the interpreter collects in its middle, past the raised threshold, is old when it ends, and garbage that
 * no short collection finds. The counts of the older generations tell; a full one is due then, and may take a tenth of the time: each such
 * request leaves a hundred thousand objects at least.
 */
#include "worker/collect.h"

#include "base/clock.h"

#define LOOK_SELDOM 8 /* gc.get_count is a twentieth of the smallest request */
#define YOUNG_ROUNDS 10
#define FULL_SHARE 100
#define HIDDEN_SHARE 10
#define IDLE_YOUNG_NS (2 * NS_PER_MS)
#define IDLE_FULL_NS (100 * NS_PER_MS)
#define IDLE_SLEEP_NS (1 * NS_PER_SEC)

static long positive(long n)
{
    return n > 0 ? n : 0;
}

/* gc.get_count(). False with an error. */
static bool read_counts(struct collect *c, long out[3])
{
    PyObject *counts = PyObject_CallNoArgs(c->get_count);

    for (Py_ssize_t i = 0; counts != NULL && i < 3; i++) {
        PyObject *count = PyTuple_GetItem(counts, i); /* borrowed */

        out[i] = count == NULL ? -1 : PyLong_AsLong(count);
    }
    Py_XDECREF(counts);
    return !PyErr_Occurred();
}

static void remember(struct collect *c, const long counts[3])
{
    c->seen[0] = counts[1];
    c->seen[1] = counts[2];
}

int collect_init(struct collect *c, PyObject *get_count, PyObject *collect, PyObject *settle)
{
    long counts[3];

    if (c->bound <= 0) {
        PyErr_SetString(PyExc_ValueError, "the bound must be positive");
        return -1;
    }
    c->full_at_ns = clock_mono_ns();
    c->get_count = Py_NewRef(get_count);
    if (!read_counts(c, counts))
        return -1;
    remember(c, counts);
    c->settle = Py_NewRef(settle);
    c->collect = Py_NewRef(collect);
    return 0;
}

/* Somebody else has collected: the interpreter past its threshold, or the application. */
static void note_others(struct collect *c, const long counts[3])
{
    long times = positive(counts[1] - c->seen[0]) + YOUNG_ROUNDS * positive(counts[2] - c->seen[1]);

    c->hidden += c->net * (times > 0 ? times : 1);
    remember(c, counts);
}

/* Objects made and not freed since the last collection, nearly; negative: leave the collector alone. */
static long young(struct collect *c)
{
    long counts[3];

    if (!PyGC_IsEnabled())
        return -1;
    if (!read_counts(c, counts)) {
        PyErr_WriteUnraisable(c->get_count);
        return -1;
    }
    if (c->net > 0 && (counts[1] != c->seen[0] || counts[2] != c->seen[1]))
        note_others(c, counts);
    return counts[0];
}

static PyObject *call_collect(const struct collect *c, int generation)
{
    PyObject *which = PyLong_FromLong(generation);
    PyObject *found = which == NULL ? NULL : PyObject_CallFunctionObjArgs(c->collect, which, NULL);

    Py_XDECREF(which);
    return found;
}

static PyObject *call_settle(struct collect *c)
{
    PyObject *settle = c->settle, *found;

    c->settle = NULL; /* before the call: finalizers may let another thread in */
    found = PyObject_CallNoArgs(settle);
    Py_DECREF(settle);
    return found;
}

/* The number of objects found to be garbage. */
static long run(struct collect *c, int generation)
{
    PyObject *found = generation == 2 && c->settle != NULL ? call_settle(c) : call_collect(c, generation);
    long n = found == NULL ? -1 : PyLong_AsLong(found), counts[3];

    if (!PyErr_Occurred() && read_counts(c, counts))
        remember(c, counts);
    if (PyErr_Occurred())
        PyErr_WriteUnraisable(c->collect);
    Py_XDECREF(found);
    return positive(n);
}

/* `n`: young ones, of which those that stay have grown old. */
static void run_short(struct collect *c, long n)
{
    bool middle = ++c->young_rounds > YOUNG_ROUNDS;

    if (middle)
        c->young_rounds = 0;
    c->pending += positive(n - run(c, middle ? 1 : 0));
}

static void run_full(struct collect *c, long n)
{
    uint64_t start = clock_mono_ns();
    long found = run(c, 2);

    c->old = positive(c->old + c->pending + n - positive(found - c->hidden));
    c->pending = 0;
    c->hidden = 0;
    c->young_rounds = 0;
    c->full_at_ns = clock_mono_ns();
    c->full_took_ns = c->full_at_ns - start;
}

/* When time allows a full one. */
static uint64_t full_from(const struct collect *c)
{
    return c->full_at_ns + c->full_took_ns * (c->hidden > 0 ? HIDDEN_SHARE : FULL_SHARE);
}

static bool has_grown(const struct collect *c, int bounds, int part)
{
    long grown = c->pending + c->hidden;

    return grown > c->bound * bounds && grown > c->old / part;
}

/* ---- between requests ---- */

void collect_begin(struct collect *c)
{
    c->running++;
    c->idle_since_ns = 0;
}

static void plan_look(struct collect *c, long n)
{
    bool little = c->hidden == 0 && n + LOOK_SELDOM * positive(n - c->last) < c->bound;

    c->skip = little ? LOOK_SELDOM - 1 : 0;
    c->last = positive(n);
}

void collect_end(struct collect *c)
{
    long n;

    c->running--;
    if (c->collect == NULL || c->running > 0)
        return;
    if (c->skip > 0) {
        c->skip--;
        return;
    }
    n = young(c);
    plan_look(c, n);
    if (n < 0)
        return;
    if ((n > c->bound || c->hidden > 0) && has_grown(c, 10, 4) && clock_mono_ns() >= full_from(c))
        run_full(c, n);
    else if (n > c->bound)
        run_short(c, n);
}

/* ---- idle ---- */

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When a full one is due if nothing comes. */
static uint64_t idle_full_at(const struct collect *c)
{
    return later(full_from(c), c->idle_since_ns + IDLE_FULL_NS);
}

static bool idle_full_wanted(const struct collect *c)
{
    return c->settle != NULL || has_grown(c, 1, 10);
}

uint64_t collect_wait(struct collect *c)
{
    uint64_t now, due;
    long n;

    if (c->collect == NULL || c->running > 0)
        return IDLE_SLEEP_NS;
    /* Where requests leave little there is no hurry: the sleep's end is soon enough for a look. */
    n = c->skip > 0 ? c->last : young(c);
    if (n < 0)
        return IDLE_SLEEP_NS;
    now = clock_mono_ns();
    if (c->idle_since_ns == 0)
        c->idle_since_ns = now;
    if (n > c->bound / 4)
        return IDLE_YOUNG_NS;
    due = idle_full_at(c);
    if (!idle_full_wanted(c) || due >= now + IDLE_SLEEP_NS)
        return IDLE_SLEEP_NS;
    return due > now ? due - now : 1;
}

void collect_idle(struct collect *c)
{
    long n;

    if (c->collect == NULL || c->running > 0 || c->idle_since_ns == 0 || (n = young(c)) < 0)
        return;
    if (idle_full_wanted(c) && clock_mono_ns() >= idle_full_at(c))
        run_full(c, n);
    else if (n > c->bound / 4)
        run_short(c, n);
}
