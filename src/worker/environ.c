/*
 * Building environ.
 *
 * Repeated fields are joined as RFC 9110 section 5.3 says: ", ", and "; " for Cookie (RFC 6265 section 5.4 and HTTP/2's split cookies).
 * The edge sends no field whose name has an underscore, so that HTTP_X_Y has one meaning.
 */
#include "worker/environ.h"

#include "worker/exchange.h"
#include "worker/rules.h"

#define NAME_MAX_KEPT 128  /* longer header names are not worth a table entry */
#define VALUE_MAX_KEPT 256 /* longer values neither: they seldom repeat */

static const char *const var_names[POOL_VAR_COUNT] = {
    [POOL_METHOD] = "REQUEST_METHOD",
    [POOL_TARGET] = "REQUEST_URI",
    [POOL_PATH] = "PATH_INFO",
    [POOL_QUERY] = "QUERY_STRING",
    [POOL_PROTOCOL] = "SERVER_PROTOCOL",
    [POOL_SCHEME] = "wsgi.url_scheme",
    [POOL_REMOTE_ADDR] = "REMOTE_ADDR",
    [POOL_REMOTE_PORT] = "REMOTE_PORT",
    [POOL_SERVER_NAME] = "SERVER_NAME",
    [POOL_SERVER_PORT] = "SERVER_PORT",
    [POOL_REQUEST_ID] = "HTTP_X_REQUEST_ID",
    [POOL_TLS_PROTOCOL] = "SSL_PROTOCOL",
    [POOL_TLS_CIPHER] = "SSL_CIPHER",
    /* as mod_ssl calls them */
    [POOL_TLS_CLIENT_VERIFY] = "SSL_CLIENT_VERIFY",
    [POOL_TLS_CLIENT_SUBJECT] = "SSL_CLIENT_S_DN",
    [POOL_TLS_CLIENT_ISSUER] = "SSL_CLIENT_I_DN",
    [POOL_TLS_CLIENT_SERIAL] = "SSL_CLIENT_M_SERIAL",
    [POOL_REMOTE_USER] = "REMOTE_USER",
};

/* Left out of environ when empty. */
static bool is_optional(int var)
{
    return var >= POOL_TLS_PROTOCOL && var <= POOL_REMOTE_USER;
}

/* ---- values ---- */

/* True when `value`, an ASCII str, says the same bytes. */
static bool says(PyObject *value, struct str bytes)
{
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(value, &n);

    return p != NULL && (size_t)n == bytes.n && memcmp(p, bytes.p, bytes.n) == 0;
}

static PyObject *text_of(struct str bytes)
{
    return PyUnicode_DecodeLatin1(bytes.p, (Py_ssize_t)bytes.n, NULL);
}

/* A str of these latin-1 bytes, by the entry's last value if it is the same. A new reference. */
static PyObject *value_of(struct environ_entry *entry, struct str bytes)
{
    PyObject *value;

    if (entry->value != NULL && says(entry->value, bytes))
        return Py_NewRef(entry->value);
    value = text_of(bytes);
    if (value != NULL && bytes.n <= VALUE_MAX_KEPT && rules_is_ascii(bytes)) {
        Py_XDECREF(entry->value);
        entry->value = Py_NewRef(value);
    }
    return value;
}

static int set_value(PyObject *env, PyObject *key, PyObject *value)
{
    int r = value == NULL ? -1 : PyDict_SetItem(env, key, value);

    Py_XDECREF(value);
    return r;
}

/* ---- header names ---- */

/* HTTP_ACCEPT_ENCODING of Accept-Encoding; `out` has room for 5 + name.n. */
static struct str name_to_key(struct str name, char *out)
{
    memcpy(out, "HTTP_", 5);
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        out[5 + i] = c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
    }
    return str_make(out, 5 + name.n);
}

