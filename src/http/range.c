/* Reads a set of byte ranges and makes it small. */
#include "http/range.h"

#include <errno.h>

enum spec { SPEC_RANGE, SPEC_BEYOND, SPEC_MALFORMED }; /* BEYOND: nothing of it exists */

/* Digits only; what does not fit is as good as the largest number. */
static bool parse_position(struct str digits, uint64_t *value)
{
    int err = str_to_u64(digits, UINT64_MAX, value);

    if (err == -ERANGE)
        *value = UINT64_MAX;
    return err == 0 || err == -ERANGE;
}

/* "-500": the last bytes (14.1.2). Of nothing there are none, and 206 could not say it: as if malformed. */
static enum spec parse_suffix(struct str digits, uint64_t size, struct http_range *out)
{
    uint64_t n;

    if (!parse_position(digits, &n) || (n > 0 && size == 0))
        return SPEC_MALFORMED;
    if (n == 0)
        return SPEC_BEYOND;
    *out = (struct http_range){ n < size ? size - n : 0, size - 1 };
    return SPEC_RANGE;
}

static enum spec parse_spec(struct str spec, uint64_t size, struct http_range *out)
{
    ptrdiff_t dash = str_find(spec, '-');
    struct str last;

    if (dash < 0)
        return SPEC_MALFORMED;
    last = str_cut(spec, (size_t)dash + 1, spec.n);
    if (dash == 0)
        return parse_suffix(last, size, out);
    if (!parse_position(str_cut(spec, 0, (size_t)dash), &out->first))
        return SPEC_MALFORMED;
    out->last = UINT64_MAX;
    if (last.n > 0 && (!parse_position(last, &out->last) || out->last < out->first))
        return SPEC_MALFORMED;
    if (out->first >= size)
        return SPEC_BEYOND;
    if (out->last >= size)
        out->last = size - 1;
    return SPEC_RANGE;
}

static bool are_near(const struct http_range *a, const struct http_range *b)
{
    const struct http_range *low = a->first <= b->first ? a : b, *high = low == a ? b : a;

    return high->first <= low->last || high->first - low->last - 1 <= HTTP_RANGE_GAP;
}

static void take_out(struct http_ranges *set, uint32_t i)
{
    set->n--;
    memmove(&set->at[i], &set->at[i + 1], (set->n - i) * sizeof(set->at[0]));
}

/* Puts a range into the set, together with all that it comes near to, at the place of the first of them. False: the set is full. */
static bool add(struct http_ranges *set, struct http_range new)
{
    uint32_t place = HTTP_RANGES_MAX;

    for (uint32_t i = 0; i < set->n;) {
        if (!are_near(&set->at[i], &new)) {
            i++;
            continue;
        }
        if (set->at[i].first < new.first)
            new.first = set->at[i].first;
        if (set->at[i].last > new.last)
            new.last = set->at[i].last;
        place = i < place ? i : place;
        take_out(set, i);
        i = 0; /* it has grown: what was far may be near now */
    }
    if (set->n == HTTP_RANGES_MAX)
        return false;
    place = place < set->n ? place : set->n;
    memmove(&set->at[place + 1], &set->at[place], (set->n - place) * sizeof(set->at[0]));
    set->at[place] = new;
    set->n++;
    return true;
}

static enum http_range_result parse_set(struct str list, uint64_t size, struct http_ranges *out)
{
    unsigned specs = 0;

    out->n = 0;
    while (list.p != NULL) {
        struct str text = str_trim(str_split(&list, ','));
        struct http_range range;
        enum spec spec;

        if (text.n == 0) /* an empty member of a list is no member (5.6.1) */
            continue;
        spec = parse_spec(text, size, &range);
        if (spec == SPEC_MALFORMED || ++specs > HTTP_RANGE_SPECS_MAX || (spec == SPEC_RANGE && !add(out, range)))
            return HTTP_RANGE_NONE;
    }
    if (specs == 0)
        return HTTP_RANGE_NONE;
    return out->n > 0 ? HTTP_RANGE_SOME : HTTP_RANGE_UNSATISFIABLE;
}

enum http_range_result http_range_evaluate(const struct http_head *head, const char *base,
                                           const struct http_validators *v, uint64_t size, struct http_ranges *out)
{
    const struct http_field *field = http_head_single(head, HTTP_F_RANGE);
    struct str value, unit = STR("bytes=");

    if (head->method != HTTP_GET || !field || !http_if_range_holds(head, base, v)) /* 14.2 */
        return HTTP_RANGE_NONE;
    value = http_str(base, field->value);
    if (value.n < unit.n || !str_eq_nocase(str_cut(value, 0, unit.n), unit))
        return HTTP_RANGE_NONE;
    return parse_set(str_cut(value, unit.n, value.n), size, out);
}
