/*
 * What the tests of conf share: a builder with the error text of the last call, and short ways to feed it.
 */
#ifndef QUINTET_TESTS_CONF_TESTING_H
#define QUINTET_TESTS_CONF_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>

#include "conf/conf.h"
#include "conf/yaml_reader.h"

#define SECOND UINT64_C(1000000000)

struct testing {
    struct conf_builder *b;
    char error[CONF_ERROR_MAX];
};

static inline int testing_setup(void **state)
{
    struct testing *t = calloc(1, sizeof(*t));

    t->b = conf_builder_new();
    *state = t;
    return 0;
}

static inline int testing_teardown(void **state)
{
    struct testing *t = *state;

    conf_builder_free(t->b);
    free(t);
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, testing_setup, testing_teardown)

/* ARGS(t, "-w", "4"): the command line after the program's name. */
#define ARGS(t, ...) testing_args(t, (char *[]){ (char *)"quintet", __VA_ARGS__, NULL })
#define ENV(t, ...) conf_read_env((t)->b, (char *[]){ __VA_ARGS__, NULL }, (t)->error)
#define YAML(t, text) yaml_reader_read((t)->b, "quintet.yaml", str_of(text), (t)->error)
#define SET(t, name, value)                                                                                            \
    conf_set((t)->b, CONF_DJANGO, STR("Django settings"), str_of(name), str_of(value), (t)->error)

static inline int testing_args(struct testing *t, char **argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    return conf_read_args(t->b, argc, argv, t->error);
}

/* The call was refused with exactly this text. */
#define assert_refused(t, call, text)                                                                                  \
    do {                                                                                                               \
        assert_int_equal(call, -EINVAL);                                                                               \
        assert_string_equal((t)->error, text);                                                                         \
    } while (0)

/* The call was accepted; when not, the error is shown. */
#define assert_accepted(t, call)                                                                                       \
    do {                                                                                                               \
        (t)->error[0] = '\0';                                                                                          \
        int accepted_rc = (call);                                                                                      \
        assert_string_equal((t)->error, "");                                                                           \
        assert_int_equal(accepted_rc, 0);                                                                              \
    } while (0)

#endif
