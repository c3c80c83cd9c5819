/*
 * The version that `quintet version`, the status and the metrics say; the build sets it from meson.build.
 */
#ifndef QUINTET_BASE_VERSION_H
#define QUINTET_BASE_VERSION_H

#ifndef QUINTET_VERSION
#define QUINTET_VERSION "unknown"
#endif

#endif
