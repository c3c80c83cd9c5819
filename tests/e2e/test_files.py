"""Static and media files."""
import hashlib
import json
import os

import pytest

from kit.waiting import until

IMMUTABLE = "public, max-age=31536000, immutable"


@pytest.fixture
def files(quintet, tmp_path):
    """A site with a static and a media root, and a file outside of both."""
    outside = tmp_path / "secret.txt"
    outside.write_text("secret")
    contents = {
        "static/css/site.css": "body{color:red}", "static/css/site.0123456789ab.css": "body{color:red}",
        "static/page.html": "<p>page", "static/empty.txt": "", "static/.hidden": "hidden", "static/.git/config": "hidden",
        "static/big.bin": bytes(range(256)) * 4096, "static/with space.txt": "space", "static/ümlaut.txt": "umlaut",
        "static/staticfiles.json": json.dumps({"version": "1.1", "paths": {
            "css/site.css": "css/site.0123456789ab.css", "page.html": "page.html"}}),
        "media/photo.png": b"\x89PNG\r\n\x1a\n", "media/page.html": "<script>alert(1)</script>",
        "media/drawing.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>", "media/notes.pdf": "%PDF", "media/a.js": "1",
        "media/.htpasswd": "hidden", "media/noname": "what?",
    }
    site = quintet("plain.py", files=contents, start=False)
    os.symlink(outside, site.project / "static/out.txt")
    os.symlink("css/site.css", site.project / "static/in.css")
    os.symlink("/etc", site.project / "media/etc")
    os.mkfifo(site.project / "media/pipe.png")
    site.arguments[-1:-1] = ["--static", "/static/=%s" % (site.project / "static"),
                             "--media", "/media/=%s" % (site.project / "media")]
    return site.start()


def test_static_file(files):
    r = files.get("/static/css/site.css")
    assert r.body == b"body{color:red}" and r["Content-Type"].startswith("text/css")
    assert r["ETag"].startswith('"') and "Last-Modified" in r and r["Accept-Ranges"] == "bytes"
    assert r["X-Content-Type-Options"] == "nosniff" and "max-age" in r["Cache-Control"]
    assert "X-Request-ID" in r


def test_names_of_the_manifest_are_immutable(files):
    assert files.get("/static/css/site.0123456789ab.css")["Cache-Control"] == IMMUTABLE
    assert files.get("/static/css/site.css")["Cache-Control"] != IMMUTABLE
    assert files.get("/static/page.html")["Cache-Control"] != IMMUTABLE, "a name without a hash can come back changed"


def test_head_and_other_methods(files):
    r = files.request("HEAD", "/static/big.bin")
    assert r["Content-Length"] == str(1 << 20) and r.body == b""
    c = files.client()
    refused = c.request("POST", "/static/css/site.css", body=b"x")
    assert refused.status == 405 and "GET" in refused["Allow"]


def test_conditional(files):
    full = files.get("/static/css/site.css")
    tag, date = full["ETag"], full["Last-Modified"]
    c = files.client()
    for fields, status in [
        ([("If-None-Match", tag)], 304), ([("If-None-Match", '"a", W/%s' % tag)], 304), ([("If-None-Match", "*")], 304),
        ([("If-None-Match", '"other"')], 200), ([("If-Modified-Since", date)], 304),
        ([("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")], 200), ([("If-Modified-Since", "nonsense")], 200),
        ([("If-None-Match", '"other"'), ("If-Modified-Since", date)], 200),
        ([("If-Match", tag)], 200), ([("If-Match", '"other"')], 412), ([("If-Match", "W/" + tag)], 412),
        ([("If-Unmodified-Since", date)], 200), ([("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")], 412),
    ]:
        r = c.get("/static/css/site.css", *fields)
        assert r.status == status, fields
        if status == 304:
            assert r["ETag"] == tag and r.body == b""


def test_ranges(files):
    whole = bytes(range(256)) * 4096
    c = files.client()
    tag = c.request("HEAD", "/static/big.bin")["ETag"]
    for text, start, end in [("0-0", 0, 1), ("0-99", 0, 100), ("1000-", 1000, 1 << 20), ("-5", (1 << 20) - 5, 1 << 20),
                             ("1048575-9999999", (1 << 20) - 1, 1 << 20), ("-9999999", 0, 1 << 20)]:
        r = c.get("/static/big.bin", ("Range", "bytes=" + text))
        assert r.status == 206 and r.body == whole[start:end], text
        assert r["Content-Range"] == "bytes %d-%d/%d" % (start, end - 1, 1 << 20)
    for text in ("1048576-", "-0"):
        r = c.get("/static/big.bin", ("Range", "bytes=" + text))
        assert r.status == 416 and r["Content-Range"] == "bytes */1048576", text
    for text in ("bytes=0-1,5-6", "bytes=5-2", "lines=0-1", "bytes=a-b", "bytes 0-1"):
        r = c.get("/static/big.bin", ("Range", text))
        assert r.status == 200 and len(r.body) == 1 << 20, text
    assert c.get("/static/big.bin", ("Range", "bytes=0-0"), ("If-Range", tag)).status == 206
    assert c.get("/static/big.bin", ("Range", "bytes=0-0"), ("If-Range", '"old"')).status == 200


