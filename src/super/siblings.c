/* The walk, and the threads. */
#include "super/siblings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define PROGRESS_NS (100 * NS_PER_MS)

/* ---- finding ---- */

static void add(struct siblings *s, const char *path, uint64_t size)
{
    if (s->n_files == s->room) {
        s->room = s->room == 0 ? 256 : s->room * 2;
        s->files = mem_realloc(s->files, s->room * sizeof(*s->files));
    }
    s->files[s->n_files++] = (struct siblings_file){ .path = mem_strdup(path), .size = size };
}

static void fail(struct siblings *s, const char *path, int error)
{
    s->n_failed++;
    s->failed(path, error);
}

static void walk(struct siblings *s, int at, const char *name, const char *path, int depth);

static void visit(struct siblings *s, int dir, const char *path, const struct dirent *entry, int depth)
{
    uint64_t size;
    int r;

    if (entry->d_type == DT_DIR) {
        walk(s, dir, entry->d_name, path, depth + 1);
        return;
    }
    r = sibling_candidate(s->root, path, &size);
    if (r == 0)
        add(s, path, size);
    else if (r != -ENOTSUP && r != -ENOENT) /* a link to nowhere is not served either */
        fail(s, path, r);
}

/* On a file system that does not say what an entry is, the candidate finds out. */
static void name_type(int dir, struct dirent *entry)
{
    struct stat st;

    if (entry->d_type == DT_UNKNOWN && fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(st.st_mode))
        entry->d_type = DT_DIR;
}

/* From one directory to the next, so that none on the way can become a link that leads elsewhere. */
static void walk(struct siblings *s, int at, const char *name, const char *path, int depth)
{
    int fd = depth > SIBLINGS_DEPTH_MAX ? -1 : openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;

    if (dir == NULL) {
        fail(s, path, depth > SIBLINGS_DEPTH_MAX ? -ELOOP : -errno);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        char below[PATH_MAX];
        int n = snprintf(below, sizeof(below), "%s%s%s", depth == 0 ? "" : path, depth == 0 ? "" : "/", entry->d_name);

        name_type(fd, entry);
        if (entry->d_name[0] != '.' && n < (int)sizeof(below))
            visit(s, fd, below, entry, depth);
    }
    (void)closedir(dir);
}

static int by_size(const void *a, const void *b)
{
    const struct siblings_file *x = a, *y = b;

    return x->size < y->size ? 1 : x->size > y->size ? -1 : 0;
}

int siblings_find(struct siblings *s, const char *dir, void (*failed)(const char *path, int error))
{
    *s = (struct siblings){ .root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .failed = failed };
    if (s->root < 0)
        return -errno;
    hash_seed_random(&s->run.seed);
    walk(s, s->root, ".", ".", 0);
    if (s->n_files > 0)
        qsort(s->files, s->n_files, sizeof(*s->files), by_size);
    return 0;
}

void siblings_fini(struct siblings *s)
{
    for (size_t i = 0; i < s->n_files; i++)
        mem_free(s->files[i].path);
    mem_free(s->files);
    if (s->root >= 0)
        close(s->root);
}

/* ---- making ---- */

struct crew {
    struct siblings *siblings;
    pthread_mutex_t lock; /* all that follows, and the counts */
    pthread_cond_t news;
    size_t next, n_done, n_working;
    uint64_t done;
};

static void count(struct siblings *s, struct siblings_file *file, const struct sibling_report *report)
{
    bool any = false;

    for (int c = CODING_IDENTITY + 1; c < CODINGS; c++) {
        s->results[report->result[c]]++;
        if (report->result[c] == SIBLING_WRITTEN)
            file->written |= CODING_BIT(c);
        any |= report->result[c] != SIBLING_NO_GAIN;
    }
    if (!any)
        return;
    s->before += report->size[CODING_IDENTITY];
    for (int c = CODING_IDENTITY + 1; c < CODINGS; c++)
        s->after[c] += report->size[report->result[c] != SIBLING_NO_GAIN ? c : CODING_IDENTITY];
}

