/* Numbers as text: see digits.h. */
#include "base/digits.h"

#include <endian.h>
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

/* Eight digits at once, a byte of x each: the first in the lowest byte. */
static void eight_hex(char *out, uint32_t value)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t x = __builtin_bswap32(value), letters;

    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x >> 4 | x << 8) & each * 0x0f;
    letters = ((x + each * 6) >> 4) & each;
    x = htole64(x + each * '0' + letters * ('a' - '0' - 10));
    memcpy(out, &x, sizeof(x));
}

size_t digits_hex(char out[DIGITS_HEX], uint64_t value)
{
    eight_hex(out, (uint32_t)(value >> 32));
    eight_hex(out + 8, (uint32_t)value);
    return DIGITS_HEX;
}