def test_escapes(files):
    """No way out of a root, whatever the spelling; nothing of this reaches the file system or the application."""
    bad = ["/static/../secret.txt", "/static/css/../../../secret.txt", "/static/%2e%2e/secret.txt", "/static/%2E./secret.txt",
           "/static/..%2fsecret.txt", "/static/%2e%2e%2fsecret.txt", "/static/..%5csecret.txt", "/static/..\\secret.txt",
           "/static/%5c..%5csecret.txt", "/static/css%00.css", "/static/css/site.css%00.png", "/static/%252e%252e/secret.txt",
           "/static//etc/passwd", "/static/%2fetc/passwd", "/static/out.txt", "/media/etc/passwd", "/media/etc", "/media/pipe.png",
           "/static/.hidden", "/static/.git/config", "/static/%2ehidden", "/media/.htpasswd", "/static/./.hidden",
           "/static/css", "/static/css/", "/static/", "/static/big.bin/", "/static/css/site.css/..", "/static/%ff%fe"]
    failures = []
    for path in bad:
        c = files.client()
        r = c.get(path)
        if r.status not in (400, 403, 404) or b"secret" in r.body or b"root:" in r.body:
            failures.append("%s: %r" % (path, r))
    assert not failures, "\n".join(failures)


def test_names_that_need_escapes(files):
    assert files.get("/static/with%20space.txt").body == b"space"
    assert files.get("/static/%C3%BCmlaut.txt").body == b"umlaut"
    assert files.get("/static/in.css").body == b"body{color:red}", "a link inside of the root is fine"
    assert files.get("/static/empty.txt")["Content-Length"] == "0"


def test_media_is_never_a_page_of_the_site(files):
    for name, inline in [("photo.png", True), ("page.html", False), ("drawing.svg", False), ("a.js", False), ("noname", False)]:
        r = files.get("/media/" + name)
        assert r.status == 200
        assert ("Content-Disposition" not in r) == inline, name
        if not inline:
            assert r["Content-Disposition"].startswith("attachment")
        assert "sandbox" in r["Content-Security-Policy"] and r["X-Content-Type-Options"] == "nosniff"
        assert "immutable" not in r["Cache-Control"]


def test_a_changed_file_is_seen(files):
    old = files.get("/media/photo.png")
    files.write("media/photo.png", b"another picture")
    until(lambda: files.get("/media/photo.png").body == b"another picture", "the change to be seen", 3)
    # Each thread of the edge looks for itself, at the latest after a second.
    until(lambda: files.get("/media/photo.png", ("If-None-Match", old["ETag"])).status == 200, "every thread to see it", 3)
    (files.project / "media/photo.png").unlink()
    until(lambda: files.get("/media/photo.png").status == 404, "the removal to be seen", 3)


def test_pipelined_files_and_a_slow_reader(files):
    c = files.client(receive_buffer=8192)
    c.send(b"GET /static/big.bin HTTP/1.1\r\nHost: a\r\n\r\nGET /static/css/site.css HTTP/1.1\r\nHost: a\r\n\r\n" * 4)
    whole = hashlib.sha256(bytes(range(256)) * 4096).digest()
    for _ in range(4):
        assert hashlib.sha256(c.response().body).digest() == whole
        assert c.response().body == b"body{color:red}"


def test_clients_that_leave_in_the_middle(files):
    """The descriptors come back: asked at the end, as after every test."""
    for _ in range(20):
        c = files.client(receive_buffer=4096)
        c.send(b"GET /static/big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        c.read(1000)
        c.reset()


def test_files_need_no_worker(quintet, tmp_path):
    """With every worker busy the edge goes on serving them."""
    site = quintet("plain.py", files={"static/a.txt": "a"}, options=["--workers", "1", "--static", "/static/=static"])
    c = site.client()
    at, go = tmp_path / "at", tmp_path / "go"
    c.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(go)))
    until(at.exists, "the worker to be busy")
    assert site.get("/static/a.txt").body == b"a"
    go.touch()
    assert c.response().status == 200


def test_missing_root_is_a_warning(quintet):
    site = quintet("plain.py", options=["--static", "/static/=nowhere"])
    assert site.get("/hello").status == 200
    assert [e for e in site.errors() if e["level"] == "warning" and "nowhere" in json.dumps(e)]
