/*
 * The table of media types. Our own rather than the system's: the same on every machine, and each row was asked whether
 * it may be shown from the site's origin when a stranger uploaded it. Sorted by extension (the unit test holds us to
 * it); text is UTF-8.
 *
 * Inert is what no browser runs, renders as markup or hands to a plug-in. HTML, SVG, XML of any kind, scripts, PDF's
 * elder PostScript, and whatever we do not know are not. JSON and fonts are harmless but nothing that is looked at: not
 * inert either.
 */
#include "http/mime.h"

#include <stdlib.h>

#define EXTENSION_MAX 11 /* of "webmanifest" */

static const struct mime_type types[] = {
    { STR_INIT("3gp"), STR_INIT("video/3gpp"), true },
    { STR_INIT("7z"), STR_INIT("application/x-7z-compressed"), false },
    { STR_INIT("aac"), STR_INIT("audio/aac"), true },
    { STR_INIT("ai"), STR_INIT("application/postscript"), false },
    { STR_INIT("aif"), STR_INIT("audio/aiff"), true },
    { STR_INIT("aiff"), STR_INIT("audio/aiff"), true },
    { STR_INIT("apk"), STR_INIT("application/vnd.android.package-archive"), false },
    { STR_INIT("apng"), STR_INIT("image/apng"), true },
    { STR_INIT("appcache"), STR_INIT("text/cache-manifest"), false },
    { STR_INIT("asc"), STR_INIT("text/plain; charset=utf-8"), true },
    { STR_INIT("atom"), STR_INIT("application/atom+xml"), false },
    { STR_INIT("avi"), STR_INIT("video/x-msvideo"), true },
    { STR_INIT("avif"), STR_INIT("image/avif"), true },
    { STR_INIT("bin"), STR_INIT("application/octet-stream"), false },
    { STR_INIT("bmp"), STR_INIT("image/bmp"), true },
    { STR_INIT("br"), STR_INIT("application/octet-stream"), false },
    { STR_INIT("bz2"), STR_INIT("application/x-bzip2"), false },
    { STR_INIT("cer"), STR_INIT("application/x-x509-ca-cert"), false },
    { STR_INIT("cjs"), STR_INIT("text/javascript; charset=utf-8"), false },
    { STR_INIT("conf"), STR_INIT("text/plain; charset=utf-8"), true },
    { STR_INIT("crt"), STR_INIT("application/x-x509-ca-cert"), false },
    { STR_INIT("css"), STR_INIT("text/css; charset=utf-8"), false },
    { STR_INIT("csv"), STR_INIT("text/csv; charset=utf-8"), true },
    { STR_INIT("cur"), STR_INIT("image/x-icon"), true },
    { STR_INIT("db"), STR_INIT("application/vnd.sqlite3"), false },
    { STR_INIT("deb"), STR_INIT("application/vnd.debian.binary-package"), false },
    { STR_INIT("der"), STR_INIT("application/x-x509-ca-cert"), false },
    { STR_INIT("dll"), STR_INIT("application/vnd.microsoft.portable-executable"), false },
    { STR_INIT("dmg"), STR_INIT("application/octet-stream"), false },
    { STR_INIT("doc"), STR_INIT("application/msword"), false },
    { STR_INIT("docx"), STR_INIT("application/vnd.openxmlformats-officedocument.wordprocessingml.document"), false },
    { STR_INIT("dxf"), STR_INIT("image/vnd.dxf"), false },
    { STR_INIT("eml"), STR_INIT("message/rfc822"), false },
    { STR_INIT("eot"), STR_INIT("application/vnd.ms-fontobject"), false },
    { STR_INIT("eps"), STR_INIT("application/postscript"), false },
    { STR_INIT("epub"), STR_INIT("application/epub+zip"), false },
    { STR_INIT("exe"), STR_INIT("application/vnd.microsoft.portable-executable"), false },
    { STR_INIT("flac"), STR_INIT("audio/flac"), true },
    { STR_INIT("flv"), STR_INIT("video/x-flv"), true },
    { STR_INIT("geojson"), STR_INIT("application/geo+json"), false },
    { STR_INIT("gif"), STR_INIT("image/gif"), true },
    { STR_INIT("glb"), STR_INIT("model/gltf-binary"), false },
    { STR_INIT("gltf"), STR_INIT("model/gltf+json"), false },
    { STR_INIT("gml"), STR_INIT("application/gml+xml"), false },
    { STR_INIT("gpx"), STR_INIT("application/gpx+xml"), false },
    { STR_INIT("gz"), STR_INIT("application/gzip"), false },
    { STR_INIT("heic"), STR_INIT("image/heic"), true },
    { STR_INIT("heif"), STR_INIT("image/heif"), true },
    { STR_INIT("htc"), STR_INIT("text/x-component"), false },
    { STR_INIT("htm"), STR_INIT("text/html; charset=utf-8"), false },
    { STR_INIT("html"), STR_INIT("text/html; charset=utf-8"), false },
    { STR_INIT("ico"), STR_INIT("image/x-icon"), true },
    { STR_INIT("ics"), STR_INIT("text/calendar; charset=utf-8"), false },
    { STR_INIT("img"), STR_INIT("application/octet-stream"), false },
    { STR_INIT("ini"), STR_INIT("text/plain; charset=utf-8"), true },
    { STR_INIT("iso"), STR_INIT("application/x-iso9660-image"), false },
    { STR_INIT("jar"), STR_INIT("application/java-archive"), false },
    { STR_INIT("jfif"), STR_INIT("image/jpeg"), true },
    { STR_INIT("jp2"), STR_INIT("image/jp2"), true },
    { STR_INIT("jpe"), STR_INIT("image/jpeg"), true },
    { STR_INIT("jpeg"), STR_INIT("image/jpeg"), true },
    { STR_INIT("jpg"), STR_INIT("image/jpeg"), true },
    { STR_INIT("js"), STR_INIT("text/javascript; charset=utf-8"), false },
    { STR_INIT("json"), STR_INIT("application/json"), false },
    { STR_INIT("json5"), STR_INIT("application/json5"), false },
    { STR_INIT("jsonl"), STR_INIT("application/x-ndjson"), false },
    { STR_INIT("jsonld"), STR_INIT("application/ld+json"), false },
    { STR_INIT("jxl"), STR_INIT("image/jxl"), true },
    { STR_INIT("kml"), STR_INIT("application/vnd.google-earth.kml+xml"), false },
    { STR_INIT("kmz"), STR_INIT("application/vnd.google-earth.kmz"), false },
    { STR_INIT("log"), STR_INIT("text/plain; charset=utf-8"), true },
    { STR_INIT("m2ts"), STR_INIT("video/mp2t"), true },
    { STR_INIT("m3u8"), STR_INIT("application/vnd.apple.mpegurl"), false },
    { STR_INIT("m4a"), STR_INIT("audio/mp4"), true },
    { STR_INIT("m4v"), STR_INIT("video/mp4"), true },
    { STR_INIT("manifest"), STR_INIT("text/cache-manifest"), false },
    { STR_INIT("map"), STR_INIT("application/json"), false },
    { STR_INIT("markdown"), STR_INIT("text/markdown; charset=utf-8"), true },
    { STR_INIT("mathml"), STR_INIT("application/mathml+xml"), false },
    { STR_INIT("md"), STR_INIT("text/markdown; charset=utf-8"), true },
    { STR_INIT("mht"), STR_INIT("multipart/related"), false },
    { STR_INIT("mhtml"), STR_INIT("multipart/related"), false },
    { STR_INIT("mid"), STR_INIT("audio/midi"), true },
    { STR_INIT("midi"), STR_INIT("audio/midi"), true },
    { STR_INIT("mjs"), STR_INIT("text/javascript; charset=utf-8"), false },
    { STR_INIT("mkv"), STR_INIT("video/x-matroska"), true },
    { STR_INIT("mobi"), STR_INIT("application/x-mobipocket-ebook"), false },
    { STR_INIT("mov"), STR_INIT("video/quicktime"), true },
    { STR_INIT("mp3"), STR_INIT("audio/mpeg"), true },
    { STR_INIT("mp4"), STR_INIT("video/mp4"), true },
    { STR_INIT("mpd"), STR_INIT("application/dash+xml"), false },
    { STR_INIT("mpeg"), STR_INIT("video/mpeg"), true },
    { STR_INIT("mpg"), STR_INIT("video/mpeg"), true },
    { STR_INIT("msi"), STR_INIT("application/x-msi"), false },
    { STR_INIT("ndjson"), STR_INIT("application/x-ndjson"), false },
    { STR_INIT("obj"), STR_INIT("model/obj"), false },
    { STR_INIT("odg"), STR_INIT("application/vnd.oasis.opendocument.graphics"), false },
    { STR_INIT("odp"), STR_INIT("application/vnd.oasis.opendocument.presentation"), false },
    { STR_INIT("ods"), STR_INIT("application/vnd.oasis.opendocument.spreadsheet"), false },
    { STR_INIT("odt"), STR_INIT("application/vnd.oasis.opendocument.text"), false },
    { STR_INIT("oga"), STR_INIT("audio/ogg"), true },
    { STR_INIT("ogg"), STR_INIT("audio/ogg"), true },
    { STR_INIT("ogv"), STR_INIT("video/ogg"), true },
    { STR_INIT("opus"), STR_INIT("audio/ogg"), true },
    { STR_INIT("otf"), STR_INIT("font/otf"), false },
    { STR_INIT("parquet"), STR_INIT("application/vnd.apache.parquet"), false },
    { STR_INIT("pdf"), STR_INIT("application/pdf"), true },
    { STR_INIT("pem"), STR_INIT("application/x-pem-file"), false },
    { STR_INIT("png"), STR_INIT("image/png"), true },
    { STR_INIT("po"), STR_INIT("text/x-gettext-translation; charset=utf-8"), false },
    { STR_INIT("ppt"), STR_INIT("application/vnd.ms-powerpoint"), false },
    { STR_INIT("pptx"), STR_INIT("application/vnd.openxmlformats-officedocument.presentationml.presentation"), false },
    { STR_INIT("ps"), STR_INIT("application/postscript"), false },
    { STR_INIT("psd"), STR_INIT("image/vnd.adobe.photoshop"), false },
    { STR_INIT("rar"), STR_INIT("application/vnd.rar"), false },
    { STR_INIT("rdf"), STR_INIT("application/rdf+xml"), false },
    { STR_INIT("rpm"), STR_INIT("application/x-rpm"), false },
    { STR_INIT("rss"), STR_INIT("application/rss+xml"), false },
    { STR_INIT("rtf"), STR_INIT("application/rtf"), false },
    { STR_INIT("shtml"), STR_INIT("text/html; charset=utf-8"), false },
    { STR_INIT("sig"), STR_INIT("application/pgp-signature"), false },
    { STR_INIT("sql"), STR_INIT("application/sql"), false },
    { STR_INIT("sqlite"), STR_INIT("application/vnd.sqlite3"), false },
    { STR_INIT("sqlite3"), STR_INIT("application/vnd.sqlite3"), false },
    { STR_INIT("srt"), STR_INIT("application/x-subrip"), true },
    { STR_INIT("stl"), STR_INIT("model/stl"), false },
    { STR_INIT("svg"), STR_INIT("image/svg+xml"), false },
    { STR_INIT("swf"), STR_INIT("application/x-shockwave-flash"), false },
    { STR_INIT("tar"), STR_INIT("application/x-tar"), false },
    { STR_INIT("tex"), STR_INIT("application/x-tex"), false },
    { STR_INIT("text"), STR_INIT("text/plain; charset=utf-8"), true },
    { STR_INIT("tgz"), STR_INIT("application/gzip"), false },
    { STR_INIT("tif"), STR_INIT("image/tiff"), true },
    { STR_INIT("tiff"), STR_INIT("image/tiff"), true },
    { STR_INIT("toml"), STR_INIT("application/toml"), false },
    { STR_INIT("topojson"), STR_INIT("application/json"), false },
    { STR_INIT("torrent"), STR_INIT("application/x-bittorrent"), false },
    { STR_INIT("ts"), STR_INIT("video/mp2t"), true },
    { STR_INIT("tsv"), STR_INIT("text/tab-separated-values; charset=utf-8"), true },
    { STR_INIT("ttc"), STR_INIT("font/collection"), false },
    { STR_INIT("ttf"), STR_INIT("font/ttf"), false },
    { STR_INIT("txt"), STR_INIT("text/plain; charset=utf-8"), true },
    { STR_INIT("usdz"), STR_INIT("model/vnd.usdz+zip"), false },
    { STR_INIT("vcf"), STR_INIT("text/vcard; charset=utf-8"), false },
    { STR_INIT("vtt"), STR_INIT("text/vtt; charset=utf-8"), true },
    { STR_INIT("war"), STR_INIT("application/java-archive"), false },
    { STR_INIT("wasm"), STR_INIT("application/wasm"), false },
    { STR_INIT("wav"), STR_INIT("audio/wav"), true },
    { STR_INIT("weba"), STR_INIT("audio/webm"), true },
    { STR_INIT("webm"), STR_INIT("video/webm"), true },
    { STR_INIT("webmanifest"), STR_INIT("application/manifest+json"), false },
    { STR_INIT("webp"), STR_INIT("image/webp"), true },
    { STR_INIT("whl"), STR_INIT("application/zip"), false },
    { STR_INIT("wmv"), STR_INIT("video/x-ms-wmv"), true },
    { STR_INIT("woff"), STR_INIT("font/woff"), false },
    { STR_INIT("woff2"), STR_INIT("font/woff2"), false },
    { STR_INIT("xhtml"), STR_INIT("application/xhtml+xml"), false },
    { STR_INIT("xls"), STR_INIT("application/vnd.ms-excel"), false },
    { STR_INIT("xlsx"), STR_INIT("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), false },
    { STR_INIT("xml"), STR_INIT("text/xml; charset=utf-8"), false },
    { STR_INIT("xsd"), STR_INIT("text/xml; charset=utf-8"), false },
    { STR_INIT("xsl"), STR_INIT("application/xslt+xml"), false },
    { STR_INIT("xslt"), STR_INIT("application/xslt+xml"), false },
    { STR_INIT("xz"), STR_INIT("application/x-xz"), false },
    { STR_INIT("yaml"), STR_INIT("application/yaml"), false },
    { STR_INIT("yml"), STR_INIT("application/yaml"), false },
    { STR_INIT("zip"), STR_INIT("application/zip"), false },
    { STR_INIT("zst"), STR_INIT("application/zstd"), false },
};

static const struct mime_type unknown = { STR_INIT(""), STR_INIT("application/octet-stream"), false };

static int compare(const void *extension, const void *row)
{
    return str_cmp(*(const struct str *)extension, ((const struct mime_type *)row)->extension);
}

const struct mime_type *mime_of(struct str filename)
{
    char lower[EXTENSION_MAX];
    ptrdiff_t dot = str_rfind(filename, '.');
    struct str extension = str_cut(filename, (size_t)(dot + 1), filename.n);
    const struct mime_type *found;

    if (dot < 0 || extension.n > sizeof(lower) || str_find(extension, '/') >= 0)
        return &unknown;
    for (size_t i = 0; i < extension.n; i++)
        lower[i] = ascii_lower(extension.p[i]);
    extension.p = lower;
    found = bsearch(&extension, types, ARRAY_LEN(types), sizeof(types[0]), compare);
    return found ? found : &unknown;
}

const struct mime_type *mime_at(size_t i)
{
    return i < ARRAY_LEN(types) ? &types[i] : NULL;
}
