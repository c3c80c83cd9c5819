"""Content codings: precompressed siblings of files, and compression on the fly."""
import os

import pytest

from kit import codings

CSS = b"body { color: red; margin: 0 }\n" * 200
PHOTO = bytes(range(256)) * 16


def accept(text):
    return ("Accept-Encoding", text)


# ---- precompressed siblings ----


@pytest.fixture
def siblings(quintet):
    """style.css with all its siblings, gzip.css with one, and an upload beside which others lie."""
    files = {"static/style.css": CSS, "static/gzip.css": CSS, "static/old.css": CSS, "static/photo.png": PHOTO,
             "static/photo.png.gz": b"no", "media/notes.txt": CSS, "media/notes.txt.br": b"an upload of somebody else"}
    for coding, suffix in codings.SUFFIXES.items():
        files["static/style.css" + suffix] = codings.encode(coding, CSS)
    files["static/gzip.css.gz"] = codings.encode("gzip", CSS)
    files["static/old.css.gz"] = codings.encode("gzip", b"what it was once")
    site = quintet("plain.py", files=files, start=False)
    os.utime(site.project / "static/old.css.gz", (1000, 1000))
    site.arguments[-1:-1] = ["--static", "/static/=%s" % (site.project / "static"),
                             "--media", "/media/=%s" % (site.project / "media")]
    return site.start()


def test_a_sibling_is_sent_to_whom_takes_it(siblings):
    plain = siblings.get("/static/style.css")
    assert plain.body == CSS and "Content-Encoding" not in plain and plain["Vary"] == "Accept-Encoding"
    tags = {plain["ETag"]}
    for field, coding in [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "br"),
                          ("gzip, br;q=0.5", "gzip"), ("br;q=0, *", "zstd")]:
        r = siblings.get("/static/style.css", accept(field))
        assert r["Content-Encoding"] == coding and codings.decoded(r) == CSS, field
        assert r["Content-Length"] == str(len(r.body)), "a file's length is known"
        assert r["Content-Type"] == plain["Content-Type"] and r["Vary"] == "Accept-Encoding"
        assert r["ETag"].startswith('"'), "a file of its own has a strong tag of its own"
        tags.add(r["ETag"])
    assert len(tags) == 4
    for field in ("deflate", "identity", "*;q=0", "br;q=0", ""):
        assert siblings.get("/static/style.css", accept(field)).body == CSS, field


def test_head_conditions_and_ranges_are_of_what_would_be_sent(siblings):
    whole = siblings.get("/static/style.css", accept("br"))
    head = siblings.client().request("HEAD", "/static/style.css", [accept("br")])
    for name in ("Content-Encoding", "Content-Length", "ETag", "Vary", "Content-Type"):
        assert head[name] == whole[name]
    unchanged = siblings.get("/static/style.css", accept("br"), ("If-None-Match", whole["ETag"]))
    assert unchanged.status == 304 and unchanged["ETag"] == whole["ETag"] and unchanged["Vary"] == "Accept-Encoding"
    other = siblings.get("/static/style.css", accept("gzip"), ("If-None-Match", whole["ETag"]))
    assert other.status == 200 and other["Content-Encoding"] == "gzip"
    part = siblings.get("/static/style.css", accept("br"), ("Range", "bytes=3-9"), ("If-Range", whole["ETag"]))
    assert part.status == 206 and part.body == whole.body[3:10] and part["Content-Encoding"] == "br"
    assert part["Content-Range"] == "bytes 3-9/%d" % len(whole.body)


def test_a_sibling_that_is_older_than_its_file_is_not_sent(siblings):
    r = siblings.get("/static/old.css", accept("gzip"))
    assert codings.decoded(r) == CSS


def test_no_siblings_of_uploads_and_of_what_does_not_compress(siblings):
    assert codings.decoded(siblings.get("/media/notes.txt", accept("br"))) == CSS
    photo = siblings.get("/static/photo.png", accept("gzip"))
    assert photo.body == PHOTO and "Vary" not in photo and "Content-Encoding" not in photo
