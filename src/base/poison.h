/*
 * Memory that our allocators hold back is unaddressable under AddressSanitizer, so that a use after slab_put or
 * arena_reset is found as one after free() would be. Nothing in a plain build.
 */
#ifndef QUINTET_BASE_POISON_H
#define QUINTET_BASE_POISON_H

#include <stddef.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#endif
