/* Words, one after the other. */
#include "conf/rate_limit.h"

#include <errno.h>
#include <stdio.h>

static const struct {
    const char *name;
    uint64_t ns;
} periods[] = {
    { "s", UINT64_C(1000000000) },
    { "m", UINT64_C(60000000000) },
    { "h", UINT64_C(3600000000000) },
    { "d", UINT64_C(86400000000000) },
};

static const char *const keys[RATE_KEYS] = {
    [RATE_BY_ADDRESS] = "address", [RATE_BY_HEADER] = "header", [RATE_BY_COOKIE] = "cookie", [RATE_BY_ROUTE] = "route"
};

/* The longest it takes to be owed nothing again: TATs stay far from the end of their range. */
#define DEBT_MAX_NS (366 * UINT64_C(86400000000000))

/* The next word; empty at the end. */
static struct str word(struct str *rest)
{
    struct str w = { NULL, 0 };

    while (rest->p != NULL && w.n == 0)
        w = str_split(rest, ' ');
    return w;
}

static bool has_name(enum rate_limit_key key)
{
    return key == RATE_BY_HEADER || key == RATE_BY_COOKIE;
}

/* RFC 9110 5.6.2: what fields and cookies (RFC 6265 4.1.1) are named with. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && str_find(STR("!#$%&'*+-.^_`|~"), c) < 0)
            return false;
    }
    return s.n > 0 && s.n < RATE_LIMIT_NAME_MAX;
}

static int read_rate(struct str text, struct rate_limit *out)
{
    struct str unit = text, count = str_split(&unit, '/');
    int error = str_to_u64(count, RATE_LIMIT_COUNT_MAX, &out->count);

    if (error != 0 || out->count == 0)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
        if (str_eq(unit, str_of(periods[i].name))) {
            out->period_ns = periods[i].ns;
            out->burst = out->count;
            return 0;
        }
    }
    return -EINVAL;
}

static int read_key(struct str *rest, struct rate_limit *out)
{
    struct str w = word(rest);

    for (unsigned i = 0; i < RATE_KEYS; i++) {
        if (!str_eq(w, str_of(keys[i])))
            continue;
        out->key = (enum rate_limit_key)i;
        if (!has_name(out->key))
            return 0;
        out->name = word(rest);
        return is_token(out->name) ? 0 : -EINVAL;
    }
    return -EINVAL;
}

int rate_limit_parse(struct str text, struct rate_limit *out)
{
    struct rate_limit limit = { .key = RATE_BY_ADDRESS, .name = { "", 0 } };
    struct str rest = text, w;
    int error = read_rate(word(&rest), &limit);

    w = word(&rest);
    if (error == 0 && str_eq(w, STR("burst"))) {
        error = str_to_u64(word(&rest), RATE_LIMIT_COUNT_MAX, &limit.burst);
        w = word(&rest);
    }
    if (error == 0 && str_eq(w, STR("by"))) {
        error = read_key(&rest, &limit);
        w = word(&rest);
    }
    if (error != 0 || w.n > 0 || limit.burst == 0 || limit.period_ns / limit.count * limit.burst > DEBT_MAX_NS)
        return -EINVAL;
    *out = limit;
    return 0;
}

static const char *unit_of(const struct rate_limit *limit)
{
    for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
        if (periods[i].ns == limit->period_ns)
            return periods[i].name;
    }
    must_not_reach();
}

static void write(const struct rate_limit *limit, const char *burst, char *out)
{
    int n = snprintf(out, RATE_LIMIT_TEXT_MAX, "%llu/%s%s by %s%s" STR_FMT, (unsigned long long)limit->count,
                     unit_of(limit), burst, keys[limit->key], has_name(limit->key) ? " " : "", STR_ARG(limit->name));

    must(n > 0 && n < RATE_LIMIT_TEXT_MAX);
}

void rate_limit_write(const struct rate_limit *limit, char out[RATE_LIMIT_TEXT_MAX])
{
    char burst[32];

    snprintf(burst, sizeof(burst), " burst %llu", (unsigned long long)limit->burst);
    write(limit, burst, out);
}

void rate_limit_name(const struct rate_limit *limit, char out[RATE_LIMIT_TEXT_MAX])
{
    write(limit, "", out);
}