/* The next file that nobody has taken; NULL: none is left. */
static struct siblings_file *take(struct crew *crew)
{
    struct siblings_file *file = NULL;

    pthread_mutex_lock(&crew->lock);
    if (crew->next < crew->siblings->n_files && !atomic_load(&crew->siblings->run.stop))
        file = &crew->siblings->files[crew->next++];
    pthread_mutex_unlock(&crew->lock);
    return file;
}

static void *work(void *arg)
{
    struct crew *crew = arg;
    struct sibling_maker maker;
    struct siblings_file *file;

    sibling_maker_init(&maker, &crew->siblings->run);
    while ((file = take(crew)) != NULL) {
        struct sibling_report report;
        int r = sibling_make(&maker, crew->siblings->root, file->path, &report);

        pthread_mutex_lock(&crew->lock);
        if (r == 0)
            count(crew->siblings, file, &report);
        else if (r != -EINTR)
            fail(crew->siblings, file->path, r);
        crew->n_done++;
        crew->done += file->size;
        pthread_mutex_unlock(&crew->lock);
    }
    sibling_maker_fini(&maker);
    pthread_mutex_lock(&crew->lock);
    crew->n_working--;
    pthread_cond_signal(&crew->news);
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

static void wait_and_tell(struct crew *crew, void (*progress)(uint64_t done, uint64_t all, size_t n_done))
{
    uint64_t all = 0;

    for (size_t i = 0; i < crew->siblings->n_files; i++)
        all += crew->siblings->files[i].size;
    pthread_mutex_lock(&crew->lock);
    while (crew->n_working > 0) {
        uint64_t until = clock_wall_ns() + PROGRESS_NS;
        struct timespec at = { (time_t)(until / NS_PER_SEC), (long)(until % NS_PER_SEC) };

        progress(crew->done, all, crew->n_done);
        (void)pthread_cond_timedwait(&crew->news, &crew->lock, &at);
    }
    progress(crew->done, all, crew->n_done);
    pthread_mutex_unlock(&crew->lock);
}

static void show_one(struct siblings *s, const struct siblings_file *file, enum coding coding)
{
    int r = 0;

    if (atomic_load(&s->run.stop))
        sibling_drop(&s->run, s->root, file->path, coding);
    else
        r = sibling_show(&s->run, s->root, file->path, coding);
    if (r != 0)
        fail(s, file->path, r);
}

/* One sync for all: one for each would take most of the time. */
static void show(struct siblings *s)
{
    if (s->results[SIBLING_WRITTEN] > 0 && !atomic_load(&s->run.stop) && syncfs(s->root) != 0)
        fail(s, ".", -errno);
    for (size_t i = 0; i < s->n_files; i++) {
        for (int c = CODING_IDENTITY + 1; c < CODINGS; c++) {
            if ((s->files[i].written & CODING_BIT(c)) != 0)
                show_one(s, &s->files[i], (enum coding)c);
        }
    }
}

static size_t threads_for(const struct siblings *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cores < 1 ? 1 : (size_t)cores;

    if (n > SIBLINGS_THREADS_MAX)
        n = SIBLINGS_THREADS_MAX;
    return n < s->n_files ? n : s->n_files;
}

void siblings_make(struct siblings *s, void (*progress)(uint64_t done, uint64_t all, size_t n_done))
{
    struct crew crew = { .siblings = s, .lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER };
    pthread_t threads[SIBLINGS_THREADS_MAX];
    size_t n = threads_for(s), started = 0;

    crew.n_working = n;
    while (started < n && pthread_create(&threads[started], NULL, work, &crew) == 0)
        started++;
    pthread_mutex_lock(&crew.lock);
    crew.n_working -= n - started;
    pthread_mutex_unlock(&crew.lock);
    if (started == 0 && n > 0) {
        crew.n_working = 1;
        (void)work(&crew); /* alone, then */
    }
    wait_and_tell(&crew, progress);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    show(s);
    pthread_cond_destroy(&crew.news);
    pthread_mutex_destroy(&crew.lock);
}
