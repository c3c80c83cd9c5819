/* Heap memory that is there or the process ends: see mem.h. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

void *mem_alloc(size_t size)
{
    void *p = malloc(size != 0 ? size : 1);

    must(p != NULL);
    return p;
}

void *mem_zalloc(size_t size)
{
    return mem_calloc(1, size);
}

void *mem_calloc(size_t n, size_t size)
{
    void *p = calloc(n != 0 ? n : 1, size != 0 ? size : 1); /* NULL on overflow too */

    must(p != NULL);
    return p;
}

void *mem_realloc(void *ptr, size_t size)
{
    void *p = realloc(ptr, size != 0 ? size : 1);

    must(p != NULL);
    return p;
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t n)
{
    char *p;

    must(n < SIZE_MAX);
    p = mem_alloc(n + 1);
    if (n > 0)
        memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

void mem_free(void *ptr)
{
    free(ptr);
}

void mem_wipe(void *ptr, size_t size)
{
    if (size > 0)
        explicit_bzero(ptr, size);
}
