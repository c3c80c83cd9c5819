/*
 * Text made from the option table: the pages in docs/user beside what conf.h declares (--help, the example file).
 */
#ifndef QUINTET_CONF_HELP_H
#define QUINTET_CONF_HELP_H

#include "base/buf.h"
#include "base/must.h"

/* The whole of docs/user/options.md. */
MUST_CHECK int help_markdown(struct buf *out);

#endif
