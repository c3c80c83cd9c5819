/* Read the file whole, compress it in memory, write what is worth it. */
#include "super/sibling.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "pack/types.h"

#define OUTPUT_STEP (64u << 10)
#define SUFFIX_MAX 4 /* ".zst" */

/* Where a file lies: its directory, and names in it. */
struct place {
    int dir;
    const struct hash_seed *seed; /* borrowed */
    char name[NAME_MAX + 1], sibling[NAME_MAX + 1], aside[32];
    struct stat st; /* the file's */
};

void sibling_maker_init(struct sibling_maker *maker, const struct sibling_run *run)
{
    memset(maker, 0, sizeof(*maker));
    maker->run = run;
    buf_init(&maker->content, SIBLING_FILE_MAX + OUTPUT_STEP);
    buf_init(&maker->packed, SIBLING_FILE_MAX + OUTPUT_STEP);
}

void sibling_maker_fini(struct sibling_maker *maker)
{
    for (size_t c = 0; c < CODINGS; c++)
        encoder_free(maker->encoders[c]);
    buf_fini(&maker->content);
    buf_fini(&maker->packed);
}

static int open_beneath(int dir, const char *path, uint64_t flags)
{
    struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));

    return fd < 0 ? -errno : fd;
}

/* As it is in its directory. */
static struct str last_name(const char *path)
{
    struct str whole = str_of(path);

    return str_cut(whole, (size_t)(str_rfind(whole, '/') + 1), whole.n);
}

int sibling_candidate(int root, const char *path, uint64_t *size)
{
    struct stat st;
    int fd, r = -ENOTSUP;

    if (!pack_name_fits(str_of(path)) || last_name(path).n > NAME_MAX - SUFFIX_MAX)
        return -ENOTSUP;
    fd = open_beneath(root, path, O_PATH);
    if (fd < 0)
        return fd == -EXDEV ? -ENOTSUP : fd; /* a link out of the root is not served either */
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)PACK_LEAST &&
        (uint64_t)st.st_size <= SIBLING_FILE_MAX) {
        *size = (uint64_t)st.st_size;
        r = 0;
    }
    close(fd);
    return r;
}

/* ---- reading ---- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int read_all(int fd, struct buf *content, const struct stat *st)
{
    struct stat after;
    ssize_t n = 1;

    buf_clear(content);
    while (n > 0) {
        int r = buf_try_reserve(content, OUTPUT_STEP);

        if (r != 0)
            return r;
        n = read(fd, content->data + content->len, OUTPUT_STEP);
        if (n < 0)
            return -errno;
        buf_commit(content, (size_t)n);
    }
    if (fstat(fd, &after) != 0)
        return -errno;
    return is_same(st, &after) && (uint64_t)st->st_size == content->len ? 0 : -EAGAIN;
}

/* ---- compressing ---- */

/* What it may take at most to be worth it. */
static size_t most(const struct sibling_maker *maker)
{
    return maker->content.len - maker->content.len / SIBLING_SAVES;
}

/* 1: packed holds it; 0: it would save too little. */
static int pack(struct sibling_maker *maker, enum coding coding)
{
    const struct encoder_plan plan = { .length = (int64_t)maker->content.len, .best = true };
    struct encoder_io io = { .in = maker->content.data, .n_in = maker->content.len };
    struct buf *out = &maker->packed;
    int r;

    if (maker->encoders[coding] == NULL)
        maker->encoders[coding] = encoder_new(coding);
    if (maker->encoders[coding] == NULL)
        return -ENOMEM;
    r = encoder_begin(maker->encoders[coding], &plan);
    buf_clear(out);
    while (r == 0) {
        if (atomic_load(&maker->run->stop))
            return -EINTR;
        if (out->len > most(maker))
            return 0;
        r = buf_try_reserve(out, OUTPUT_STEP);
        if (r != 0)
            return r;
        io.out = out->data + out->len;
        io.n_out = OUTPUT_STEP;
        r = encoder_run(maker->encoders[coding], &io, ENCODER_FINISH);
        buf_commit(out, OUTPUT_STEP - io.n_out);
    }
    return r < 0 ? r : out->len <= most(maker);
}

/* ---- writing ---- */

static int write_all(int fd, struct str data)
{
    while (data.n > 0) {
        ssize_t n = write(fd, data.p, data.n);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            data = str_cut(data, (size_t)n, data.n);
    }
    return 0;
}

static int fill(int fd, const struct place *place, struct str data)
{
    const struct timespec times[2] = { place->st.st_mtim, place->st.st_mtim };
    int r = write_all(fd, data);

    if (r != 0)
        return r;
    if (fchown(fd, place->st.st_uid, place->st.st_gid) != 0 && errno != EPERM)
        return -errno;
    if (fchmod(fd, place->st.st_mode & 0777) != 0 || futimens(fd, times) != 0)
        return -errno;
    return 0;
}

