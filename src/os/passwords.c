/* Password files, and crypt(3). */
#include "os/passwords.h"

#include <crypt.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

static int fail(char *error, size_t line, const char *what)
{
    (void)snprintf(error, PASSWORDS_ERROR_MAX, "line %zu: %s", line, what);
    return -EINVAL;
}

static bool is_strong(struct str hash)
{
    static const char *const kinds[] = { "$2y$", "$2b$", "$2a$", "$6$", "$5$", "$y$" };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(hash, str_of(kinds[i])))
            return true;
    return false;
}

static void copy(char *to, struct str from)
{
    memcpy(to, from.p, from.n);
    to[from.n] = '\0';
}

static int read_line(struct passwords *p, struct str line, size_t number, char *error)
{
    struct str rest = line, name = str_split(&rest, ':'), hash = str_split(&rest, ':');
    struct password_entry *e;

    if (name.n == 0 || name.n > PASSWORDS_NAME_MAX || hash.n == 0)
        return fail(error, number, "expected NAME:HASH");
    if (passwords_hash(p, name) != NULL)
        return fail(error, number, "the name is there twice");
    if (!is_strong(hash) || hash.n > PASSWORDS_HASH_MAX)
        return fail(error, number, "expected a bcrypt, SHA-512 or yescrypt hash; make one with `htpasswd -B`");
    e = mem_calloc(p->n + 1, sizeof(*e));
    if (p->n > 0)
        memcpy(e, p->entries, p->n * sizeof(*e));
    copy(e[p->n].name, name);
    copy(e[p->n].hash, hash);
    if (p->entries != NULL)
        mem_wipe(p->entries, p->n * sizeof(*e));
    mem_free(p->entries);
    p->entries = e;
    p->n++;
    return 0;
}

int passwords_read(struct str text, struct passwords *out, char error[PASSWORDS_ERROR_MAX])
{
    size_t number = 0;
    int rc = 0;

    *out = (struct passwords){ 0 };
    while (text.p != NULL && rc == 0) {
        struct str line = str_split(&text, '\n');

        number++;
        if (str_ends(line, STR("\r")))
            line.n--;
        line = str_trim(line);
        if (line.n > 0 && line.p[0] != '#')
            rc = memchr(line.p, '\0', line.n) != NULL ? fail(error, number, "a zero byte")
                                                      : read_line(out, line, number, error);
    }
    if (rc == 0 && out->n == 0)
        rc = fail(error, number, "nobody is named");
    if (rc != 0)
        passwords_fini(out);
    return rc;
}

void passwords_fini(struct passwords *p)
{
    if (p->entries != NULL)
        mem_wipe(p->entries, p->n * sizeof(*p->entries));
    mem_free(p->entries);
    *p = (struct passwords){ 0 };
}

const char *passwords_hash(const struct passwords *p, struct str name)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(str_of(p->entries[i].name), name))
            return p->entries[i].hash;
    return NULL;
}

/* Of the comparison neither length nor place of a difference shows in the time it takes. */
static bool same(const char *a, const char *b)
{
    size_t n = strlen(a);
    unsigned char differs = n != strlen(b);

    for (size_t i = 0; i < n && b[i] != '\0'; i++)
        differs |= (unsigned char)(a[i] ^ b[i]);
    return differs == 0;
}

bool passwords_match(const char *hash, const char *password)
{
    struct crypt_data *data = mem_zalloc(sizeof(*data)); /* 32 KiB: too much for a stack */
    const char *made = crypt_r(password, hash, data);
    bool yes = made != NULL && made[0] != '*' && same(made, hash);

    mem_wipe(data, sizeof(*data));
    mem_free(data);
    return yes;
}
