/* Open files, kept and checked once a second. */
#include "edge/file_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "edge/edge_process.h"
#include "pack/types.h"

#define KEY_ID_MAX 24 /* digits of a root's id, and a colon */
#define OPEN_TRIES 64 /* whoever renames without pause must not keep the lane */

struct file_cache {
    struct lane *lane;
    struct map entries;
    struct list lru;
    uint32_t n;
};

struct file_cache *file_cache_new(struct lane *lane)
{
    struct file_cache *cache = mem_zalloc(sizeof(*cache));

    cache->lane = lane;
    map_init(&cache->entries);
    list_init(&cache->lru);
    return cache;
}

static void entry_unref(struct file_entry *e)
{
    if (--e->refs > 0)
        return;
    if (e->fd >= 0)
        close(e->fd);
    mem_free(e->content);
    mem_free(e->key);
    mem_free(e);
}

static void drop(struct file_cache *cache, struct file_entry *e)
{
    map_remove(&cache->entries, str_of(e->key));
    list_remove(&e->link);
    e->cached = false;
    cache->n--;
    entry_unref(e);
}

void file_cache_clear(struct file_cache *cache)
{
    while (!list_empty(&cache->lru))
        drop(cache, CONTAINER_OF(cache->lru.next, struct file_entry, link));
}

void file_cache_free(struct file_cache *cache)
{
    file_cache_clear(cache);
    map_fini(&cache->entries);
    mem_free(cache);
}

void file_cache_put(struct file_cache *cache, struct file_entry *entry)
{
    (void)cache;
    entry_unref(entry);
}

/* ---- opening ---- */

static int open_beneath(int dir, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd, tries = 0;

    do
        fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
    while (fd < 0 && (errno == EAGAIN || errno == EINTR) &&
           ++tries < OPEN_TRIES); /* EAGAIN: a rename raced with the walk */
    return fd < 0 ? -errno : fd;
}

static void read_content(struct file_entry *e)
{
    size_t at = 0;
    ssize_t n = 1;

    e->content = mem_try_alloc(e->size + 1);
    if (e->content == NULL)
        return;
    while (at < e->size && n > 0) {
        n = pread(e->fd, e->content + at, e->size - at, (off_t)at);
        if (n > 0)
            at += (size_t)n;
    }
    if (at < e->size) { /* became shorter meanwhile: sendfile will find out */
        mem_free(e->content);
        e->content = NULL;
        return;
    }
    close(e->fd);
    e->fd = -1;
}

static void describe(struct file_entry *e, const struct stat *st, struct str path)
{
    e->size = (uint64_t)st->st_size;
    e->device = (uint64_t)st->st_dev;
    e->inode = (uint64_t)st->st_ino;
    e->mtime = st->st_mtim.tv_sec;
    e->mtime_ns = st->st_mtim.tv_nsec;
    e->mime = mime_of(path);
    e->packable = pack_type_fits(e->mime->type);
    e->etag_n = (size_t)snprintf(e->etag, sizeof(e->etag), "\"%llx-%llx\"",
                                 (unsigned long long)e->mtime * NS_PER_SEC + (unsigned long long)e->mtime_ns,
                                 (unsigned long long)e->size);
    e->length_n = (size_t)snprintf(e->length, sizeof(e->length), "%llu", (unsigned long long)e->size);
    http_date_write(e->mtime < 0 ? 0 : e->mtime, e->last_modified);
}

static int open_entry(const struct root *root, struct str path, struct file_entry **out)
{
    struct file_entry *e;
    struct stat st = { .st_mode = 0 };
    char name[PATH_MAX];
    int fd;

    if (path.n >= sizeof(name))
        return -ENOENT; /* nothing can have that name */
    memcpy(name, path.p, path.n);
    name[path.n] = '\0';
    fd = open_beneath(root->dir, name);
    if (fd < 0)
        return fd == -ENOTDIR || fd == -ENAMETOOLONG || fd == -ENXIO ? -ENOENT : fd;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return S_ISDIR(st.st_mode) ? -EISDIR : -ENOENT;
    }
    e = mem_try_zalloc(sizeof(*e));
    if (e == NULL) {
        close(fd);
        return -ENOMEM;
    }
    e->refs = 1;
    e->fd = fd;
    list_init(&e->link);
    describe(e, &st, path);
    *out = e;
    return 0;
}