static int write_aside(const struct place *place, struct str data)
{
    int fd = openat(place->dir, place->aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r;

    if (fd < 0)
        return -errno;
    r = fill(fd, place, data);
    if (close(fd) != 0 && r == 0)
        r = -errno;
    if (r != 0)
        (void)unlinkat(place->dir, place->aside, 0);
    return r;
}

/* ---- one coding ---- */

/* As younger: somebody has made it after the file. */
static bool is_fresh(const struct stat *sibling, const struct stat *file)
{
    return S_ISREG(sibling->st_mode) &&
           (sibling->st_mtim.tv_sec > file->st_mtim.tv_sec ||
            (sibling->st_mtim.tv_sec == file->st_mtim.tv_sec && sibling->st_mtim.tv_nsec >= file->st_mtim.tv_nsec));
}

/* They fit: see sibling_candidate. */
static void set_names(struct place *place, enum coding coding)
{
    struct str suffix = coding_suffix(coding);
    uint64_t hash = hash_str(place->seed, str_of(place->name));
    int n = snprintf(place->sibling, sizeof(place->sibling), "%s" STR_FMT, place->name, STR_ARG(suffix));

    must(n > 0 && n < (int)sizeof(place->sibling));
    (void)snprintf(place->aside, sizeof(place->aside), ".%016llx" STR_FMT, (unsigned long long)hash, STR_ARG(suffix));
}

static int make_one(struct sibling_maker *maker, struct place *place, enum coding coding, struct sibling_report *report)
{
    struct stat st = { 0 };
    int r;

    set_names(place, coding);
    if (fstatat(place->dir, place->sibling, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_fresh(&st, &place->st)) {
        report->result[coding] = SIBLING_FRESH;
        report->size[coding] = (uint64_t)st.st_size;
        return 0;
    }
    r = pack(maker, coding);
    if (r == 0) { /* a stale one is in nobody's way, as it is not sent, but it is of no use either */
        report->result[coding] = SIBLING_NO_GAIN;
        if (S_ISREG(st.st_mode))
            (void)unlinkat(place->dir, place->sibling, 0);
    }
    if (r <= 0)
        return r;
    report->result[coding] = SIBLING_WRITTEN;
    report->size[coding] = maker->packed.len;
    return write_aside(place, buf_str(&maker->packed));
}

static bool all_fresh(struct place *place, struct sibling_report *report)
{
    for (int c = CODING_IDENTITY + 1; c < CODINGS; c++) {
        struct stat st;

        set_names(place, (enum coding)c);
        if (fstatat(place->dir, place->sibling, &st, AT_SYMLINK_NOFOLLOW) != 0 || !is_fresh(&st, &place->st))
            return false;
        report->result[c] = SIBLING_FRESH;
        report->size[c] = (uint64_t)st.st_size;
    }
    return true;
}

static int find_place(const struct sibling_run *run, int root, const char *path, struct place *place)
{
    struct str name = last_name(path), dir = str_make(path, strlen(path) - name.n);
    char *text;

    must(name.n <= NAME_MAX - SUFFIX_MAX);
    place->seed = &run->seed;
    (void)snprintf(place->name, sizeof(place->name), STR_FMT, STR_ARG(name));
    text = str_dup(dir.n > 0 ? dir : STR("."));
    place->dir = open_beneath(root, text, O_RDONLY | O_DIRECTORY);
    mem_free(text);
    return place->dir < 0 ? place->dir : 0;
}

static int make_all(struct sibling_maker *maker, int file, struct place *place, struct sibling_report *report)
{
    int r;

    if (fstat(file, &place->st) != 0)
        return -errno;
    if (!S_ISREG(place->st.st_mode)) /* as it was when it was found */
        return -EAGAIN;
    report->size[CODING_IDENTITY] = (uint64_t)place->st.st_size;
    if (all_fresh(place, report))
        return 0;
    r = read_all(file, &maker->content, &place->st);
    for (int c = CODING_IDENTITY + 1; c < CODINGS && r == 0; c++)
        r = make_one(maker, place, (enum coding)c, report);
    return r;
}

static void remove_asides(struct place *place)
{
    for (int c = CODING_IDENTITY + 1; c < CODINGS; c++) {
        set_names(place, (enum coding)c);
        (void)unlinkat(place->dir, place->aside, 0);
    }
}

int sibling_make(struct sibling_maker *maker, int root, const char *path, struct sibling_report *report)
{
    struct place place = { .dir = -1 };
    int file = open_beneath(root, path, O_RDONLY | O_NONBLOCK), r = file;

    memset(report, 0, sizeof(*report));
    if (file >= 0)
        r = find_place(maker->run, root, path, &place);
    if (r == 0)
        r = make_all(maker, file, &place, report);
    if (r != 0 && place.dir >= 0)
        remove_asides(&place);
    if (place.dir >= 0)
        close(place.dir);
    if (file >= 0)
        close(file);
    return r;
}

int sibling_show(const struct sibling_run *run, int root, const char *path, enum coding coding)
{
    struct place place = { .dir = -1 };
    int r = find_place(run, root, path, &place);

    if (r != 0)
        return r;
    set_names(&place, coding);
    if (renameat(place.dir, place.aside, place.dir, place.sibling) != 0) {
        r = -errno;
        (void)unlinkat(place.dir, place.aside, 0);
    }
    close(place.dir);
    return r;
}

void sibling_drop(const struct sibling_run *run, int root, const char *path, enum coding coding)
{
    struct place place = { .dir = -1 };

    if (find_place(run, root, path, &place) != 0)
        return;
    set_names(&place, coding);
    (void)unlinkat(place.dir, place.aside, 0);
    close(place.dir);
}
