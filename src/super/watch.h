/*
 * `--reload`: watches the project's Python files and says when one has changed (development).
 *
 * inotify on every directory below the project, without hidden ones, virtual environments, __pycache__ and node_modules, at most
 * WATCH_DIRECTORIES_MAX. An editor writes in several steps and a checkout in thousands, so the word comes once it has been quiet for
 * WATCH_QUIET_NS. One thread.
 */
#ifndef QUINTET_SUPER_WATCH_H
#define QUINTET_SUPER_WATCH_H

#include "base/clock.h"
#include "os/loop.h"

#define WATCH_DIRECTORIES_MAX 8192
#define WATCH_DEPTH_MAX 32
#define WATCH_QUIET_NS (150 * NS_PER_MS)

typedef void watch_fn(void *arg);

struct watch {
    struct loop *loop; /* borrowed */
    struct loop_io io;
    struct loop_timer timer; /* until it is quiet */
    int fd;                  /* owned; -1: not watching */
    char **paths;            /* owned: by watch descriptor; NULL: none */
    size_t n_paths, n_directories;
    watch_fn *fn;
    void *arg;
};

/* Watches below `directory`; fn follows by the loop. 0 or -errno. */
MUST_CHECK int watch_init(struct watch *watch, struct loop *loop, const char *directory, watch_fn *fn, void *arg);
void watch_fini(struct watch *watch); /* again is harmless, and so for one that is all zero with fd -1 */

#endif
