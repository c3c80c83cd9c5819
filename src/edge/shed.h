/*
 * Out of memory: what a client causes may fail, and then it is the client that goes.
 *
 * Everything that grows with clients is asked for with mem_try_* (base/mem.h). Whoever gets nothing says so here and answers 503 or closes.
 * What we need ourselves for those who stay comes from a reserve, and while that is open no new connection is let in. Own thread.
 */
#ifndef QUINTET_EDGE_SHED_H
#define QUINTET_EDGE_SHED_H

#include <stdbool.h>

struct lane;

/* Sets the process's reserve aside. */
void shed_init(void);
/* There was no memory for `what`: counted, logged once a minute, and what can be spared (kept files, kept buffers, an idle connection) is given
 * up. The caller closes or refuses. */
void shed_note(struct lane *lane, const char *what);
/* Whether a new connection may come in: the reserve is whole, or could be filled again. */
bool shed_may_grow(void);

#endif
