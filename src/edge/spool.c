/* Memory first, then an unlinked file. */
#include "edge/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void spool_init(struct spool *s, size_t memory_max, uint64_t max)
{
    memset(s, 0, sizeof(*s));
    buf_init(&s->memory, memory_max);
    s->fd = -1;
    s->memory_max = memory_max;
    s->max = max;
}

void spool_fini(struct spool *s)
{
    buf_fini(&s->memory);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

/* $TMPDIR, then /var/tmp (a disk, unlike /tmp here and there), then memory where no file system has O_TMPFILE. */
static int open_unlinked(void)
{
    const char *dirs[] = { getenv("TMPDIR"), "/var/tmp", "/tmp" };

    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        int fd = dirs[i] == NULL ? -1 : open(dirs[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        if (fd >= 0)
            return fd;
    }
    return memfd_create("quintet-spool", MFD_CLOEXEC);
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -errno;
        p += w;
        n -= (size_t)w;
    }
    return 0;
}

int spool_to_file(struct spool *s)
{
    int error;

    if (s->fd >= 0)
        return 0;
    s->fd = open_unlinked();
    if (s->fd < 0)
        return -errno;
    error = write_all(s->fd, s->memory.data, s->memory.len);
    buf_fini(&s->memory);
    buf_init(&s->memory, s->memory_max);
    return error;
}

int spool_add(struct spool *s, const void *p, size_t n)
{
    int error;

    if (n > s->max - s->size)
        return -EMSGSIZE;
    if (s->fd < 0 && buf_add(&s->memory, p, n) == 0) {
        s->size += n;
        return 0;
    }
    error = spool_to_file(s);
    if (error == 0)
        error = write_all(s->fd, p, n);
    if (error == 0)
        s->size += n;
    return error;
}
