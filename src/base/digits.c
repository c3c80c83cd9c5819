/* Numbers as text: see digits.h. */
#include "base/digits.h"

#include <string.h>

size_t digits_u64(char out[DIGITS_U64], uint64_t value)
{
    char digits[DIGITS_U64];
    size_t first = DIGITS_U64;

    do
        digits[--first] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    memcpy(out, digits + first, DIGITS_U64 - first);
    return DIGITS_U64 - first;
}

size_t digits_hex(char out[DIGITS_HEX], uint64_t value)
{
    for (size_t i = DIGITS_HEX; i-- > 0; value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
    return DIGITS_HEX;
}
