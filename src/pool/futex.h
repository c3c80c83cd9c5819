/*
 * Waiting on a word that other processes change. Shared futexes: the words lie in a memfd.
 */
#ifndef QUINTET_POOL_FUTEX_H
#define QUINTET_POOL_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/must.h"

#define FUTEX_FOREVER UINT64_MAX

/* Sleeps while *word == seen, until woken or clock_mono_ns() reaches `deadline_ns`. 0: woken, changed or for no reason at all (look again);
 * -ETIMEDOUT; -EINTR: a signal came. */
MUST_CHECK int futex_wait(_Atomic uint32_t *word, uint32_t seen, uint64_t deadline_ns);
void futex_wake_one(_Atomic uint32_t *word);
uint64_t futex_deadline(uint64_t timeout_ns); /* now + timeout; FUTEX_FOREVER stays so */

#endif