static size_t hash_of(struct str s)
{
    uint32_t h =
        2166136261u; /* FNV-1a: the table is bounded and falls back to no table, so collisions cost time for 512 names at most */

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

/* The names that CGI calls otherwise; NULL for the usual HTTP_*. */
static PyObject *special_key(struct environ_maker *maker, struct str key)
{
    if (str_eq(key, STR("HTTP_CONTENT_TYPE")))
        return maker->content_type;
    if (str_eq(key, STR("HTTP_CONTENT_LENGTH")))
        return maker->content_length;
    return NULL;
}

static PyObject *make_key(struct environ_maker *maker, struct str key)
{
    PyObject *special = special_key(maker, key), *made;

    if (special != NULL)
        return Py_NewRef(special);
    made = text_of(key);
    if (made != NULL)
        PyUnicode_InternInPlace(&made);
    return made;
}

/* The entry of a header name, learnt if there is room. NULL when the table is full (no error) or with an error. */
static struct environ_entry *entry_of(struct environ_maker *maker, struct str key)
{
    size_t i = hash_of(key) & (ENVIRON_NAMES - 1);
    struct environ_entry *entry;
    char *copy;

    for (entry = &maker->names[i]; entry->key != NULL; entry = &maker->names[i]) {
        if (str_eq(entry->name, key))
            return entry;
        i = (i + 1) & (ENVIRON_NAMES - 1);
    }
    if (maker->n_names >= ENVIRON_NAMES / 2)
        return NULL;
    entry->key = make_key(maker, key);
    if (entry->key == NULL)
        return NULL;
    copy = str_dup(key);
    entry->name = str_make(copy, key.n);
    maker->n_names++;
    return entry;
}

/* ---- fields ---- */

/* A field that came before: old + separator + new. */
static int join(PyObject *env, PyObject *key, PyObject *old, struct str name, struct str value)
{
    PyObject *more = text_of(value);
    const char *separator = str_eq_nocase(name, STR("cookie")) ? "; " : ", ";
    PyObject *both = more == NULL ? NULL : PyUnicode_FromFormat("%U%s%U", old, separator, more);

    Py_XDECREF(more);
    return set_value(env, key, both);
}

static int set_field(struct environ_entry *entry, PyObject *env, const struct pool_field *field)
{
    PyObject *old = PyDict_GetItemWithError(env, entry->key);

    if (old != NULL)
        return join(env, entry->key, old, field->name, field->value);
    return PyErr_Occurred() ? -1 : set_value(env, entry->key, value_of(entry, field->value));
}

/* The edge has said so by other means: the body has been counted, and it has decided on the id. */
static bool is_left_out(const struct environ_maker *maker, const struct environ_entry *entry)
{
    return entry->key == maker->content_length || entry->key == maker->vars[POOL_REQUEST_ID].key;
}

/* A name that is too long or too rare for the table. */
static int set_rare_field(struct environ_maker *maker, PyObject *env, const struct pool_field *field, struct str key)
{
    struct environ_entry entry = { .name = key, .key = make_key(maker, key) };
    int r = entry.key == NULL ? -1 : 0;

    if (r == 0 && !is_left_out(maker, &entry))
        r = set_field(&entry, env, field);
    Py_XDECREF(entry.key);
    Py_XDECREF(entry.value);
    return r;
}

static int add_long_field(struct environ_maker *maker, PyObject *env, const struct pool_field *field)
{
    char *bytes = PyMem_Malloc(5 + field->name.n);
    int r;

    if (bytes == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    r = set_rare_field(maker, env, field, name_to_key(field->name, bytes));
    PyMem_Free(bytes);
    return r;
}

static int add_field(struct environ_maker *maker, PyObject *env, const struct pool_field *field)
{
    char bytes[5 + NAME_MAX_KEPT];
    struct environ_entry *entry;
    struct str key;

    if (field->name.n > NAME_MAX_KEPT)
        return add_long_field(maker, env, field);
    key = name_to_key(field->name, bytes);
    entry = entry_of(maker, key);
    if (entry == NULL)
        return PyErr_Occurred() ? -1 : set_rare_field(maker, env, field, key);
    return is_left_out(maker, entry) ? 0 : set_field(entry, env, field);
}

/* The same for a field that has another value than in the last request. -1 with an error; 1: not by the table. */
static int replace_field(struct environ_maker *maker, PyObject *env, const struct pool_field *field)
{
    char bytes[5 + NAME_MAX_KEPT];
    struct environ_entry *entry;

    if (field->name.n > NAME_MAX_KEPT)
        return 1;
    entry = entry_of(maker, name_to_key(field->name, bytes));
    if (entry == NULL)
        return PyErr_Occurred() ? -1 : 1;
    return is_left_out(maker, entry) ? 0 : set_value(env, entry->key, text_of(field->value));
}

/* ---- the dict ---- */

/* What environ says of a variable. */
static struct str var_of(const struct pool_request *request, int var)
{
    struct str bytes = request->vars[var];

    if (var == POOL_PATH && str_eq(bytes, STR("*")))
        bytes.n = 0; /* OPTIONS *: no path at all; wsgiref.validate wants a slash in front of any */
    return bytes;
}

static int set_var(struct environ_maker *maker, PyObject *env, const struct pool_request *request, int var)
{
    if (is_optional(var) && request->vars[var].n == 0)
        return 0;
    return set_value(env, maker->vars[var].key, value_of(&maker->vars[var], var_of(request, var)));
}

static int add_vars(struct environ_maker *maker, PyObject *env, const struct pool_request *request)
{
    for (int i = 0; i < POOL_VAR_COUNT; i++)
        if (set_var(maker, env, request, i) < 0)
            return -1;
    if (str_eq(request->vars[POOL_SCHEME], STR("https")) && PyDict_SetItem(env, maker->https, maker->on) < 0)
        return -1;
    return 0;
}

/* All that comes from the request's bytes. */
static PyObject *make(struct environ_maker *maker, const struct pool_request *request)
{
    PyObject *env = PyDict_Copy(maker->template);

    if (env == NULL || add_vars(maker, env, request) < 0)
        goto fail;
    for (uint32_t i = 0; i < request->n_fields; i++)
        if (add_field(maker, env, &request->fields[i]) < 0)
            goto fail;
    return env;
fail:
    Py_XDECREF(env);
    return NULL;
}

/* Brings the last environ up to date. What differs is not looked for among the values kept for other environs: that is a tenth of all this.
 * 0; -1 with an error; 1: it cannot be. */
static int update(struct environ_maker *maker, struct repeat *r, const struct pool_request *request)
{
    bool moved = false;
    int error = 0;

    for (int i = 0; i < POOL_VAR_COUNT && error == 0; i++) {
        if (repeat_same(r->vars[i], request->vars[i]))
            continue;
        error = set_value(r->environ, maker->vars[i].key, text_of(var_of(request, i)));
        moved |= !repeat_replace(&r->vars[i], request->vars[i]);
    }
    for (uint32_t i = 0; i < r->n_fields && error == 0; i++) {
        if (repeat_same(r->fields[i].value, request->fields[i].value))
            continue;
        error = replace_field(maker, r->environ, &request->fields[i]);
        moved |= !repeat_replace(&r->fields[i].value, request->fields[i].value);
    }
    if (error == 0 && moved)
        repeat_learn(r, request);
    return error;
}

/* By the last environ if the request has its keys. NULL without an error: it has not. */
static PyObject *copy_of_last(struct environ_maker *maker, struct repeat *r, const struct pool_request *request)
{
    int error = 0;

    if (!repeat_has_keys_of(r, request)) {
        repeat_forget(r);
        repeat_learn(r, request);
        return NULL;
    }
    if (r->environ == NULL) {
        if (!repeat_is_plain(r))
            return NULL;
        repeat_learn(r, request);
        r->environ = make(maker, request);
    } else {
        error = update(maker, r, request);
    }
    if (error != 0)
        repeat_forget(r);
    return r->environ == NULL ? NULL : PyDict_Copy(r->environ);
}

static int add_rest(struct environ_maker *maker, PyObject *env, const struct exchange *x)
{
    uint64_t now = pool_taken_ns(x->state->worker.pool, x->ticket), queued = x->request.queued_ns;
    double waited = now > queued ? (double)(now - queued) / 1e9 : 0;

    if (set_value(env, maker->queue_time, PyFloat_FromDouble(waited)) < 0 ||
        set_value(env, maker->edge_time, PyFloat_FromDouble((double)x->request.edge_ns / 1e9)) < 0)
        return -1;
    if (x->request.has_body && set_value(env, maker->content_length,
                                         PyUnicode_FromFormat("%llu", (unsigned long long)x->request.body_size)) < 0)
        return -1;
    return PyDict_SetItem(env, maker->input, x->input);
}

PyObject *environ_build(struct environ_maker *maker, struct exchange *x)
{
    PyObject *env = copy_of_last(maker, &x->repeat, &x->request);

    if (env == NULL && !PyErr_Occurred())
        env = make(maker, &x->request);
    if (env != NULL && add_rest(maker, env, x) < 0)
        Py_CLEAR(env);
    return env;
}

/* A place for each key that every request has: the copy is then large enough for most requests. */
static int add_places(struct environ_maker *maker)
{
    for (int i = 0; i < POOL_VAR_COUNT; i++)
        if (!is_optional(i) && PyDict_SetItem(maker->template, maker->vars[i].key, Py_None) < 0)
            return -1;
    if (PyDict_SetItem(maker->template, maker->queue_time, Py_None) < 0 ||
        PyDict_SetItem(maker->template, maker->edge_time, Py_None) < 0)
        return -1;
    return PyDict_SetItem(maker->template, maker->input, Py_None);
}

int environ_init(struct environ_maker *maker, PyObject *constants)
{
    maker->template = PyDict_Copy(constants);
    maker->input = PyUnicode_InternFromString("wsgi.input");
    maker->content_length = PyUnicode_InternFromString("CONTENT_LENGTH");
    maker->content_type = PyUnicode_InternFromString("CONTENT_TYPE");
    maker->queue_time = PyUnicode_InternFromString("quintet.queue_time");
    maker->edge_time = PyUnicode_InternFromString("quintet.edge_time");
    maker->https = PyUnicode_InternFromString("HTTPS");
    maker->on = PyUnicode_InternFromString("on");
    if (maker->template == NULL || maker->input == NULL || maker->content_length == NULL ||
        maker->content_type == NULL || maker->queue_time == NULL || maker->edge_time == NULL || maker->https == NULL ||
        maker->on == NULL)
        return -1;
    for (int i = 0; i < POOL_VAR_COUNT; i++) {
        maker->vars[i].key = PyUnicode_InternFromString(var_names[i]);
        if (maker->vars[i].key == NULL)
            return -1;
    }
    return add_places(maker);
}
