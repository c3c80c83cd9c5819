/*
 * The types of option values. What each accepts is a function of one text; how it is stored follows from the type:
 * text in an owned string, numbers in uint64_t, choices in an enum.
 */
#include "conf/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conf/presets.h"
#include "conf/rate_limit.h"
#include "conf/site_values.h"
#include "conf/units.h"

#define ADDRESS_MAX 256
#define VALUE_TEXT_MAX (1u << 20) /* of what has been read from a file of that size */
/* enum conf_log_format is written through this type. */
_Static_assert(sizeof(enum conf_log_format) == sizeof(unsigned), "choices are stored as unsigned");

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool is_text(struct str s)
{
    return s.n > 0;
}

static bool is_url_path(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '?' || s.p[i] == '#')
            return false;
    return s.n > 0 && s.p[0] == '/';
}

/* RFC 9110 5.5 without obs-text: it is copied into response fields. */
static bool is_field(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return s.n > 0;
}

static bool is_port(struct str s)
{
    uint64_t port;

    return str_to_u64(s, 65535, &port) == 0;
}

static bool is_v6(struct str s)
{
    char text[INET6_ADDRSTRLEN + 1];
    struct in6_addr addr;

    if (s.n == 0 || s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(AF_INET6, text, &addr) == 1;
}

static bool is_host(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-')
            return false;
    return true; /* ":PORT" is every address, as in Gunicorn */
}

/* The shape alone; whether it can be listened on is found out by who binds it. */
static bool is_address(struct str s)
{
    uint64_t fd;
    ptrdiff_t colon = str_rfind(s, ':');

    if (s.n > ADDRESS_MAX)
        return false;
    if (str_starts(s, STR("unix:")))
        return s.n > strlen("unix:");
    if (str_starts(s, STR("fd://")))
        return str_to_u64(str_cut(s, strlen("fd://"), s.n), 1 << 20, &fd) == 0;
    if (colon < 0 || !is_port(str_cut(s, (size_t)colon + 1, s.n)))
        return false;
    if (colon >= 2 && s.p[0] == '[')
        return s.p[colon - 1] == ']' && is_v6(str_cut(s, 1, (size_t)colon - 1));
    return is_host(str_cut(s, 0, (size_t)colon));
}

static bool is_map(struct str s)
{
    ptrdiff_t equals = str_find(s, '=');

    return equals > 0 && (size_t)equals + 1 < s.n && is_url_path(str_cut(s, 0, (size_t)equals));
}

static bool is_pair(struct str s)
{
    ptrdiff_t equals = str_find(s, '=');

    for (ptrdiff_t i = 0; i < equals; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '_')
            return false;
    return equals > 0 && !is_digit(s.p[0]);
}

/* Dotted Python names; bytes past ASCII may belong to one. */
static bool is_dotted_name(struct str s)
{
    bool start = true;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '.' ? start : !(is_alnum(c) || c == '_' || (unsigned char)c >= 0x80) || (start && is_digit(c)))
            return false;
        start = c == '.';
    }
    return s.n > 0 && !start;
}

/* The callable may be a call such as create_app("x"): Python reads its arguments. */
static bool is_app(struct str s)
{
    struct str rest = s, module = str_split(&rest, ':'), callable = rest;
    ptrdiff_t paren;

    if (!is_dotted_name(module) || str_ends(module, STR(".py")))
        return false;
    if (!callable.p)
        return true;
    paren = str_find(callable, '(');
    if (paren >= 0 && !str_ends(callable, STR(")")))
        return false;
    return is_dotted_name(paren < 0 ? callable : str_cut(callable, 0, (size_t)paren));
}

static bool is_octal(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '7')
            return false;
    while (s.n > 1 && s.p[0] == '0')
        s = str_cut(s, 1, s.n);
    return s.n >= 1 && s.n <= 3;
}

