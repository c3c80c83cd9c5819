/*
 * Files with secrets (keys, passwords): read here, where they can be opened, bounded, and wiped after use; handed to the edge as sealed memfds.
 */
#ifndef QUINTET_SUPER_SECRETS_H
#define QUINTET_SUPER_SECRETS_H

#include "base/str.h"
#include "conf/conf.h"
#include "super/why.h"

#define SECRETS_FILE_MAX (256u << 10)

/* A regular file whole; secrets_wipe it. 0 or -errno with a sentence. */
MUST_CHECK int secrets_read(const char *path, struct str *out, struct why *error);
void secrets_wipe(struct str bytes); /* zeroes and frees; empty allowed */
/* What sites and routes name (basic_auth, signed) can be read and makes sense. 0 or -errno with a sentence. */
MUST_CHECK int secrets_check(const struct conf *conf, struct why *error);
/* A sealed memfd with one of these files, checked again as it may have changed; its descriptor or -errno with a sentence. */
MUST_CHECK int secrets_blob(const char *path, const struct conf *conf, struct why *error);

#endif
