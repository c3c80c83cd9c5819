/* Passwords: the thread and the memory. */
#include "edge/credentials.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/mem.h"
#include "edge/edge_process.h"

void credentials_init(struct credentials *c)
{
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->news, NULL);
    list_init(&c->queue);
    list_init(&c->jobs);
    hash_seed_random(&c->seeds[0]);
    hash_seed_random(&c->seeds[1]);
}

void credentials_job_free(struct credentials_job *job)
{
    mem_wipe(job, sizeof(*job));
    mem_free(job);
}

void credentials_fini(struct credentials *c)
{
    struct list *link;

    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->news);
    pthread_mutex_unlock(&c->lock);
    if (c->started)
        pthread_join(c->thread, NULL);
    while ((link = list_pop_front(&c->jobs)) != NULL)
        credentials_job_free(CONTAINER_OF(link, struct credentials_job, all));
    pthread_cond_destroy(&c->news);
    pthread_mutex_destroy(&c->lock);
}

/* ---- memory ---- */

struct credentials_key credentials_key(const struct credentials *c, struct str hash, struct str name,
                                       struct str password)
{
    char text[PASSWORDS_HASH_MAX + PASSWORDS_NAME_MAX + PASSWORDS_LENGTH_MAX + 3];
    const struct str pieces[] = { hash, name, password };
    struct credentials_key key;
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        must(n + pieces[i].n + 1 <= sizeof(text));
        if (pieces[i].n > 0)
            memcpy(text + n, pieces[i].p, pieces[i].n);
        n += pieces[i].n;
        text[n++] = '\0'; /* none of them holds one */
    }
    key = (struct credentials_key){ hash_str(&c->seeds[0], str_make(text, n)),
                                    hash_str(&c->seeds[1], str_make(text, n)) };
    mem_wipe(text, sizeof(text));
    return key;
}

bool credentials_remembered(struct credentials *c, const struct credentials_key *key, uint64_t now)
{
    const struct credentials_entry *e = &c->remembered[key->a % CREDENTIALS_REMEMBERED];
    bool yes;

    pthread_mutex_lock(&c->lock);
    yes = now < e->until_ns && e->key.a == key->a && e->key.b == key->b;
    pthread_mutex_unlock(&c->lock);
    return yes;
}

/* ---- comparing ---- */

/* In the lane again. */
static void come_back(struct lane *lane, struct lane_job *back)
{
    struct credentials_job *job = CONTAINER_OF(back, struct credentials_job, back);
    struct credentials *c = &lane->edge->credentials;
    struct exchange *ex = job->exchange;
    bool in = job->in;

    pthread_mutex_lock(&c->lock);
    if (in)
        c->remembered[job->key.a % CREDENTIALS_REMEMBERED] =
            (struct credentials_entry){ job->key, clock_mono_ns() + CREDENTIALS_FRESH_NS };
    list_remove(&job->all);
    pthread_mutex_unlock(&c->lock);
    if (ex != NULL)
        job->done(ex, in);
    credentials_job_free(job);
}

static struct credentials_job *next_job(struct credentials *c)
{
    struct list *link = NULL;

    pthread_mutex_lock(&c->lock);
    while (!c->stop && (link = list_pop_front(&c->queue)) == NULL)
        pthread_cond_wait(&c->news, &c->lock);
    if (link != NULL)
        c->n_queued--;
    pthread_mutex_unlock(&c->lock);
    return link == NULL ? NULL : CONTAINER_OF(link, struct credentials_job, link);
}

static void *compare(void *arg)
{
    struct credentials_job *job;

    while ((job = next_job(arg)) != NULL) {
        job->in = passwords_match(job->hash, job->password) && job->known;
        mem_wipe(job->password, sizeof(job->password));
        lane_post(job->lane, &job->back);
    }
    return NULL;
}

/* With the first password, under the lock. */
static int start(struct credentials *c)
{
    sigset_t all, before;
    int error;

    if (c->started)
        return 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&c->thread, NULL, compare, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    c->started = error == 0;
    return error == 0 ? 0 : -EAGAIN;
}

int credentials_submit(struct credentials *c, struct credentials_job *job)
{
    int error;

    pthread_mutex_lock(&c->lock);
    error = c->n_queued >= CREDENTIALS_QUEUE ? -EBUSY : start(c);
    if (error == 0) {
        job->back.fn = come_back;
        list_push_back(&c->queue, &job->link);
        list_push_back(&c->jobs, &job->all);
        c->n_queued++;
        pthread_cond_signal(&c->news);
    }
    pthread_mutex_unlock(&c->lock);
    return error;
}
