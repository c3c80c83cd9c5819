/*
 * Password files (htpasswd) and the comparison with a password, by libcrypt.
 *
 * "name:hash" a line; blank lines and those that begin with # are left out. Hashes: bcrypt ($2y$, `htpasswd -B`), SHA-512 ($6$) and SHA-256 ($5$) of
 * crypt(3), yescrypt ($y$). The fast ones of old (apr1, {SHA}, DES, plain text) are refused: who gets the file has the passwords.
 * A comparison takes as long as the hash was made to take, tens to hundreds of milliseconds. Any thread.
 */
#ifndef QUINTET_OS_PASSWORDS_H
#define QUINTET_OS_PASSWORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/must.h"
#include "base/str.h"

#define PASSWORDS_FILE_MAX (256u << 10)
#define PASSWORDS_NAME_MAX 128 /* bytes of a name */
#define PASSWORDS_HASH_MAX 128
#define PASSWORDS_LENGTH_MAX 512 /* bytes of a password: libcrypt's own maximum */
#define PASSWORDS_ERROR_MAX 160

struct password_entry {
    char name[PASSWORDS_NAME_MAX + 1], hash[PASSWORDS_HASH_MAX + 1];
};

struct passwords {
    struct password_entry *entries; /* owned, wiped */
    size_t n;
};

/* 0 or -EINVAL with "line 3: …" in error; a file without a name in it is an error too. */
MUST_CHECK int passwords_read(struct str text, struct passwords *out, char error[PASSWORDS_ERROR_MAX]);
void passwords_fini(struct passwords *p);
/* NULL: no such name. */
const char *passwords_hash(const struct passwords *p, struct str name);
/* Slow on purpose. */
bool passwords_match(const char *hash, const char *password);

#endif
