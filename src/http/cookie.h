/*
 * Cookies that a client sends (RFC 6265 4.2): finding one by its name. Pure.
 */
#ifndef QUINTET_HTTP_COOKIE_H
#define QUINTET_HTTP_COOKIE_H

#include "base/str.h"
#include "http/head.h"

/* The value of the cookie with this very name; .p == NULL when there is none, or when an application may find another: given twice with different values
 * (Django takes the last, others the first), in quotes, or among bytes beyond ASCII. All Cookie fields are looked at: HTTP/2 clients may send one a cookie
 * (RFC 9113 8.2.3). */
struct str http_cookie(const struct http_head *head, const char *base, struct str name);

#endif
