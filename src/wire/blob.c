/*
 * Blobs: bytes too many for a datagram travel as a sealed memfd, which the receiver can trust not to change under its eyes.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "wire/message.h"

#define BLOB_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int write_all(int fd, struct str bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            bytes = str_cut(bytes, (size_t)n, bytes.n);
    }
    return 0;
}

int wire_blob_make(const char *name, struct str bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int error;

    if (fd < 0)
        return -errno;
    error = write_all(fd, bytes);
    if (error == 0 && fcntl(fd, F_ADD_SEALS, BLOB_SEALS) < 0)
        error = -errno;
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

static int read_all(int fd, char *to, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = pread(fd, to + done, size - done, (off_t)done);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return -EPROTO;
        if (n > 0)
            done += (size_t)n;
    }
    return 0;
}

int wire_blob_read(int fd, size_t max, struct str *out)
{
    struct stat st;
    char *bytes;
    int seals = fcntl(fd, F_GET_SEALS);
    int error;

    if (seals < 0 || (seals & BLOB_SEALS) != BLOB_SEALS)
        return -EPROTO;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_size < 0 || (uint64_t)st.st_size > max)
        return -EMSGSIZE;
    bytes = mem_alloc((size_t)st.st_size + 1);
    error = read_all(fd, bytes, (size_t)st.st_size);
    if (error != 0) {
        mem_free(bytes);
        return error;
    }
    bytes[st.st_size] = '\0';
    *out = str_make(bytes, (size_t)st.st_size);
    return 0;
}
