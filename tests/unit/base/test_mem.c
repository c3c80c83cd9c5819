/* Allocations: zeroed where they say so, terminated copies, wiped secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||               \
    __has_feature(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static void zeroed_memory_is_zero(void **state)
{
    static const char zero[64];
    char *a = mem_zalloc(64), *b = mem_calloc(4, 16);

    (void)state;
    assert_memory_equal(a, zero, 64);
    assert_memory_equal(b, zero, 64);
    mem_free(a);
    mem_free(b);
}

static void nothing_is_still_something(void **state)
{
    void *a = mem_alloc(0), *b = mem_calloc(0, 8);

    (void)state;
    assert_non_null(a);
    assert_non_null(b);
    a = mem_realloc(a, 0);
    assert_non_null(a);
    mem_free(a);
    mem_free(b);
    mem_free(NULL);
}

static void realloc_keeps_the_bytes(void **state)
{
    char *p = mem_realloc(NULL, 3);

    (void)state;
    memcpy(p, "abc", 3);
    p = mem_realloc(p, 100000);
    assert_memory_equal(p, "abc", 3);
    mem_free(p);
}

static void copies_are_terminated(void **state)
{
    char *a = mem_strdup("quintet"), *b = mem_strndup("quintet", 5), *c = mem_strndup(NULL, 0);

    (void)state;
    assert_string_equal(a, "quintet");
    assert_string_equal(b, "quint");
    assert_string_equal(c, "");
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

static void wiping_zeroes_only_what_is_asked(void **state)
{
    char secret[8] = "secrets";

    (void)state;
    mem_wipe(secret, 6);
    assert_memory_equal(secret, "\0\0\0\0\0\0s", 8);
    mem_wipe(NULL, 0);
}

/* In a child of its own, which has no memory left but what was set aside. */
static void the_reserve_opens_when_there_is_no_memory(void **state)
{
    pid_t child;
    int status;

    (void)state;
    if (SANITIZED)
        skip(); /* it needs the address space, and ends the process instead of giving NULL */
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = { 64 << 20, 64 << 20 };
        bool ok = mem_reserve(8 << 20) && !mem_reserve_open() && setrlimit(RLIMIT_AS, &limit) == 0;

        while (mem_try_alloc(1 << 20) != NULL)
            ;
        while (mem_try_alloc(4096) != NULL)
            ;
        ok = ok && mem_alloc(100000) != NULL && mem_reserve_open(); /* this one must not fail */
        ok = ok && !mem_reserve(256 << 20) && mem_reserve_open();
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(nothing_is_still_something),
        cmocka_unit_test(realloc_keeps_the_bytes),
        cmocka_unit_test(copies_are_terminated),
        cmocka_unit_test(the_reserve_opens_when_there_is_no_memory),
        cmocka_unit_test(wiping_zeroes_only_what_is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
