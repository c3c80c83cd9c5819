/* Secrets: reading, checking, handing on. */
#include "super/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/passwords.h"
#include "wire/message.h"

void secrets_wipe(struct str bytes)
{
    if (bytes.p == NULL)
        return;
    mem_wipe((char *)(uintptr_t)bytes.p, bytes.n);
    mem_free((char *)(uintptr_t)bytes.p);
}

static int cannot(struct why *error, const char *path, int why)
{
    return why_set(error, why, "cannot read %s: %s%s", path, why_errno(why),
                   why == -EACCES ? "; start as root, which only the supervisor stays, or let this user read it" : "");
}

static int read_bytes(int fd, char *to, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t n = read(fd, to + *got, size - *got);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return 0;
        if (n > 0)
            *got += (size_t)n;
    }
    return -EFBIG;
}

int secrets_read(const char *path, struct str *out, struct why *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    char *bytes;
    size_t n;
    int r;

    if (fd < 0)
        return cannot(error, path, -errno);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return cannot(error, path, -EINVAL);
    }
    bytes = mem_alloc(SECRETS_FILE_MAX);
    r = read_bytes(fd, bytes, SECRETS_FILE_MAX, &n);
    close(fd);
    *out = str_make(bytes, n);
    if (r == 0)
        return 0;
    secrets_wipe(*out);
    *out = str_make(NULL, 0);
    return cannot(error, path, r);
}

/* ---- of sites and routes ---- */

/* As a file of passwords, of one key, or of both, whichever use is made of it. */
static int fits(const char *path, struct str bytes, const struct conf_sites *sites, struct why *error)
{
    char reason[PASSWORDS_ERROR_MAX];
    struct passwords users;

    if (conf_sites_uses(sites, STR("basic-auth"), path)) {
        if (passwords_read(bytes, &users, reason) != 0)
            return why_set(error, -EINVAL, "basic_auth: %s: %s", path, reason);
        passwords_fini(&users);
    }
    if (conf_sites_uses(sites, STR("signed"), path) && conf_sites_key(bytes).n < CONF_KEY_MIN)
        return why_set(error, -EINVAL, "signed: %s: expected a key of at least %d bytes", path, CONF_KEY_MIN);
    return 0;
}

int secrets_check(const struct conf *conf, struct why *error)
{
    const char *paths[CONF_SITE_FILES_MAX];
    size_t n = conf_sites_files(&conf->sites, CONF_FILES_SECRET, paths);
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++) {
        struct str bytes = { NULL, 0 };

        r = secrets_read(paths[i], &bytes, error);
        if (r == 0)
            r = fits(paths[i], bytes, &conf->sites, error);
        secrets_wipe(bytes);
    }
    return r;
}

int secrets_blob(const char *path, const struct conf *conf, struct why *error)
{
    struct str bytes = { NULL, 0 };
    int r = secrets_read(path, &bytes, error);

    if (r != 0)
        return r;
    r = fits(path, bytes, &conf->sites, error);
    if (r == 0 && (r = wire_blob_make("quintet-secret", bytes)) < 0)
        r = why_set(error, r, "cannot hand %s on: %s", path, why_errno(r));
    secrets_wipe(bytes);
    return r;
}
