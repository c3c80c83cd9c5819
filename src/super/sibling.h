/*
 * One static file's precompressed siblings: style.css.br, .zst and .gz beside style.css, made once and as small as they can be.
 *
 * A sibling of ours has its file's date to the nanosecond, so that it is known to be up to date; one that is younger somebody else has made, and it is
 * left alone. Written aside, under a hidden name that no other run has, with the file's mode and owner, and given its name when the disk has it (the caller syncs once for all): after a crash an empty
 * one with the right date would be served for good. Any thread; each its own encoders.
 */
#ifndef QUINTET_SUPER_SIBLING_H
#define QUINTET_SUPER_SIBLING_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/hash.h"
#include "pack/encoder.h"

#define SIBLING_FILE_MAX (UINT64_C(256) << 20) /* larger files are left as they are */
#define SIBLING_SAVES 20                       /* a sibling must save one part in so many */

/* What became of one coding. */
enum sibling_result { SIBLING_WRITTEN, SIBLING_FRESH, SIBLING_NO_GAIN, SIBLING_RESULTS };

/* What all that is done in one go has in common. */
struct sibling_run {
    struct hash_seed seed; /* of the names aside */
    atomic_bool stop;      /* a signal's handler may set it: whatever is under way ends with -EINTR */
};

struct sibling_maker {
    const struct sibling_run *run;     /* borrowed */
    struct encoder *encoders[CODINGS]; /* owned; NULL: none yet */
    struct buf content, packed;
};

struct sibling_report {
    enum sibling_result result[CODINGS];
    uint64_t size[CODINGS]; /* of the sibling, there or written; identity: of the file */
};

void sibling_maker_init(struct sibling_maker *maker, const struct sibling_run *run);
void sibling_maker_fini(struct sibling_maker *maker);
/* Does the file (a path below root, no link out of it) have what it takes: by name and size? 0, with its size; -ENOTSUP: not; other -errno. */
MUST_CHECK int sibling_candidate(int root, const char *path, uint64_t *size);
/* What is SIBLING_WRITTEN lies aside until sibling_show or sibling_drop. 0 or -errno; -EAGAIN: the file changed meanwhile. */
MUST_CHECK int sibling_make(struct sibling_maker *maker, int root, const char *path, struct sibling_report *report);
/* Gives what sibling_make of this run has written its name. 0 or -errno. */
MUST_CHECK int sibling_show(const struct sibling_run *run, int root, const char *path, enum coding coding);
/* Removes it. */
void sibling_drop(const struct sibling_run *run, int root, const char *path, enum coding coding);

#endif
