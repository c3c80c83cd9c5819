/*
 * Numbers as text, where a request is waiting: printf takes some 1,000 instructions for one, these a few for each digit.
 *
 * Each writes without a terminating NUL into the caller's room and returns how many bytes it wrote.
 */
#ifndef QUINTET_BASE_DIGITS_H
#define QUINTET_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#define DIGITS_U64 20 /* the longest uint64_t */
#define DIGITS_HEX 16 /* every uint64_t in hexadecimal */

size_t digits_u64(char out[DIGITS_U64], uint64_t value);
size_t digits_hex(char out[DIGITS_HEX], uint64_t value); /* lower case, always all 16 */

#endif
