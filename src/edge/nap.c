/* When a lane may leave its sockets alone, and for how long: see nap.h. */
#include "edge/nap.h"

#include "base/clock.h"

#define NAP_MIN_NS (50 * NS_PER_US) /* shorter is none: the kernel's timers have a slack of that much */
#define NAP_MAX_NS (6 * NS_PER_MS)  /* what it is worth: docs/internals/edge.md */
#define GAP_MAX_NS (NAP_MAX_NS / 2) /* a nap should find two completions at least */
#define IDLE_LOOKS_MAX 4 /* naps in a row that found no completion: the requests are slow ones, be signalled */
#define HURRIED_TURNS 16

/* A moving average over some eight of them. */
void nap_completions(struct nap *nap, uint32_t n)
{
    uint64_t now, gap;

    if (n == 0) {
        nap->idle_looks++;
        return;
    }
    now = clock_mono_ns();
    gap = (now - nap->completed_ns) / n;
    nap->completed_ns = now;
    nap->gap_ns = (7 * nap->gap_ns + (gap < NS_PER_SEC ? gap : NS_PER_SEC)) / 8;
    nap->idle_looks = 0;
}

void nap_expect(struct nap *nap)
{
    nap->expected++;
}

bool nap_is_calm(struct nap *nap, uint32_t events)
{
    if (events > nap->expected)
        nap->hurried = HURRIED_TURNS;
    else if (nap->hurried > 0)
        nap->hurried--;
    nap->expected = 0;
    return nap->hurried == 0;
}

uint64_t nap_length(const struct nap *nap, uint32_t waiting)
{
    uint64_t ready = waiting * nap->gap_ns; /* how long the workers have something to take */

    if (waiting == 0 || nap->gap_ns > GAP_MAX_NS || nap->idle_looks > IDLE_LOOKS_MAX)
        return 0;
    if (ready < NAP_MIN_NS)
        return NAP_MIN_NS;
    return ready < NAP_MAX_NS ? ready : NAP_MAX_NS;
}
