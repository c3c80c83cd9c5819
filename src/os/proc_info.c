/* What a process knows about itself and its machine, read from /proc and /sys: the second half of proc.h. */
#include "os/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* A small file as a NUL-terminated text, cut to fit; its length or -errno. */
static ssize_t read_small(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n, total = 0;

    if (fd < 0)
        return -errno;
    while ((size_t)total < size - 1 && (n = read(fd, out + total, size - 1 - (size_t)total)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        total += n > 0 ? n : 0;
    }
    out[total] = '\0';
    close(fd);
    return total;
}

/* Field `number` (from 1, as in proc(5)) of /proc/self/stat; the second, the name, may hold spaces and parentheses. */
static uint64_t stat_field(int number)
{
    char text[2048];
    struct str rest;

    if (read_small("/proc/self/stat", text, sizeof(text)) <= 0 || strrchr(text, ')') == NULL)
        return 0;
    rest = str_of(strrchr(text, ')') + 1);
    rest = str_cut(rest, 1, rest.n);
    for (int at = 3; rest.p != NULL; at++) {
        struct str field = str_split(&rest, ' ');
        uint64_t value;

        if (at == number)
            return str_to_u64(field, UINT64_MAX, &value) == 0 ? value : 0;
    }
    return 0;
}

static char *environment; /* owned, for good: a copy, and nothing points to the place behind argv any more */

/* In one piece: what unsetenv takes out of the list stays in it, as nobody may free that. */
void proc_move_environment(void)
{
    size_t n = 0, size = 1;
    char **list, *at;

    for (; environ[n] != NULL; n++)
        size += strlen(environ[n]) + 1;
    list = mem_calloc(n + 1, sizeof(*list));
    at = environment = mem_alloc(size);
    for (size_t i = 0; i < n; i++) {
        size_t bytes = strlen(environ[i]) + 1;

        list[i] = memcpy(at, environ[i], bytes);
        at += bytes;
    }
    environ = list;
}

void proc_set_title(const char *title)
{
    char *start = (char *)(uintptr_t)stat_field(48), *end = (char *)(uintptr_t)stat_field(49), *last = end;
    size_t n = strlen(title), of_argv;

    if (start == NULL || end <= start)
        return;
    /* A kernel that finds no NUL at the end of argv takes what begins there for a title and reads on into the environment. */
    if (environment != NULL && (char *)(uintptr_t)stat_field(50) == end && (char *)(uintptr_t)stat_field(51) > end)
        last = (char *)(uintptr_t)stat_field(51);
    if (n > (size_t)(last - start) - 1)
        n = (size_t)(last - start) - 1;
    of_argv = (size_t)(end - start);
    memcpy(start, title, n);
    memset(start + n, 0, n < of_argv ? of_argv - n : 1);
}

static size_t affinity_cores(void)
{
    for (int n = 1024; n <= 1 << 20; n *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)n);
        size_t size = CPU_ALLOC_SIZE((size_t)n);
        int r, count;

        if (set == NULL)
            break;
        r = sched_getaffinity(0, size, set);
        count = r == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (r == 0)
            return count > 0 ? (size_t)count : 1;
        if (errno != EINVAL) /* the mask is too small for this kernel */
            break;
    }
    return 1;
}

/* The two decimal numbers that a kernel's text begins with; false: it does not. */
static bool two_numbers(const char *text, uint64_t *first, uint64_t *second)
{
    char *end, *end2;

    *first = strtoull(text, &end, 10);
    *second = strtoull(end, &end2, 10);
    return end != text && end2 != end;
}

/* "QUOTA PERIOD" or "max PERIOD" in one cpu.max; UINT64_MAX: no limit. */
static uint64_t quota_of(const char *dir)
{
    char path[4096 + 64], text[64];
    uint64_t quota, period;

    snprintf(path, sizeof(path), CGROUP_ROOT "%s/cpu.max", dir);
    if (read_small(path, text, sizeof(text)) <= 0)
        return UINT64_MAX;
    if (!two_numbers(text, &quota, &period) || period == 0 || quota == 0)
        return UINT64_MAX;
    return (quota + period - 1) / period;
}

/* Bytes, or "max", in one memory.max; UINT64_MAX: no limit. */
static uint64_t memory_of(const char *dir)
{
    char path[4096 + 64], text[64];
    uint64_t bytes;

    snprintf(path, sizeof(path), CGROUP_ROOT "%s/memory.max", dir);
    if (read_small(path, text, sizeof(text)) <= 0)
        return UINT64_MAX;
    text[strcspn(text, "\n")] = '\0';
    return str_to_u64(str_of(text), UINT64_MAX, &bytes) == 0 ? bytes : UINT64_MAX;
}

/* The tightest limit from our cgroup up to the root. */
static uint64_t cgroup_least(uint64_t (*limit_of)(const char *dir))
{
    char text[4096], *dir, *end;
    uint64_t least = UINT64_MAX;

    if (read_small("/proc/self/cgroup", text, sizeof(text)) <= 0)
        return UINT64_MAX;
    dir = strstr(text, "0::/");
    if (dir == NULL || (dir != text && dir[-1] != '\n'))
        return UINT64_MAX;
    dir += 3;
    dir[strcspn(dir, "\n")] = '\0';
    do {
        uint64_t here = limit_of(dir);

        least = here < least ? here : least;
        end = strrchr(dir, '/');
        if (end != NULL)
            *end = '\0';
    } while (end != NULL);
    return least;
}

size_t proc_cores(void)
{
    size_t cores = affinity_cores();
    uint64_t quota = cgroup_least(quota_of);

    return quota < cores ? (size_t)quota : cores;
}

uint64_t proc_memory(void)
{
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = cgroup_least(memory_of);

    return limit < all ? limit : all;
}

uint64_t proc_rss(pid_t pid)
{
    char path[64], text[256];
    uint64_t size, pages;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    if (read_small(path, text, sizeof(text)) <= 0 || !two_numbers(text, &size, &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t proc_private(pid_t pid)
{
    char path[64], text[256];
    uint64_t resident, shared;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    if (read_small(path, text, sizeof(text)) <= 0 || !two_numbers(text + strcspn(text, " "), &resident, &shared))
        return 0;
    return resident > shared ? (resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

size_t proc_count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    if (dir == NULL)
        return 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(dir);
    return n > 0 ? n - 1 : 0; /* less the one that looked */
}

int proc_self_path(char *out, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", out, size);

    if (n < 0)
        return -errno;
    if ((size_t)n >= size)
        return -ENAMETOOLONG;
    out[n] = '\0';
    return 0;
}
