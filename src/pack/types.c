/*
 * The two tables of what compresses. All of text/ does, and whatever ends with +json, +xml or +text (RFC 6838 4.2.8). Sorted (the unit test holds us
 * to it).
 */
#include "pack/types.h"

#include <stdlib.h>

#define TYPE_MAX 64 /* longer than any of the table */
#define EXTENSION_MAX 11

static const struct str types[] = {
    STR_INIT("application/ecmascript"),
    STR_INIT("application/graphql"),
    STR_INIT("application/javascript"),
    STR_INIT("application/json"),
    STR_INIT("application/json5"),
    STR_INIT("application/postscript"),
    STR_INIT("application/rtf"),
    STR_INIT("application/sql"),
    STR_INIT("application/toml"),
    STR_INIT("application/vnd.apple.mpegurl"),
    STR_INIT("application/vnd.ms-fontobject"),
    STR_INIT("application/wasm"),
    STR_INIT("application/x-javascript"),
    STR_INIT("application/x-ndjson"),
    STR_INIT("application/x-pem-file"),
    STR_INIT("application/x-subrip"),
    STR_INIT("application/x-tex"),
    STR_INIT("application/x-yaml"),
    STR_INIT("application/xml"),
    STR_INIT("application/yaml"),
    STR_INIT("font/collection"),
    STR_INIT("font/otf"),
    STR_INIT("font/ttf"),
    STR_INIT("image/bmp"),
    STR_INIT("image/vnd.dxf"),
    STR_INIT("image/x-icon"),
    STR_INIT("message/rfc822"),
    STR_INIT("model/obj"),
};

static const struct str extensions[] = {
    STR_INIT("ai"),       STR_INIT("appcache"), STR_INIT("asc"),      STR_INIT("atom"),        STR_INIT("bmp"),
    STR_INIT("cjs"),      STR_INIT("conf"),     STR_INIT("css"),      STR_INIT("csv"),         STR_INIT("cur"),
    STR_INIT("dxf"),      STR_INIT("eml"),      STR_INIT("eot"),      STR_INIT("eps"),         STR_INIT("geojson"),
    STR_INIT("gltf"),     STR_INIT("gml"),      STR_INIT("gpx"),      STR_INIT("htc"),         STR_INIT("htm"),
    STR_INIT("html"),     STR_INIT("ico"),      STR_INIT("ics"),      STR_INIT("ini"),         STR_INIT("js"),
    STR_INIT("json"),     STR_INIT("json5"),    STR_INIT("jsonl"),    STR_INIT("jsonld"),      STR_INIT("kml"),
    STR_INIT("log"),      STR_INIT("m3u8"),     STR_INIT("manifest"), STR_INIT("map"),         STR_INIT("markdown"),
    STR_INIT("mathml"),   STR_INIT("md"),       STR_INIT("mjs"),      STR_INIT("mpd"),         STR_INIT("ndjson"),
    STR_INIT("obj"),      STR_INIT("otf"),      STR_INIT("pem"),      STR_INIT("po"),          STR_INIT("ps"),
    STR_INIT("rdf"),      STR_INIT("rss"),      STR_INIT("rtf"),      STR_INIT("shtml"),       STR_INIT("sql"),
    STR_INIT("srt"),      STR_INIT("svg"),      STR_INIT("tex"),      STR_INIT("text"),        STR_INIT("toml"),
    STR_INIT("topojson"), STR_INIT("tsv"),      STR_INIT("ttc"),      STR_INIT("ttf"),         STR_INIT("txt"),
    STR_INIT("vcf"),      STR_INIT("vtt"),      STR_INIT("wasm"),     STR_INIT("webmanifest"), STR_INIT("xhtml"),
    STR_INIT("xml"),      STR_INIT("xsd"),      STR_INIT("xsl"),      STR_INIT("xslt"),        STR_INIT("yaml"),
    STR_INIT("yml"),
};

static int compare(const void *key, const void *row)
{
    return str_cmp(*(const struct str *)key, *(const struct str *)row);
}

/* In lower case; `buffer` has room for TYPE_MAX. */
static struct str lowered(struct str s, char *buffer)
{
    for (size_t i = 0; i < s.n; i++)
        buffer[i] = ascii_lower(s.p[i]);
    return str_make(buffer, s.n);
}

bool pack_type_fits(struct str type)
{
    char buffer[TYPE_MAX];
    struct str essence = str_trim(str_split(&type, ';'));

    if (essence.n > TYPE_MAX)
        return false;
    essence = lowered(essence, buffer);
    if (str_starts(essence, STR("text/")) || str_ends(essence, STR("+json")) || str_ends(essence, STR("+xml")) ||
        str_ends(essence, STR("+text")))
        return true;
    return bsearch(&essence, types, ARRAY_LEN(types), sizeof(types[0]), compare) != NULL;
}

bool pack_name_fits(struct str filename)
{
    char buffer[TYPE_MAX];
    ptrdiff_t dot = str_rfind(filename, '.');
    struct str extension = str_cut(filename, (size_t)(dot + 1), filename.n);

    if (dot < 0 || extension.n > EXTENSION_MAX)
        return false;
    extension = lowered(extension, buffer);
    return bsearch(&extension, extensions, ARRAY_LEN(extensions), sizeof(extensions[0]), compare) != NULL;
}
