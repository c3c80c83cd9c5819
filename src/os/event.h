/*
 * An event descriptor: a counter that one process raises and another's loop waits for.
 */
#ifndef QUINTET_OS_EVENT_H
#define QUINTET_OS_EVENT_H

#include "base/must.h"

MUST_CHECK int event_new(void); /* eventfd(2), CLOEXEC and non-blocking; descriptor or -errno */

#endif
