/* The names of the content codings. */
#include "base/coding.h"

static const struct {
    struct str name, suffix;
} rows[CODINGS] = {
    [CODING_IDENTITY] = { STR_INIT("identity"), STR_INIT("") },
    [CODING_GZIP] = { STR_INIT("gzip"), STR_INIT(".gz") },
    [CODING_ZSTD] = { STR_INIT("zstd"), STR_INIT(".zst") },
    [CODING_BR] = { STR_INIT("br"), STR_INIT(".br") },
};

struct str coding_name(enum coding coding)
{
    must((unsigned)coding < CODINGS);
    return rows[coding].name;
}

struct str coding_suffix(enum coding coding)
{
    must((unsigned)coding < CODINGS);
    return rows[coding].suffix;
}
