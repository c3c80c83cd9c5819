/*
 * Heap memory that is there or the process ends, and heap memory that may not be there.
 *
 * What a peer causes, by its number or by its size, is asked for with mem_try_* (and through buf_try_reserve, arena, slab): NULL is an answer,
 * and the peer bears it. What is ours and small aborts when memory is exhausted (must_fail), but not before a reserve has been used up:
 * mem_reserve sets one aside, mem_alloc and its kind open it in need, and while it is open mem_reserve_open says that no new work should be
 * taken. Any thread.
 */
#ifndef QUINTET_BASE_MEM_H
#define QUINTET_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

void *mem_alloc(size_t size);                  /* uninitialised; never NULL; free with mem_free */
void *mem_zalloc(size_t size);                 /* zeroed; never NULL */
void *mem_calloc(size_t n, size_t size);       /* zeroed; overflow-checked; never NULL */
void *mem_realloc(void *ptr, size_t size);     /* never NULL */
char *mem_strdup(const char *s);               /* NUL-terminated copy */
char *mem_strndup(const char *s, size_t n);    /* NUL-terminated copy of n bytes */
void *mem_try_alloc(size_t size);              /* uninitialised; NULL without memory */
void *mem_try_zalloc(size_t size);             /* zeroed; NULL without memory */
void *mem_try_realloc(void *ptr, size_t size); /* NULL without memory: ptr is as it was */
void mem_free(void *ptr);                      /* NULL is allowed */
void mem_wipe(void *ptr, size_t size);         /* zeroes secrets; never optimised away */

/* Sets so many bytes aside; called again when they may have been used. False: there is no memory for it now. */
bool mem_reserve(size_t size);
bool mem_reserve_open(void); /* what was set aside has been needed */
void mem_reserve_drop(void); /* at the end of a process */

#endif
