/*
 * The nested part of quintet.yaml: `sites:`, `routes:` and the keys of a site that stand at the top of the file (conf/sites.h).
 */
#ifndef QUINTET_CONF_YAML_SITES_H
#define QUINTET_CONF_YAML_SITES_H

#include "conf/yaml_events.h"

/* Is it a key of the file's own mapping that is ours to read? */
bool yaml_sites_has(struct str name);
/* Reads what follows it. 0 or -EINVAL with the error. */
MUST_CHECK int yaml_sites_read(struct yaml_reader *r, struct str name, yaml_mark_t mark);

#endif
