/*
 * What the application prints, line by line, so that each line in the log has its request.
 *
 * Each thread collects its own line; a whole line goes out in one write, as  RS <request id> US <line> LF  (0x1e, 0x1f; the id is empty outside of
 * requests), which the supervisor takes apart. What is written to descriptors 1 and 2 directly has no such mark. Any thread, with or without the GIL.
 */
#ifndef QUINTET_WORKER_OUTPUT_H
#define QUINTET_WORKER_OUTPUT_H

#include "base/str.h"

#define OUTPUT_LINE_MAX 8192 /* with mark and LF; longer lines are cut in several */

/* Collects; writes every line that got complete. Never fails: with the supervisor gone there is no log. */
void output_write(int fd, struct str bytes);
/* The thread's unfinished line, as one: at the end of a request and of a thread. */
void output_flush(void);
/* Once, before the first thread. */
void output_init(void);

#endif
