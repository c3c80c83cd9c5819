/* Who may have a worker next, where slow requests must not have them all. */
#include "edge/express.h"

#include "pool/request.h"

#define SHARE_ONE 65536u
#define SHARE_MOST (SHARE_ONE / 4 * 3)
#define SHARE_WINDOW 64 /* requests */
#define PATIENCE_TIMES 4

static struct str var(const struct job *job, enum pool_var which)
{
    return job->request != NULL ? job->request->vars[which] : STR("");
}

void express_judge(struct dispatch *d, struct job *job)
{
    job->usual_ns = usual_slow(&d->usual, var(job, POOL_METHOD), var(job, POOL_PATH));
    d->quick_share -= d->quick_share / SHARE_WINDOW;
    if (job->usual_ns == 0)
        d->quick_share += SHARE_ONE / SHARE_WINDOW;
}

void express_note(struct dispatch *d, const struct job *job, uint64_t ran_ns)
{
    usual_note(&d->usual, var(job, POOL_METHOD), var(job, POOL_PATH), ran_ns);
}

/* Of the seats, how many slow requests may have. One seat alone is everybody's. */
static uint32_t slow_max(const struct generation *g)
{
    uint32_t seats = g->geometry.workers * g->geometry.threads;

    return seats < 2 ? UINT32_MAX : seats - (seats + 7) / 8;
}

uint64_t express_patience(const struct dispatch *d, const struct job *job)
{
    uint64_t patience = (job->patience_ns != 0 ? job->patience_ns : d->queue_timeout) / 4;
    uint64_t most = job->usual_ns * PATIENCE_TIMES;

    return most < patience ? most : patience;
}

static bool has_waited(const struct dispatch *d, const struct job *job)
{
    return clock_mono_ns() - job->waits_ns >= express_patience(d, job);
}

bool express_may_go(const struct dispatch *d, const struct generation *g, const struct job *job)
{
    return job->usual_ns == 0 || g->n_slow < slow_max(g) || d->quick_share < SHARE_MOST || job->replayed ||
           has_waited(d, job);
}

struct job *express_next(struct dispatch *d, const struct generation *g)
{
    struct job *job;

    if (!list_empty(&d->aside)) {
        job = CONTAINER_OF(d->aside.next, struct job, link);
        if (express_may_go(d, g, job)) {
            list_remove(&job->link);
            return job;
        }
    }
    while (!list_empty(&d->queue)) {
        job = CONTAINER_OF(list_pop_front(&d->queue), struct job, link);
        if (express_may_go(d, g, job))
            return job;
        list_push_back(&d->aside, &job->link);
    }
    return NULL;
}
