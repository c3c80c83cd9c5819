/* Links of a Link field. */
#include "http/link.h"

#include "http/head.h"

/* Where the member that begins at 0 ends: the next comma that is neither in <> nor in quotes. */
static size_t member_end(struct str s, char separator)
{
    char until = '\0'; /* inside, up to this */

    for (size_t i = 0; i < s.n; i++) {
        if (until != '\0') {
            if (s.p[i] == '\\' && until == '"')
                i++;
            else if (s.p[i] == until)
                until = '\0';
        } else if (s.p[i] == '<' || s.p[i] == '"') {
            until = s.p[i] == '<' ? '>' : '"';
        } else if (s.p[i] == separator) {
            return i;
        }
    }
    return s.n;
}

/* The piece before the separator, trimmed; the list goes on behind it, or is used up (.p NULL). */
static struct str take_member(struct str *list, char separator)
{
    size_t end = member_end(*list, separator);
    struct str member = str_trim(str_make(list->p, end));

    *list = end < list->n ? str_make(list->p + end + 1, list->n - end - 1) : str_make(NULL, 0);
    return member;
}

bool link_next(struct str *list, struct str *link)
{
    while (list->p != NULL) {
        *link = take_member(list, ',');
        if (link->n > 2 && link->p[0] == '<')
            return true;
    }
    return false;
}

static bool is_early_relation(struct str rel)
{
    return str_eq_nocase(rel, STR("preload")) || str_eq_nocase(rel, STR("modulepreload")) ||
           str_eq_nocase(rel, STR("preconnect"));
}

static struct str unquoted(struct str s)
{
    return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? str_make(s.p + 1, s.n - 2) : s;
}

/* Relations are a list separated by blanks (RFC 8288 3.3). */
static bool has_early_relation(struct str rels)
{
    while (rels.p != NULL) {
        if (is_early_relation(str_trim(str_split(&rels, ' '))))
            return true;
    }
    return false;
}

bool link_is_early(struct str link)
{
    struct str rest = link;

    (void)take_member(&rest, ';'); /* <target> */
    while (rest.p != NULL) {
        struct str parameter = take_member(&rest, ';');
        struct str name = str_trim(str_split(&parameter, '='));

        if (str_eq_nocase(name, STR("rel")))
            return parameter.p != NULL && has_early_relation(unquoted(str_trim(parameter))); /* the first counts */
    }
    return false;
}
