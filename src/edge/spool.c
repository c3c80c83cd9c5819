/* Memory first, then an unlinked file. */
#include "edge/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE (UINT64_C(16) << 20) /* to free it takes the kernel some 2 ms */
#define KEPT (16u << 10)           /* memory of so much is used again */
#define CLOSERS_MAX 4
#define CLOSER_STACK (128u << 10)

void spool_init(struct spool *s, size_t memory_max, uint64_t max)
{
    memset(s, 0, sizeof(*s));
    buf_init(&s->memory, memory_max);
    s->fd = -1;
    s->memory_max = memory_max;
    s->max = max;
}

/* ---- giving back what was large ---- */

static pthread_mutex_t closers_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t closers_gone = PTHREAD_COND_INITIALIZER;
static unsigned n_closers;

static bool one_more(void)
{
    bool may;

    pthread_mutex_lock(&closers_lock);
    may = n_closers < CLOSERS_MAX;
    n_closers += may;
    pthread_mutex_unlock(&closers_lock);
    return may;
}

static void one_less(void)
{
    pthread_mutex_lock(&closers_lock);
    if (--n_closers == 0)
        pthread_cond_broadcast(&closers_gone);
    pthread_mutex_unlock(&closers_lock);
}

static void *closer(void *arg)
{
    close((int)(intptr_t)arg);
    one_less();
    return NULL;
}

/* False: there are enough of them, or no more can be. */
static bool close_aside(int fd)
{
    pthread_attr_t attr;
    pthread_t thread;
    int error;

    if (!one_more())
        return false;
    pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, CLOSER_STACK);
    error = pthread_create(&thread, &attr, closer,
                           (void *)(intptr_t)fd); /* NOLINT(performance-no-int-to-ptr): a number, never followed */
    pthread_attr_destroy(&attr);
    if (error != 0)
        one_less();
    return error == 0;
}

void spool_settle(void)
{
    pthread_mutex_lock(&closers_lock);
    while (n_closers > 0)
        pthread_cond_wait(&closers_gone, &closers_lock);
    pthread_mutex_unlock(&closers_lock);
}

void spool_fini(struct spool *s)
{
    buf_fini(&s->memory);
    if (s->fd >= 0 && (s->size < LARGE || !close_aside(s->fd)))
        close(s->fd);
    s->fd = -1;
}

/* A lane's next small body then needs no memory of its own. */
void spool_reuse(struct spool *s, size_t memory_max, uint64_t max)
{
    struct buf memory = s->memory;

    if (s->fd >= 0 || memory.cap > KEPT || memory.cap > memory_max) {
        spool_fini(s);
        memory = (struct buf){ .data = NULL };
    }
    buf_clear(&memory);
    memory.max = memory_max;
    *s = (struct spool){ .memory = memory, .fd = -1, .memory_max = memory_max, .max = max };
}

/* $TMPDIR, then /var/tmp (a disk, unlike /tmp here and there), then memory where no file system has O_TMPFILE. */
static int open_unlinked(void)
{
    const char *dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        int fd = dirs[i] == NULL ? -1 : open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        if (fd >= 0)
            return fd;
    }
    return memfd_create("quintet-spool", MFD_CLOEXEC);
}

/* At its place, not at the file's position: what a failed attempt left behind is written over by the next. */
static int write_at(int fd, const char *p, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t w = pwrite(fd, p, n, (off_t)at);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -errno;
        p += w;
        n -= (size_t)w;
        at += (uint64_t)w;
    }
    return 0;
}

/* The bytes stay in memory until the file has all of them. */
static int move_to_file(struct spool *s)
{
    int fd = open_unlinked(), error;

    if (fd < 0)
        return -errno;
    error = write_at(fd, s->memory.data, s->memory.len, 0);
    if (error != 0) {
        close(fd);
        return error;
    }
    s->fd = fd;
    buf_fini(&s->memory);
    buf_init(&s->memory, s->memory_max);
    return 0;
}

static size_t total(const struct iovec *iov, int n)
{
    size_t sum = 0;

    for (int i = 0; i < n; i++)
        sum += iov[i].iov_len;
    return sum;
}

static int add_to_file(struct spool *s, const struct iovec *iov, int n)
{
    uint64_t at = s->size;
    int error = s->fd >= 0 ? 0 : move_to_file(s);

    for (int i = 0; i < n && error == 0; i++) {
        error = write_at(s->fd, iov[i].iov_base, iov[i].iov_len, at);
        at += iov[i].iov_len;
    }
    return error;
}

int spool_addv(struct spool *s, const struct iovec *iov, int n)
{
    size_t size = total(iov, n);
    int error = 0;

    if (size > s->max - s->size)
        return -EMSGSIZE;
    if (s->fd < 0 && buf_try_reserve(&s->memory, size) == 0) {
        for (int i = 0; i < n; i++)
            must(buf_add(&s->memory, iov[i].iov_base, iov[i].iov_len) == 0);
    } else {
        error = add_to_file(s, iov, n);
    }
    if (error == 0)
        s->size += size;
    return error;
}

int spool_add(struct spool *s, const void *p, size_t n)
{
    struct iovec iov = { (void *)(uintptr_t)p, n };

    return spool_addv(s, &iov, 1);
}
