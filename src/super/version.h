/*
 * The version that `quintet version` and the status say; the build sets it from meson.build.
 */
#ifndef QUINTET_SUPER_VERSION_H
#define QUINTET_SUPER_VERSION_H

#ifndef QUINTET_VERSION
#define QUINTET_VERSION "unknown"
#endif

#endif
