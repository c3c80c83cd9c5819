/*
 * One value of an option: text into a field, checked by its type and range, and back into text.
 *
 * The field is the row's in struct conf, or in struct conf_route for the rows of route_table. One whose bytes are all zero is empty: nothing set.
 */
#ifndef QUINTET_CONF_VALUE_H
#define QUINTET_CONF_VALUE_H

#include "base/buf.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/options.h"

/* Stores `text`, or appends it when the row is a list. 0; -EINVAL: not of this type; -ERANGE: outside min … max. Nothing is changed then. */
MUST_CHECK int value_parse(const struct option_row *row, struct str text, void *base);
/* Frees what the field holds and makes it empty. */
void value_clear(const struct option_row *row, void *base);
/* Moves the field over from `from`, which is left empty. Lists: behind what is there when `append`. */
void value_move(const struct option_row *row, void *from, void *to, bool append);
/* A value of its own, in the place of what `to` has. */
void value_copy(const struct option_row *row, const void *from, void *to);
/* Is there a value at all? Numbers and booleans always have one. */
bool value_is_set(const struct option_row *row, const void *base);
/* How many pieces of text it takes to write it: list items, else 1 or 0. And the nth, as value_parse takes it. */
size_t value_count(const struct option_row *row, const void *base);
MUST_CHECK int value_write(const struct option_row *row, const void *base, size_t nth, struct buf *out);
/* "a number from 0 to 256", "a duration such as 30s or 250ms": what value_parse wanted when it returned `why`. */
MUST_CHECK int value_expected(const struct option_row *row, int why, struct buf *out);

#endif