/* "192.0.2.7" becomes "192.0.2.7/32": who reads it need not know both forms. */
static bool network_normal(struct str s, char out[static ADDRESS_MAX])
{
    struct str rest = s, host = str_split(&rest, '/');
    unsigned char addr[sizeof(struct in6_addr)];
    int family = str_find(s, ':') >= 0 ? AF_INET6 : AF_INET;
    uint64_t most = family == AF_INET6 ? 128 : 32, bits = most;

    if (host.n == 0 || host.n >= INET6_ADDRSTRLEN)
        return false;
    memcpy(out, host.p, host.n);
    out[host.n] = '\0';
    if (inet_pton(family, out, addr) != 1 || (rest.p && str_to_u64(rest, most, &bits) < 0))
        return false;
    must(inet_ntop(family, addr, out, INET6_ADDRSTRLEN));
    snprintf(out + strlen(out), ADDRESS_MAX - strlen(out), "/%u", (unsigned)bits);
    return true;
}

static bool is_network(struct str s)
{
    char text[ADDRESS_MAX];

    return str_eq(s, STR("*")) || conf_preset_find(s) != CONF_PRESET_NONE || network_normal(s, text);
}

static bool is_content(struct str s)
{
    (void)s;
    return true;
}

static bool is_rate_limit(struct str s)
{
    struct rate_limit limit;

    return rate_limit_parse(s, &limit) == 0;
}

static struct str rate_limit_normal(struct str s, char out[static ADDRESS_MAX])
{
    struct rate_limit limit;

    _Static_assert(ADDRESS_MAX >= RATE_LIMIT_TEXT_MAX, "room for the normal form");
    must(rate_limit_parse(s, &limit) == 0);
    rate_limit_write(&limit, out);
    return str_of(out);
}

static const struct {
    bool (*is)(struct str text); /* NULL: not text */
    const char *expected;
} types[OPTION_TYPES] = {
    [OPTION_TEXT] = { is_text, "a text" },
    [OPTION_PATH] = { is_text, "a path" },
    [OPTION_ADDRESS] = { is_address, "an address such as 127.0.0.1:8000, [::1]:8000, unix:PATH or fd://3" },
    [OPTION_NETWORK] = { is_network, "an address or network such as 192.0.2.7, 10.0.0.0/8 or fd00::/8, or private, "
                                     "cloudflare or cloudfront" },
    [OPTION_RATE_LIMIT] = { is_rate_limit, RATE_LIMIT_EXPECTED },
    [OPTION_MAP] = { is_map, "URL=DIR such as /static/=var/static" },
    [OPTION_PAIR] = { is_pair, "NAME=value" },
    [OPTION_APP] = { is_app, "MODULE or MODULE:CALLABLE such as mysite.wsgi:application" },
    [OPTION_OCTAL] = { is_octal, "an octal mode from 0 to 777" },
    [OPTION_URL_PATH] = { is_url_path, "a path that begins with a slash, such as /up" },
    [OPTION_FIELD] = { is_field, "printable ASCII text" },
    [OPTION_HOST] = { site_is_host, "a host name such as example.com, *.example.com or *" },
    [OPTION_ROUTE_PATH] = { site_is_route_path, "a path that begins with a slash, without %, //, /./ and /../" },
    [OPTION_HEADER] = { site_is_header, "names and values of response fields such as {X-Frame-Options: DENY}, other "
                                        "than Connection, Content-Length, Date and their like" },
    [OPTION_REDIRECT] = { site_is_redirect,
                          "a path or URL such as /new/ or https://www.example.com; {host}, {path} and {query} "
                          "may stand in it" },
    [OPTION_CONTENT] = { is_content, "a text" },
    [OPTION_DIRECTORY] = { is_text, "a directory" },
    [OPTION_SECRET_FILE] = { is_text, "a file, or off" },
    [OPTION_NUMBER] = { NULL, "a number" },
    [OPTION_DURATION] = { NULL, "a duration such as 30s or 250ms" },
    [OPTION_SIZE] = { NULL, "a size such as 512k or 10m" },
    [OPTION_BOOL] = { NULL, "yes or no" },
};

static bool choice_parse(const struct option_row *row, struct str text, unsigned *index)
{
    for (unsigned i = 0; row->choices[i]; i++)
        if (str_eq(text, str_of(row->choices[i]))) {
            *index = i;
            return true;
        }
    return false;
}

