/* Accept-Encoding, read into one weight a coding. */
#include "http/encoding.h"

#define UNLISTED UINT16_MAX
#define Q_BY_DEFAULT 1 /* of identity: acceptable, but behind whatever the client names (12.5.3) */

/* ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
int http_weight(struct str s)
{
    int q, unit = 100;

    if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
        return -1;
    q = (s.p[0] - '0') * HTTP_Q_MAX;
    for (size_t i = 2; i < s.n; i++, unit /= 10) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        q += (s.p[i] - '0') * unit;
    }
    return q <= HTTP_Q_MAX ? q : -1;
}

/* The weight behind a member's name; -1: malformed. */
static int weight_of(struct str parameter)
{
    struct str value = parameter, name;

    if (parameter.p == NULL)
        return HTTP_Q_MAX;
    name = str_trim(str_split(&value, '='));
    return value.p != NULL && str_eq_nocase(name, STR("q")) ? http_weight(str_trim(value)) : -1;
}

/* Its place in q[], CODINGS for "*", -1 for what we do not write. */
static int place_of(struct str name)
{
    if (str_eq(name, STR("*")))
        return CODINGS;
    if (str_eq_nocase(name, STR("x-gzip"))) /* 8.4.1.3 */
        return CODING_GZIP;
    for (int i = 0; i < CODINGS; i++)
        if (str_eq_nocase(name, coding_name((enum coding)i)))
            return i;
    return -1;
}

static void read_field(struct str list, uint16_t q[CODINGS + 1])
{
    while (list.p != NULL) {
        struct str rest = str_split(&list, ',');
        int place = place_of(str_trim(str_split(&rest, ';'))), weight = weight_of(rest);

        if (place >= 0 && weight >= 0 && q[place] == UNLISTED)
            q[place] = (uint16_t)weight;
    }
}

void http_encodings_read(const struct http_head *head, const char *base, struct http_encodings *out)
{
    uint16_t q[CODINGS + 1];
    const struct http_field *f;

    for (size_t i = 0; i <= CODINGS; i++)
        q[i] = UNLISTED;
    for (uint32_t at = 0; (f = http_head_find(head, HTTP_F_ACCEPT_ENCODING, at)) != NULL;
         at = (uint32_t)(f - head->fields) + 1)
        read_field(http_str(base, f->value), q);
    if (q[CODING_IDENTITY] == UNLISTED && q[CODINGS] != 0)
        q[CODING_IDENTITY] = Q_BY_DEFAULT;
    for (size_t i = 0; i < CODINGS; i++)
        out->q[i] = q[i] != UNLISTED ? q[i] : q[CODINGS] != UNLISTED ? q[CODINGS] : 0;
}

enum coding http_encodings_choose(const struct http_encodings *encodings, unsigned have)
{
    enum coding best = CODING_IDENTITY;

    for (int i = CODING_IDENTITY + 1; i < CODINGS; i++) {
        uint16_t q = encodings->q[i];

        if ((have & CODING_BIT(i)) != 0 && q > 0 && q >= encodings->q[best])
            best = (enum coding)i;
    }
    return best;
}
