/* Threads of other processes, read from /proc. */
#include "os/tasks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TASKS_MAX 64

/* A small file of /proc, NUL-terminated; false: it cannot be read. */
static bool read_text(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* The rest of the line behind "\nNAME:\t". */
static struct str field(const char *text, const char *name)
{
    struct str rest = str_of(text), wanted = str_of(name);

    while (rest.p != NULL) {
        struct str line = str_split(&rest, '\n');

        if (str_starts(line, wanted))
            return str_trim(str_cut(line, wanted.n, line.n));
    }
    return STR("");
}

bool tasks_catches(pid_t pid, int signal)
{
    char path[64], text[4096];
    struct str caught;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (!read_text(path, text, sizeof(text)))
        return false;
    caught = field(text, "SigCgt:");
    return caught.n > 0 && (strtoull(caught.p, NULL, 16) >> (signal - 1) & 1) != 0;
}

/* One word of a file of the task, with a label; nothing when there is none, or only the 0 of what we may not know. */
static void add_file(const char *dir, const char *file, const char *label, struct buf *out)
{
    char path[128], text[256];
    struct str word;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, file);
    if (!read_text(path, text, sizeof(text)))
        return;
    word = str_of(text);
    word = str_trim(str_split(&word, '\n'));
    if (word.n > 0 && !str_eq(word, STR("0")))
        (void)!buf_printf(out, ", %s " STR_FMT, label, STR_ARG(word));
}

static void describe_one(pid_t pid, const char *tid, struct buf *out)
{
    char dir[64], path[80], text[4096];
    struct str name, state;

    (void)snprintf(dir, sizeof(dir), "/proc/%d/task/%.16s", (int)pid, tid);
    (void)snprintf(path, sizeof(path), "%s/status", dir);
    if (!read_text(path, text, sizeof(text)))
        return;
    name = field(text, "Name:");
    state = field(text, "State:");
    (void)!buf_printf(out, "thread %.16s (" STR_FMT "): " STR_FMT, tid, STR_ARG(name), STR_ARG(state));
    add_file(dir, "wchan", "in", out);
    add_file(dir, "syscall", "system call", out);
    (void)!buf_add_char(out, '\n');
}

void tasks_describe(pid_t pid, struct buf *out)
{
    char path[64];
    DIR *dir;
    int n = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *e; (e = readdir(dir)) != NULL && n < TASKS_MAX;) {
        if (e->d_name[0] == '.')
            continue;
        describe_one(pid, e->d_name, out);
        n++;
    }
    closedir(dir);
}
