/*
 * An application that takes long to boot. At first clients wait in the kernel's queue, so that a short boot costs nobody an error. After EARLY_NS the edge
 * begins all the same: files are served, what is for the application waits in the edge's queue and is told 503 in time, readiness fails until
 * the first generation serves.
 */
#ifndef QUINTET_SUPER_EARLY_H
#define QUINTET_SUPER_EARLY_H

#include <stdbool.h>

#include "os/loop.h"

#define EARLY_NS (3 * NS_PER_SEC)

struct super;

struct early {
    struct super *super; /* borrowed */
    struct loop_timer timer;
    bool open; /* the edge has its START before there is a generation to serve */
};

void early_init(struct super *super);
/* START, should it be time already: to an edge that is started while the first generation boots. */
void early_again(struct super *super);

#endif
