/*
 * quintet.yaml: one mapping of option names to values; nothing is nested deeper than a list of scalars but sites and routes.
 *
 * What a scalar means is decided by the option it is for, not by YAML: `pid: 010` is a path and `access_log: off` the word off. Anchors,
 * aliases, tags and further documents are refused: nobody needs them for a list of options, and they are how such files bite.
 */
#ifndef QUINTET_CONF_YAML_READER_H
#define QUINTET_CONF_YAML_READER_H

#include "base/must.h"
#include "base/str.h"
#include "conf/conf.h"

#define YAML_READER_MAX (1u << 20) /* bytes */

/* `text` is the content; `path` is for places and messages. 0 or -EINVAL with the error. */
MUST_CHECK int yaml_reader_read(struct conf_builder *b, const char *path, struct str text, char error[CONF_ERROR_MAX]);

#endif
