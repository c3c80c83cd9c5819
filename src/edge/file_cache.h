/*
 * Open files of a lane: descriptor, validators, type and, for small ones, the content.
 *
 * An entry is believed for FILE_CACHE_FRESH_NS, then the path is opened again and compared (device, inode, size, mtime). Paths are resolved
 * below their root with openat2(RESOLVE_BENEATH): neither "..", nor a symbolic link out of the root, nor a race can leave it. Entries are
 * reference-counted: one in use outlives its eviction. One lane, no lock.
 */
#ifndef QUINTET_EDGE_FILE_CACHE_H
#define QUINTET_EDGE_FILE_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/coding.h"
#include "base/list.h"
#include "base/must.h"
#include "base/str.h"
#include "edge/snapshot.h"
#include "http/date.h"
#include "http/mime.h"

#define FILE_CACHE_ENTRIES 1024
#define FILE_CACHE_FRESH_NS (UINT64_C(1000000000))
#define FILE_CACHE_CONTENT (32u << 10) /* files up to this are kept in memory */

struct lane;
struct file_cache;

struct file_entry {
    struct list link; /* least recently used first */
    uint32_t refs;
    bool cached; /* still in the map */
    char *key;   /* owned: root index and path */
    int fd;      /* owned; -1: the content is in memory */
    uint64_t size, device, inode;
    int64_t mtime, mtime_ns;
    uint64_t checked_ns;
    const struct mime_type *mime;
    bool packable;               /* of a type that is worth compressing */
    uint64_t missed_ns[CODINGS]; /* when a precompressed sibling was last looked for in vain; 0: not yet */
    char etag[48], last_modified[HTTP_DATE_LEN], length[24];
    size_t etag_n, length_n;
    char *content; /* owned; NULL: larger than FILE_CACHE_CONTENT */
};

struct file_cache *file_cache_new(struct lane *lane);
void file_cache_free(struct file_cache *cache);  /* every entry must have been put back */
void file_cache_clear(struct file_cache *cache); /* forgets all; entries in use live on */
/* The regular file at `path` below `root` with a reference for the caller. 0; -ENOENT (also for what is no regular
 * file), -EISDIR, -EACCES, -EXDEV or -ELOOP (a link that leaves the root), other -errno. */
MUST_CHECK int file_cache_get(struct file_cache *cache, const struct root *root, struct str path,
                              struct file_entry **out);
/* The file's precompressed sibling (PATH.br and so on) with a reference for the caller; NULL when there is none, or one that is older than the file. What is
 * missing is looked for once in FILE_CACHE_FRESH_NS, too. */
struct file_entry *file_cache_sibling(struct file_cache *cache, const struct root *root, struct str path,
                                      struct file_entry *entry, enum coding coding);
void file_cache_put(struct file_cache *cache, struct file_entry *entry);

#endif
