/*
 * Heap memory that is there or the process ends.
 *
 * Small allocations of our own sizes abort when memory is exhausted (must_fail). Whatever a peer can size goes through
 * a bounded container (buf, arena) whose maximum answers instead.
 */
#ifndef QUINTET_BASE_MEM_H
#define QUINTET_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);               /* uninitialised; never NULL; free with mem_free */
void *mem_zalloc(size_t size);              /* zeroed; never NULL */
void *mem_calloc(size_t n, size_t size);    /* zeroed; overflow-checked; never NULL */
void *mem_realloc(void *ptr, size_t size);  /* never NULL */
char *mem_strdup(const char *s);            /* NUL-terminated copy */
char *mem_strndup(const char *s, size_t n); /* NUL-terminated copy of n bytes */
void mem_free(void *ptr);                   /* NULL is allowed */
void mem_wipe(void *ptr, size_t size);      /* zeroes secrets; never optimised away */

#endif
