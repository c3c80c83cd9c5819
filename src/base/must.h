/*
 * Assertions that stay on in release builds.
 *
 * must() is for our own bugs only: a broken invariant, an impossible state. Never for what the network, a file, a
 * worker, Python or the configuration may bring: that gets an error code and an answer.
 * A failed must() prints one line to stderr and aborts; the supervisor replaces the process.
 */
#ifndef QUINTET_BASE_MUST_H
#define QUINTET_BASE_MUST_H

#include <stddef.h> /* offsetof, for CONTAINER_OF */

#define MUST_CHECK __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* The struct that holds `member` at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

NORETURN void must_fail(const char *condition, const char *file, int line, const char *function);

#define must(cond)                                                                                                     \
    do {                                                                                                               \
        if (UNLIKELY(!(cond)))                                                                                         \
            must_fail(#cond, __FILE__, __LINE__, __func__);                                                            \
    } while (0)

/* A switch arm or a path that our own code can never reach. */
#define must_not_reach() must_fail("unreachable", __FILE__, __LINE__, __func__)

#endif