static int bool_parse(struct str text, bool *out)
{
    static const char *const words[][2] = { { "no", "yes" }, { "false", "true" }, { "off", "on" }, { "0", "1" } };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        for (int value = 0; value < 2; value++)
            if (str_eq_nocase(text, str_of(words[i][value]))) {
                *out = value;
                return 0;
            }
    return -EINVAL;
}

static int number_parse(const struct option_row *row, struct str text, uint64_t *out)
{
    uint64_t number = 0;
    int rc;

    if (row->type == OPTION_DURATION && row->choices != NULL && str_eq(text, str_of(row->choices[0]))) {
        *out = CONF_AUTO;
        return 0;
    }
    if (row->type == OPTION_DURATION)
        rc = units_duration_parse(text, &number);
    else if (row->type == OPTION_SIZE)
        rc = units_size_parse(text, &number);
    else
        rc = str_to_u64(text, UINT64_MAX, &number);
    if (rc < 0)
        return rc;
    if (number < row->min || number > row->max)
        return -ERANGE;
    *out = number;
    return 0;
}

static void *field(const struct option_row *row, const void *base)
{
    return (char *)base + row->offset;
}

static bool is_string(const struct option_row *row)
{
    return types[row->type].is || row->type == OPTION_WORD;
}

static void list_append(struct conf_list *list, char *owned)
{
    list->items = mem_realloc(list->items, (list->n + 1) * sizeof(*list->items));
    list->items[list->n++] = owned;
}

static struct str lower(struct str text, char out[static ADDRESS_MAX])
{
    must(text.n < ADDRESS_MAX && (text.p != NULL || text.n == 0));
    for (size_t i = 0; i < text.n; i++)
        out[i] = ascii_lower(text.p[i]);
    return str_make(out, text.n);
}

static void string_store(const struct option_row *row, struct str text, void *base)
{
    char **slot = field(row, base);

    if (option_is(row, OPTION_LIST)) {
        list_append(field(row, base), str_dup(text));
        return;
    }
    mem_free(*slot);
    *slot = str_dup(text);
}

static int string_parse(const struct option_row *row, struct str text, void *base)
{
    char normal[ADDRESS_MAX];
    unsigned ignored;

    if (memchr(text.p ? text.p : "", '\0', text.n))
        return -EINVAL;
    if (row->type == OPTION_WORD ? !choice_parse(row, text, &ignored) : !types[row->type].is(text))
        return -EINVAL;
    if (row->type == OPTION_NETWORK && str_eq(text, STR("*"))) {
        string_store(row, STR("0.0.0.0/0"), base);
        text = STR("::/0");
    }
    if (row->type == OPTION_NETWORK && network_normal(text, normal))
        text = str_of(normal);
    if (row->type == OPTION_RATE_LIMIT)
        text = rate_limit_normal(text, normal);
    if (row->type == OPTION_HOST)
        text = lower(text, normal);
    string_store(row, text, base);
    return 0;
}

int value_parse(const struct option_row *row, struct str text, void *base)
{
    if (is_string(row))
        return string_parse(row, text, base);
    if (row->type == OPTION_CHOICE)
        return choice_parse(row, text, field(row, base)) ? 0 : -EINVAL;
    if (row->type == OPTION_BOOL)
        return bool_parse(text, field(row, base));
    return number_parse(row, text, field(row, base));
}

static size_t field_size(const struct option_row *row)
{
    if (option_is(row, OPTION_LIST))
        return sizeof(struct conf_list);
    if (is_string(row))
        return sizeof(char *);
    if (row->type == OPTION_CHOICE)
        return sizeof(unsigned);
    return row->type == OPTION_BOOL ? sizeof(bool) : sizeof(uint64_t);
}

void value_clear(const struct option_row *row, void *base)
{
    struct conf_list *list = field(row, base);
    char **text = field(row, base);

    if (option_is(row, OPTION_LIST)) {
        for (size_t i = 0; i < list->n; i++)
            mem_free(list->items[i]);
        mem_free(list->items);
    } else if (is_string(row)) {
        mem_free(*text);
    }
    memset(field(row, base), 0, field_size(row));
}

