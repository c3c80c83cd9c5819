/* Heap memory that is there or the process ends: see mem.h. */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

static void *_Atomic reserve;
static atomic_bool reserve_open;

bool mem_reserve(size_t size)
{
    void *p, *none = NULL;

    if (atomic_load_explicit(&reserve, memory_order_relaxed) == NULL) {
        p = malloc(size);
        if (p == NULL)
            return false;
        if (!atomic_compare_exchange_strong(&reserve, &none, p))
            free(p); /* another thread was faster */
    }
    atomic_store_explicit(&reserve_open, false, memory_order_relaxed);
    return true;
}

bool mem_reserve_open(void)
{
    return atomic_load_explicit(&reserve_open, memory_order_relaxed);
}

void mem_reserve_drop(void)
{
    free(atomic_exchange(&reserve, NULL));
}

/* Whether there may be memory now that there was not before. */
static bool open_reserve(void)
{
    void *p = atomic_exchange(&reserve, NULL);

    atomic_store_explicit(&reserve_open, true, memory_order_relaxed);
    free(p);
    return p != NULL;
}

void *mem_try_alloc(size_t size)
{
    return malloc(size != 0 ? size : 1);
}

void *mem_try_zalloc(size_t size)
{
    return calloc(1, size != 0 ? size : 1);
}

void *mem_try_realloc(void *ptr, size_t size)
{
    return realloc(ptr, size != 0 ? size : 1);
}

void *mem_alloc(size_t size)
{
    void *p;

    do
        p = malloc(size != 0 ? size : 1);
    while (p == NULL && open_reserve());
    must(p != NULL);
    return p;
}

void *mem_zalloc(size_t size)
{
    return mem_calloc(1, size);
}

void *mem_calloc(size_t n, size_t size)
{
    void *p;

    do
        p = calloc(n != 0 ? n : 1, size != 0 ? size : 1); /* NULL on overflow too */
    while (p == NULL && open_reserve());
    must(p != NULL);
    return p;
}

void *mem_realloc(void *ptr, size_t size)
{
    void *p;

    do
        p = realloc(ptr, size != 0 ? size : 1);
    while (p == NULL && open_reserve());
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
