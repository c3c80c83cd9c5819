/* Reads Django's manifest of hashed static files. */
#include "edge/manifest.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static json_t *load(int fd)
{
    struct stat st;
    json_t *json = NULL;
    char *text;
    ssize_t n;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > MANIFEST_MAX)
        return NULL;
    text = mem_alloc((size_t)st.st_size);
    n = pread(fd, text, (size_t)st.st_size, 0);
    if (n > 0)
        json = json_loadb(text, (size_t)n, 0, NULL);
    mem_free(text);
    return json;
}

/* A storage may leave a file alone: then its name can come back with other content. */
static bool is_hashed(const char *plain, const char *hashed)
{
    return strcmp(plain, hashed) != 0;
}

void manifest_read(int dir, struct map *names)
{
    static int yes;
    int fd = openat(dir, "staticfiles.json", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const char *plain;
    json_t *json, *hashed;

    if (fd < 0)
        return;
    json = load(fd);
    close(fd);
    json_object_foreach(json_object_get(json, "paths"), plain, hashed)
    {
        if (json_is_string(hashed) && is_hashed(plain, json_string_value(hashed)))
            (void)map_put(names, str_of(json_string_value(hashed)), &yes);
    }
    json_decref(json);
}
