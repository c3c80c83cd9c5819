/*
 * Compares two strs and shows both when they differ.
 */
#ifndef QUINTET_TESTS_ASSERT_STR_H
#define QUINTET_TESTS_ASSERT_STR_H

#include "base/str.h"

#define assert_str(actual, expected)                                                                                   \
    do {                                                                                                               \
        struct str actual_ = (actual), expected_ = (expected);                                                         \
        if (!str_eq(actual_, expected_))                                                                               \
            fail_msg("\"" STR_FMT "\" instead of \"" STR_FMT "\"", STR_ARG(actual_), STR_ARG(expected_));              \
    } while (0)

#endif
