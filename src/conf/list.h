/*
 * A list of owned strings: the value of every option that may be repeated.
 */
#ifndef QUINTET_CONF_LIST_H
#define QUINTET_CONF_LIST_H

#include <stddef.h>

struct conf_list {
    char **items; /* owned strings */
    size_t n;
};

#endif
