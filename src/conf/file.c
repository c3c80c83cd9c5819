/*
 * Brings a configuration file into memory, bounded, and hands it to the YAML reader.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "conf/builder.h"
#include "conf/mistake.h"
#include "conf/yaml_reader.h"

static int read_whole(FILE *file, struct buf *out)
{
    while (!feof(file)) {
        int rc = buf_reserve(out, 4096);

        if (rc < 0)
            return rc;
        buf_commit(out, fread(out->data + out->len, 1, out->cap - out->len, file));
        if (ferror(file))
            return errno ? -errno : -EIO;
    }
    return 0;
}

int conf_read_file(struct conf_builder *b, const char *path, bool must_exist, char error[CONF_ERROR_MAX])
{
    struct buf text;
    FILE *file = fopen(path, "re");
    int rc;

    if (!file && errno == ENOENT && !must_exist)
        return 0;
    if (!file)
        return mistake_say(error, "%s: cannot be read: %s", path, strerror(errno));
    buf_init(&text, YAML_READER_MAX + 4096); /* the last read asks for room it does not use */
    errno = 0;
    rc = read_whole(file, &text);
    if (rc == -EMSGSIZE || text.len > YAML_READER_MAX)
        rc = mistake_say(error, "%s: larger than %u bytes", path, YAML_READER_MAX);
    else if (rc < 0)
        rc = mistake_say(error, "%s: cannot be read: %s", path, strerror(-rc));
    else
        rc = yaml_reader_read(b, path, buf_str(&text), error);
    (void)fclose(file);
    buf_fini(&text);
    return rc;
}
