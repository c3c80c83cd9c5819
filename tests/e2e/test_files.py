"""Static and media files."""
import hashlib
import itertools
import json
import os
import re
import time

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
    assert refused.status == 405 and refused["Allow"] == "GET, HEAD, OPTIONS"
    c = files.client()
    for _ in range(2):  # on a connection that stays
        r = c.request("OPTIONS", "/static/css/site.css")
        assert r.status == 204 and r["Allow"] == "GET, HEAD, OPTIONS" and r["X-Content-Type-Options"] == "nosniff"
    assert c.request("DELETE", "/media/photo.png")["Allow"] == "GET, HEAD, OPTIONS"


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
            assert r["ETag"].removeprefix("W/") == tag and r.body == b""


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
    for text in ("bytes=5-2", "lines=0-1", "bytes=a-b", "bytes 0-1"):
        r = c.get("/static/big.bin", ("Range", text))
        assert r.status == 200 and len(r.body) == 1 << 20, text
    assert c.get("/static/big.bin", ("Range", "bytes=0-0"), ("If-Range", tag)).status == 206
    assert c.get("/static/big.bin", ("Range", "bytes=0-0"), ("If-Range", '"old"')).status == 200


def parts_of(r, size):
    """The parts of a multipart/byteranges answer as (first, last, bytes), each checked against RFC 9110 14.6."""
    kind, _, boundary = r["Content-Type"].partition("; boundary=")
    assert kind == "multipart/byteranges" and boundary and "Content-Range" not in r
    pieces = (b"\r\n" + r.body).split(b"\r\n--" + boundary.encode())
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n"
    parts = []
    for piece in pieces[1:-1]:
        head, _, body = piece.partition(b"\r\n\r\n")
        match = re.fullmatch(rb"\r\nContent-Type: [a-z/-]+(?:; charset=utf-8)?\r\nContent-Range: bytes (\d+)-(\d+)/(\d+)", head)
        assert match, head
        first, last, whole = map(int, match.groups())
        assert whole == size and len(body) == last - first + 1
        parts.append((first, last, body))
    return parts


@pytest.mark.parametrize("name", ["big.bin", "small.txt"])
def test_several_ranges(files, name):
    """One file leaves by sendfile, the other from memory."""
    files.write("static/small.txt", bytes(range(256)) * 8)
    whole = bytes(range(256)) * (4096 if name == "big.bin" else 8)
    size, c = len(whole), files.client()
    for text, wanted in [("0-9,500-509", [(0, 9), (500, 509)]), ("500-509,0-9,-1", [(500, 509), (0, 9), (size - 1, size - 1)]),
                         (",".join("%d-%d" % (i * 100, i * 100 + 3) for i in range(16)),
                          [(i * 100, i * 100 + 3) for i in range(16)])]:
        r = c.get("/static/" + name, ("Range", "bytes=" + text))
        assert r.status == 206 and r["ETag"] and r["Accept-Ranges"] == "bytes", text
        parts = parts_of(r, size)
        assert [p[:2] for p in parts] == wanted
        assert all(body == whole[first:last + 1] for first, last, body in parts)
    r = c.get("/static/" + name, ("Range", "bytes=0-9,5-200,%d-" % (size + 5)))
    assert r.status == 206 and r["Content-Range"] == "bytes 0-200/%d" % size and r.body == whole[:201], "overlapping: one part"
    for text in ("bytes=" + ",".join("%d-%d" % (i * 100, i * 100) for i in range(17)), "bytes=" + "0-," * 1000 + "0-1"):
        r = c.get("/static/" + name, ("Range", text))
        assert r.status == 200 and len(r.body) == size, "absurd: the whole, once"
    r = c.request("HEAD", "/static/" + name, [("Range", "bytes=0-9,500-509")])
    assert r.status == 200 and r["Content-Length"] == str(size), "ranges are defined for GET alone"


def test_several_ranges_to_a_slow_reader(files):
    text = ",".join("%d-%d" % (i * 100000, i * 100000 + 50000) for i in range(10))
    c = files.client(receive_buffer=4096)
    c.send(b"GET /static/big.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=%s\r\n\r\n" % text.encode() * 2)
    whole = bytes(range(256)) * 4096
    for _ in range(2):
        assert all(body == whole[first:last + 1] for first, last, body in parts_of(c.response(), 1 << 20))


def expected_status(match, unmodified, none_match, modified, ranges, if_range):
    """RFC 9110 13.2.2, step by step; True: the condition holds, None: not asked."""
    if match is not None:
        if not match:
            return 412
    elif unmodified is False:
        return 412
    if none_match is not None:
        if not none_match:
            return 304
    elif modified is False:
        return 304
    return 206 if ranges and if_range is not False else 200


def test_every_combination_of_conditions(files):
    full = files.get("/static/css/site.css")
    tag, date, old = full["ETag"], full["Last-Modified"], "Thu, 01 Jan 1970 00:00:00 GMT"
    time.sleep(1.1)  # a date is a strong validator once its second is over (8.8.2.2)
    c = files.client()
    values = {"If-Match": {True: tag, False: '"x"'}, "If-Unmodified-Since": {True: date, False: old},
              "If-None-Match": {True: '"x"', False: tag}, "If-Modified-Since": {True: old, False: date}}
    for truths in itertools.product((None, True, False), repeat=4):
        for ranges, if_range in ((None, None), (True, None), (True, tag), (True, date), (True, '"x"'), (True, old)):
            fields = [(n, v[t]) for (n, v), t in zip(values.items(), truths) if t is not None]
            fields += [("Range", "bytes=1-3")] if ranges else []
            fields += [("If-Range", if_range)] if if_range else []
            status = expected_status(*truths, ranges, None if if_range is None else if_range in (tag, date))
            r, head = c.get("/static/css/site.css", *fields), c.request("HEAD", "/static/css/site.css", fields)
            assert r.status == status, fields
            assert head.status == (200 if status == 206 else status), fields
            if status in (200, 304):
                names = [sorted(n for n, _ in x.fields if n not in ("Date", "X-Request-ID")) for x in (r, head)]
                assert names[0] == names[1], "HEAD says what GET says"


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