void value_move(const struct option_row *row, void *from, void *to, bool append)
{
    struct conf_list *more = field(row, from);

    if (!append || !option_is(row, OPTION_LIST)) {
        value_clear(row, to);
        memcpy(field(row, to), field(row, from), field_size(row));
    } else {
        for (size_t i = 0; i < more->n; i++)
            list_append(field(row, to), more->items[i]);
        mem_free(more->items);
    }
    memset(field(row, from), 0, field_size(row));
}

void value_copy(const struct option_row *row, const void *from, void *to)
{
    struct buf text;

    value_clear(row, to);
    buf_init(&text, VALUE_TEXT_MAX);
    for (size_t i = 0; i < value_count(row, from); i++) {
        buf_clear(&text);
        must(value_write(row, from, i, &text) == 0 && value_parse(row, buf_str(&text), to) == 0);
    }
    buf_fini(&text);
}

size_t value_count(const struct option_row *row, const void *base)
{
    const struct conf_list *list = field(row, base);
    char *const *text = field(row, base);

    if (option_is(row, OPTION_LIST))
        return list->n;
    return is_string(row) ? *text != NULL : 1;
}

bool value_is_set(const struct option_row *row, const void *base)
{
    return value_count(row, base) > 0;
}

int value_write(const struct option_row *row, const void *base, size_t nth, struct buf *out)
{
    const struct conf_list *list = field(row, base);
    const void *at = field(row, base);

    must(nth < value_count(row, base));
    if (option_is(row, OPTION_LIST))
        return buf_add_str(out, str_of(list->items[nth]));
    if (is_string(row))
        return buf_add_str(out, str_of(*(char *const *)at));
    switch (row->type) {
    case OPTION_CHOICE:
        return buf_add_str(out, str_of(row->choices[*(const unsigned *)at]));
    case OPTION_BOOL:
        return buf_add_str(out, *(const bool *)at ? STR("yes") : STR("no"));
    case OPTION_DURATION:
        if (row->choices != NULL && *(const uint64_t *)at == CONF_AUTO)
            return buf_add_str(out, str_of(row->choices[0]));
        return units_duration_write(out, *(const uint64_t *)at);
    case OPTION_SIZE:
        return units_size_write(out, *(const uint64_t *)at);
    default:
        return buf_printf(out, "%llu", *(const unsigned long long *)at);
    }
}

static int range_end_write(const struct option_row *row, uint64_t number, struct buf *out)
{
    if (row->type == OPTION_DURATION)
        return units_duration_write(out, number);
    if (row->type == OPTION_SIZE)
        return units_size_write(out, number);
    return buf_printf(out, "%llu", (unsigned long long)number);
}

static int choices_write(const char *const *choices, struct buf *out)
{
    int rc = 0;

    for (size_t i = 0; choices[i] && rc == 0; i++)
        rc = buf_printf(out, "%s%s", i == 0 ? "" : choices[i + 1] ? ", " : " or ", choices[i]);
    return rc;
}

int value_expected(const struct option_row *row, int why, struct buf *out)
{
    static const char *const ranges[OPTION_TYPES] = {
        [OPTION_NUMBER] = "a number from ",
        [OPTION_DURATION] = "a duration from ",
        [OPTION_SIZE] = "a size from ",
    };
    int rc;

    if (row->type == OPTION_DURATION && row->choices)
        return buf_printf(out, "%s or %s", row->choices[0],
                          why == -ERANGE ? "a duration of at most a day" : types[row->type].expected);
    if (row->choices)
        return choices_write(row->choices, out);
    if (why != -ERANGE && row->type != OPTION_NUMBER)
        return buf_add_str(out, str_of(types[row->type].expected));
    must(ranges[row->type]);
    if ((rc = buf_add_str(out, str_of(ranges[row->type]))) < 0 || (rc = range_end_write(row, row->min, out)) < 0 ||
        (rc = buf_add_str(out, STR(" to "))) < 0)
        return rc;
    return range_end_write(row, row->max, out);
}
