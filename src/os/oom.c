/* The out-of-memory killer's counters. */
#include "os/oom.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

    if (fd >= 0)
        close(fd);
    if (n < 0)
        return NULL;
    out[n] = '\0';
    return out;
}

/* The number behind "\nNAME " or at the beginning; false: there is none. */
static bool find_number(const char *text, const char *name, uint64_t *out)
{
    const char *at = text;
    size_t n = strlen(name);

    while (at != NULL && (strncmp(at, name, n) != 0 || at[n] != ' ')) {
        at = strchr(at, '\n');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL)
        return false;
    *out = strtoull(at + n, NULL, 10);
    return true;
}

static bool in_cgroup(uint64_t *kills)
{
    char cgroup[4096], path[4096 + 64], events[1024];
    char *dir;

    if (read_text("/proc/self/cgroup", cgroup, sizeof(cgroup)) == NULL)
        return false;
    dir = strstr(cgroup, "0::/");
    if (dir == NULL)
        return false;
    dir += 3;
    dir[strcspn(dir, "\n")] = '\0';
    snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.events", dir);
    return read_text(path, events, sizeof(events)) != NULL && find_number(events, "oom_kill", kills);
}

uint64_t oom_kills(void)
{
    char text[16384];
    uint64_t kills = 0;

    if (in_cgroup(&kills))
        return kills;
    if (read_text("/proc/vmstat", text, sizeof(text)) != NULL)
        (void)find_number(text, "oom_kill", &kills);
    return kills;
}
