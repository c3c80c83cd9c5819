/*
 * A tree of static files compressed: found first, then made by several threads, the largest first.
 *
 * Hidden files and directories are left out, as the edge does not serve them; links to directories are not followed. One thread calls; what is counted
 * may be read only after siblings_make has returned.
 */
#ifndef QUINTET_SUPER_SIBLINGS_H
#define QUINTET_SUPER_SIBLINGS_H

#include "super/sibling.h"

#define SIBLINGS_THREADS_MAX 16
#define SIBLINGS_DEPTH_MAX 64

struct siblings_file {
    char *path; /* owned; below the root */
    uint64_t size;
    unsigned written; /* CODING_BIT of those that lie aside */
};

struct siblings {
    int root;               /* owned */
    struct sibling_run run; /* run.stop may be set at any time */
    struct siblings_file *files;
    size_t n_files, room;
    size_t n_failed;                 /* also directories that could not be read */
    size_t results[SIBLING_RESULTS]; /* codings of files */
    uint64_t before;                 /* bytes of the files that have at least one sibling */
    uint64_t after[CODINGS];         /* of them as the client of each coding gets them */
    void (*failed)(const char *path,
                   int error); /* told of each file that could not be done; any thread, one at a time */
};

/* Opens the directory and finds what is worth it. 0 or -errno. */
MUST_CHECK int siblings_find(struct siblings *siblings, const char *dir, void (*failed)(const char *path, int error));
/* Makes them. `progress` is called now and then from the calling thread with the bytes done of all. Once run.stop is set it returns soon, and nothing lies
 * about; siblings that have got their names stay. */
void siblings_make(struct siblings *siblings, void (*progress)(uint64_t done, uint64_t all, size_t n_done));
void siblings_fini(struct siblings *siblings);

#endif
