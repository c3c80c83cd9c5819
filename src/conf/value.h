/*
 * One value of an option: text into a field of struct conf, checked by its type and range, and back into text.
 *
 * Not for rows that are OPTION_LATER: those have no field. A struct conf whose bytes are all zero is the empty one: nothing set.
 */
#ifndef QUINTET_CONF_VALUE_H
#define QUINTET_CONF_VALUE_H

#include "base/buf.h"
#include "base/must.h"
#include "base/str.h"
#include "conf/options.h"

/* Stores `text`, or appends it when the row is a list. 0; -EINVAL: not of this type; -ERANGE: outside min … max. Nothing is changed then. */
MUST_CHECK int value_parse(const struct option_row *row, struct str text, struct conf *conf);
/* Frees what the field holds and makes it empty. */
void value_clear(const struct option_row *row, struct conf *conf);
/* Moves the field over from `from`, which is left empty. Lists: behind what is there when `append`. */
void value_move(const struct option_row *row, struct conf *from, struct conf *to, bool append);
/* Is there a value at all? Numbers and booleans always have one. */
bool value_is_set(const struct option_row *row, const struct conf *conf);
/* How many pieces of text it takes to write it: list items, else 1 or 0. And the nth, as value_parse takes it. */
size_t value_count(const struct option_row *row, const struct conf *conf);
MUST_CHECK int value_write(const struct option_row *row, const struct conf *conf, size_t nth, struct buf *out);
/* "a number from 0 to 256", "a duration such as 30s or 250ms": what value_parse wanted when it returned `why`. */
MUST_CHECK int value_expected(const struct option_row *row, int why, struct buf *out);

#endif