static bool same_file(const struct file_entry *a, const struct file_entry *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime == b->mtime &&
           a->mtime_ns == b->mtime_ns;
}

static void insert(struct file_cache *cache, struct file_entry *e, char *key)
{
    e->key = key;
    e->cached = true;
    e->refs++;
    if (cache->n >= FILE_CACHE_ENTRIES)
        drop(cache, CONTAINER_OF(cache->lru.next, struct file_entry, link));
    map_put(&cache->entries, str_of(key), e);
    list_push_back(&cache->lru, &e->link);
    cache->n++;
}

/* The id's digits, the last one first, and the path. */
static size_t make_key(const struct root *root, struct str path, char key[PATH_MAX + KEY_ID_MAX])
{
    uint64_t id = root->id;
    size_t n = 0;

    do
        key[n++] = (char)('0' + id % 10);
    while ((id /= 10) > 0);
    key[n++] = ':';
    memcpy(key + n, path.p, path.n);
    return n + path.n;
}

int file_cache_get(struct file_cache *cache, const struct root *root, struct str path, struct file_entry **out)
{
    char key[PATH_MAX + KEY_ID_MAX];
    size_t n;
    uint64_t now = loop_now(cache->lane->loop);
    struct file_entry *e, *fresh;
    int error;

    if (path.n >= PATH_MAX)
        return -ENOENT; /* nothing can have that name */
    n = make_key(root, path, key);
    e = map_get(&cache->entries, str_make(key, n));

    if (e != NULL && now - e->checked_ns < FILE_CACHE_FRESH_NS) {
        e->refs++;
        *out = e;
        return 0;
    }
    error = open_entry(root, path, &fresh);
    if (error == -EMFILE || error == -ENFILE) {
        file_cache_clear(cache);
        e = NULL;
        error = open_entry(root, path, &fresh);
    }
    if (error == 0 && e != NULL && same_file(e, fresh)) {
        entry_unref(fresh);
        e->checked_ns = now;
        list_remove(&e->link);
        list_push_back(&cache->lru, &e->link);
        e->refs++;
        *out = e;
        return 0;
    }
    if (e != NULL)
        drop(cache, e);
    if (error != 0)
        return error;
    fresh->checked_ns = now;
    if (fresh->size <= FILE_CACHE_CONTENT)
        read_content(fresh);
    insert(cache, fresh, mem_strndup(key, n));
    *out = fresh;
    return 0;
}

/* ---- precompressed siblings ---- */

static bool is_older(const struct file_entry *a, const struct file_entry *b)
{
    return a->mtime < b->mtime || (a->mtime == b->mtime && a->mtime_ns < b->mtime_ns);
}

struct file_entry *file_cache_sibling(struct file_cache *cache, const struct root *root, struct str path,
                                      struct file_entry *entry, enum coding coding)
{
    uint64_t now = loop_now(cache->lane->loop), missed = entry->missed_ns[coding];
    struct str suffix = coding_suffix(coding);
    struct file_entry *sibling;
    char name[PATH_MAX];
    int n;

    if (missed != 0 && now - missed < FILE_CACHE_FRESH_NS)
        return NULL;
    n = snprintf(name, sizeof(name), STR_FMT STR_FMT, STR_ARG(path), STR_ARG(suffix));
    if ((size_t)n < sizeof(name) && file_cache_get(cache, root, str_make(name, (size_t)n), &sibling) == 0) {
        if (!is_older(sibling, entry))
            return sibling;
        file_cache_put(cache, sibling);
    }
    entry->missed_ns[coding] = now;
    return NULL;
}
