/*
 * Networks that have a name: usable wherever a network is (--trusted-proxies private,cloudflare).
 *
 * A preset of a CDN also says which field names the client (edge/client.h). Constant, any thread.
 */
#ifndef QUINTET_CONF_PRESETS_H
#define QUINTET_CONF_PRESETS_H

#include "base/str.h"

enum conf_preset {
    CONF_PRESET_NONE,
    CONF_PRESET_PRIVATE,
    CONF_PRESET_CLOUDFLARE,
    CONF_PRESET_CLOUDFRONT,
    CONF_PRESETS
};

enum conf_preset conf_preset_find(struct str name); /* CONF_PRESET_NONE: it is none */
/* Its networks in CIDR form, NULL at the end. */
const char *const *conf_preset_networks(enum conf_preset preset);

#endif
