/*
 * A log file that never blocks who writes to it.
 *
 * sink_put copies the line into a bounded buffer (SINK_BYTES) and returns; one writer thread writes it out in large pieces.
 * When the buffer is full, or the file cannot be written, lines are dropped and counted, and "N lines dropped" (as JSON if
 * the lines are) comes before the next one that is written. Lines of one producer thread keep their order; each line is
 * written whole, but for one that a disk had room for in part: it counts as dropped, and the next begins a new line. Any thread may put.
 */
#ifndef QUINTET_OS_SINK_H
#define QUINTET_OS_SINK_H

#include <stdint.h>

#include "base/must.h"
#include "base/str.h"

#define SINK_BYTES (1u << 20)

struct sink;

MUST_CHECK int sink_new(int fd, struct sink **out); /* takes fd over; 0 or -errno */
void sink_put(struct sink *sink, struct str line);  /* line with its newline; at most SINK_BYTES / 4 */
void sink_log(void *sink, struct str line);         /* the same as a log_sink_fn */
/* For a log of many lines: after a write the next one comes no sooner than this, unless half the buffer is full, or for sink_flush, sink_reopen and
 * sink_free. A line after a pause is still written at once; what is put after it waits at most so long. */
void sink_gather(struct sink *sink, uint64_t rest_ns);
void sink_reopen(struct sink *sink, int fd); /* takes fd over: lines put from now on go there */
/* Waits until all that was put so far is written, at most timeout_ns. 0 or -ETIMEDOUT. */
MUST_CHECK int sink_flush(struct sink *sink, uint64_t timeout_ns);
void sink_free(struct sink *sink); /* flushes up to 1 s, ends the thread, closes the descriptor; NULL allowed */
uint64_t sink_dropped(const struct sink *sink); /* lines dropped so far */

#endif
