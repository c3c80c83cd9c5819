/* The futex system call as the pool needs it; libc has no wrapper. */
#include "pool/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

int futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t deadline_ns)
{
    struct timespec at = { (time_t)(deadline_ns / NS_PER_SEC), (long)(deadline_ns % NS_PER_SEC) };
    struct timespec *until = deadline_ns == FUTEX_FOREVER ? NULL : &at;

    /* FUTEX_WAIT_BITSET because its timeout is absolute: no drift when we loop. Without the clock flag it is CLOCK_MONOTONIC. */
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, seen, until, NULL, FUTEX_BITSET_MATCH_ANY);
    if (rc == 0)
        return 0;
    must(errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT);
    return errno == EAGAIN ? 0 : -errno;
}

void futex_wake_one(_Atomic uint32_t *word)
{
    must(syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) >= 0);
}

uint64_t futex_deadline(uint64_t timeout_ns)
{
    uint64_t now = clock_mono_ns();

    return timeout_ns >= FUTEX_FOREVER - now ? FUTEX_FOREVER : now + timeout_ns;
}
