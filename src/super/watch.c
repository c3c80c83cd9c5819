/* Watching source files by inotify. */
#include "super/watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR | IN_DONT_FOLLOW)

static bool join(char out[PATH_MAX], const char *directory, const char *name)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", directory, name);

    return n > 0 && n < PATH_MAX;
}

static bool is_source_directory(const char *directory, const char *name)
{
    char path[PATH_MAX], marker[PATH_MAX];
    struct stat st;

    if (name[0] == '.' || strcmp(name, "__pycache__") == 0 || strcmp(name, "node_modules") == 0)
        return false;
    if (!join(path, directory, name) || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return false;
    return join(marker, path, "pyvenv.cfg") && access(marker, F_OK) != 0;
}

/* Remembers the directory of a watch descriptor: inotify gives names without it. */
static void remember(struct watch *watch, int wd, const char *directory)
{
    size_t need = (size_t)wd + 1;

    if (need > watch->n_paths) {
        watch->paths = mem_realloc(watch->paths, need * sizeof(char *));
        memset(watch->paths + watch->n_paths, 0, (need - watch->n_paths) * sizeof(char *));
        watch->n_paths = need;
    }
    if (watch->paths[wd] == NULL)
        watch->n_directories++;
    mem_free(watch->paths[wd]);
    watch->paths[wd] = mem_strdup(directory);
}

static int add_tree(struct watch *watch, const char *directory, int depth)
{
    int wd = inotify_add_watch(watch->fd, directory, EVENTS);
    struct dirent *entry;
    DIR *dir;

    if (wd < 0)
        return -errno;
    remember(watch, wd, directory);
    dir = opendir(directory);
    while (dir != NULL && depth < WATCH_DEPTH_MAX && watch->n_directories < WATCH_DIRECTORIES_MAX &&
           (entry = readdir(dir)) != NULL) {
        char path[PATH_MAX];

        /* One that vanishes meanwhile is no error. */
        if (is_source_directory(directory, entry->d_name) && join(path, directory, entry->d_name))
            (void)!add_tree(watch, path, depth + 1);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return 0;
}

static void on_event(struct watch *watch, const struct inotify_event *event)
{
    const char *directory = event->wd >= 0 && (size_t)event->wd < watch->n_paths ? watch->paths[event->wd] : NULL;
    struct str name = str_of(event->len > 0 ? event->name : "");
    char path[PATH_MAX];

    if (event->mask & IN_IGNORED && directory != NULL) {
        mem_free(watch->paths[event->wd]);
        watch->paths[event->wd] = NULL;
        watch->n_directories--;
        return;
    }
    if (event->mask & IN_ISDIR) {
        /* What was written into a new directory before the watch was there is taken for a change. */
        if ((event->mask & (IN_CREATE | IN_MOVED_TO)) && directory != NULL &&
            is_source_directory(directory, event->name) && watch->n_directories < WATCH_DIRECTORIES_MAX &&
            join(path, directory, event->name) && add_tree(watch, path, 0) == 0)
            loop_timer_set(watch->loop, &watch->timer, WATCH_QUIET_NS);
        return;
    }
    /* A file that is created is still empty: closing it is the event. */
    if ((event->mask & IN_Q_OVERFLOW) || (str_ends(name, STR(".py")) && !(event->mask & IN_CREATE)))
        loop_timer_set(watch->loop, &watch->timer, WATCH_QUIET_NS);
}

static void on_io(struct loop_io *io, uint32_t events)
{
    struct watch *watch = CONTAINER_OF(io, struct watch, io);
    char bytes[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(watch->fd, bytes, sizeof(bytes));

    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);

        on_event(watch, event);
        at += (ssize_t)(sizeof(*event) + event->len);
    }
}

static void on_quiet(struct loop_timer *timer)
{
    struct watch *watch = CONTAINER_OF(timer, struct watch, timer);

    watch->fn(watch->arg);
}

int watch_init(struct watch *watch, struct loop *loop, const char *directory, watch_fn *fn, void *arg)
{
    int error;

    *watch = (struct watch){ .loop = loop, .fn = fn, .arg = arg, .io = { .fd = -1, .fn = on_io } };
    loop_timer_init(&watch->timer, on_quiet);
    watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->fd < 0)
        return -errno;
    error = add_tree(watch, directory, 0);
    if (error == 0)
        error = loop_io_add(loop, &watch->io, watch->fd, EPOLLIN);
    if (error != 0)
        watch_fini(watch);
    return error;
}

void watch_fini(struct watch *watch)
{
    if (watch->fd < 0)
        return;
    loop_timer_stop(watch->loop, &watch->timer);
    if (watch->io.fd >= 0)
        loop_io_remove(watch->loop, &watch->io);
    close(watch->fd);
    for (size_t i = 0; i < watch->n_paths; i++)
        mem_free(watch->paths[i]);
    mem_free(watch->paths);
    *watch = (struct watch){ .fd = -1 };
}
