/*
 * What a worker prints: its standard output and error, a pipe whose lines go to the log, each with its worker and request.
 *
 * A line may begin with a record mark, 0x1e REQUEST-ID 0x1f, by which the worker's Python side says for which request it was
 * printed. Lines longer than OUTPUT_LINE_MAX are cut in pieces. At most OUTPUT_TURN bytes are read a turn of the loop, so that a
 * worker which prints without end cannot keep the supervisor from its work. One thread.
 */
#ifndef QUINTET_SUPER_OUTPUT_H
#define QUINTET_SUPER_OUTPUT_H

#include "base/log.h"
#include "os/loop.h"

#define OUTPUT_LINE_MAX 7168
#define OUTPUT_REQUEST_MAX 128
#define OUTPUT_TURN (64u << 10)

struct output {
    struct loop *loop; /* borrowed */
    struct log *log;   /* borrowed */
    const char *title; /* borrowed: the log's process */
    struct loop_io io;
    int fd;     /* owned; -1: closed */
    char *line; /* owned, OUTPUT_LINE_MAX bytes: the line under way */
    size_t len;
    bool continued;                       /* the piece under way is not the line's first */
    char request[OUTPUT_REQUEST_MAX + 1]; /* of the line under way */
};

/* Takes fd over, also on failure. 0 or -errno. */
MUST_CHECK int output_init(struct output *output, struct loop *loop, int fd, struct log *log, const char *title);
void output_drain(struct output *output); /* the process is dead: logs what is in the pipe, an unfinished line too */
void output_fini(struct output *output);  /* again is harmless */
void output_feed(struct output *output, struct str bytes); /* what reading does with the bytes; for tests */

#endif
