/*
 * Durations and sizes: a number, an optional fraction (durations), a unit of a small table. Whole arithmetic, so that what is read
 * is exactly what was written.
 */
#include "conf/units.h"

#include <errno.h>

struct unit {
    const char *name;
    uint64_t size;
};

/* Largest first: the first that divides is the shortest exact form. */
static const struct unit duration_units[] = {
    { "d", UINT64_C(86400000000000) },
    { "h", UINT64_C(3600000000000) },
    { "m", UINT64_C(60000000000) },
    { "s", UINT64_C(1000000000) },
    { "ms", UINT64_C(1000000) },
    { "us", UINT64_C(1000) },
    { "ns", UINT64_C(1) },
};
static const struct unit size_units[] = { { "g", UINT64_C(1) << 30 },
                                          { "m", UINT64_C(1) << 20 },
                                          { "k", UINT64_C(1) << 10 } };

static size_t digits(struct str text)
{
    size_t n = 0;

    while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
        n++;
    return n;
}

static const struct unit *find(const struct unit *units, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, str_of(units[i].name)))
            return &units[i];
    return NULL;
}

/* Adds .fraction × unit; it must come out whole, so "1.5s" is fine and "0.5ns" is not. */
static int add_fraction(struct str fraction, uint64_t unit, uint64_t *value)
{
    uint64_t part = 0;

    for (size_t i = 0; i < fraction.n; i++) {
        uint64_t digit = (uint64_t)(fraction.p[i] - '0');

        if (digit && (unit == 0 || unit % 10))
            return -EINVAL;
        unit /= 10;
        part += digit * unit;
    }
    return __builtin_add_overflow(*value, part, value) ? -ERANGE : 0;
}

int units_duration_parse(struct str text, uint64_t *ns)
{
    size_t whole = digits(text), fraction = 0, end = whole;
    const struct unit *unit;
    uint64_t value = 0;
    int rc;

    if (whole < text.n && text.p[whole] == '.') {
        fraction = digits(str_cut(text, whole + 1, text.n));
        end = whole + 1 + fraction;
    }
    if (whole == 0 || (end != whole && fraction == 0))
        return -EINVAL;
    unit = end == text.n ? &duration_units[3]
                         : find(duration_units, ARRAY_LEN(duration_units), str_cut(text, end, text.n));
    if (!unit)
        return -EINVAL;
    rc = str_to_u64(str_cut(text, 0, whole), UINT64_MAX / unit->size, &value);
    if (rc < 0)
        return rc;
    value *= unit->size;
    rc = add_fraction(str_cut(text, end - fraction, end), unit->size, &value);
    if (rc == 0)
        *ns = value;
    return rc;
}

int units_size_parse(struct str text, uint64_t *bytes)
{
    size_t whole = digits(text);
    struct str name = str_cut(text, whole, text.n);
    uint64_t unit = 1, value = 0;
    const struct unit *found;
    int rc;

    if (whole == 0)
        return -EINVAL;
    if (name.n > 1 && str_eq_nocase(str_cut(name, 1, name.n), STR("ib")))
        name.n = 1;
    else if (name.n > 0 && ascii_lower(name.p[name.n - 1]) == 'b')
        name.n--;
    if (name.n > 0) {
        found = find(size_units, ARRAY_LEN(size_units), name);
        if (!found)
            return -EINVAL;
        unit = found->size;
    }
    rc = str_to_u64(str_cut(text, 0, whole), UINT64_MAX / unit, &value);
    if (rc == 0)
        *bytes = value * unit;
    return rc;
}

int units_duration_write(struct buf *out, uint64_t ns)
{
    const struct unit *unit = duration_units;

    if (ns == 0)
        return buf_add_str(out, STR("0s"));
    while (ns % unit->size)
        unit++;
    return buf_printf(out, "%llu%s", (unsigned long long)(ns / unit->size), unit->name);
}

int units_size_write(struct buf *out, uint64_t bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(size_units) && bytes; i++)
        if (bytes % size_units[i].size == 0)
            return buf_printf(out, "%llu%s", (unsigned long long)(bytes / size_units[i].size), size_units[i].name);
    return buf_printf(out, "%llu", (unsigned long long)bytes);
}
