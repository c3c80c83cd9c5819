/*
 * The status document as a table for people.
 */
#ifndef QUINTET_SUPER_STATUS_TABLE_H
#define QUINTET_SUPER_STATUS_TABLE_H

#include <stdio.h>

#include <jansson.h>

void status_table_print(const json_t *status, FILE *to);

#endif
