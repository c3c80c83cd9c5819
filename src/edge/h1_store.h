/*
 * The h1 objects of a lane: only busy connections have one, and some are kept with their buffers for the next. Own thread.
 */
#ifndef QUINTET_EDGE_H1_STORE_H
#define QUINTET_EDGE_H1_STORE_H

#include <stdbool.h>

#include "base/must.h"

struct conn;
struct lane;

MUST_CHECK bool h1_acquire(struct conn *c); /* false: no memory */
void h1_release(struct conn *c);            /* gives the h1 back to the lane; its exchange is ended */
void h1_fini_spare(struct lane *lane);      /* frees those that are kept */

#endif
