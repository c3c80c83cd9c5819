"""Files that the application names and the edge sends: X-Accel-Redirect and X-Sendfile."""
import json
import os
from urllib.parse import quote

import pytest

from kit.waiting import until

APP = '''
import json, os
from urllib.parse import unquote_to_bytes

def application(environ, start):
    """Answers what the query says: {"status":…, "fields":[[name, value]…], "body":[text…], "wait": file that must appear before the second piece}"""
    told = json.loads(unquote_to_bytes(environ["QUERY_STRING"]) or b"{}")
    start(told.get("status", "200 OK"), [tuple(f) for f in told.get("fields", [])])
    return pieces(told, environ["PATH_INFO"])

def pieces(told, path):
    for text in told.get("body", []) * told.get("times", 1):
        yield text.encode()
    if "wait" in told:
        import time
        while not os.path.exists(told["wait"]):
            time.sleep(0.01)
        yield b"late"
'''
BIG = bytes(range(256)) * 4096


@pytest.fixture
def site(quintet, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    files = {"media/big.bin": BIG, "media/note.txt": "a note", "media/page.html": "<p>page", "media/100%.txt": "percent",
             "media/ümlaut.txt": "umlaut", "media/.hidden": "hidden", "media/deep/a.txt": "deep", "static/a.css": "a{}",
             "media2/x.txt": "beside"}
    one = quintet(APP, files=files, start=False, options=["--workers", "1"])
    os.symlink(tmp_path / "secret.txt", one.project / "media/out.txt")
    os.symlink(one.project / "media", tmp_path / "link")
    one.arguments[-1:-1] = ["--static", "/static/=static", "--media", "/media/=%s/" % (tmp_path / "link")]
    one.media, one.link = str(one.project / "media"), str(tmp_path / "link")
    return one.start()


def ask(site, fields, *request_fields, method="GET", content=None, client=None, **told):
    told["fields"] = fields
    c = client or site.client()
    return c.request(method, "/app?" + quote(json.dumps(told)), request_fields, content)


def test_accel_redirect(site):
    r = ask(site, [("X-Accel-Redirect", "/media/big.bin"), ("Content-Type", "application/x-thing"), ("Content-Length", "0"),
                   ("Content-Disposition", 'attachment; filename="thing"'), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"),
                   ("Vary", "Cookie"), ("X-Accel-Buffering", "no"), ("X-Accel-Expires", "off")])
    assert r.status == 200 and r.body == BIG and r["Content-Length"] == str(len(BIG))
    assert r["Content-Type"] == "application/x-thing" and r["Content-Disposition"] == 'attachment; filename="thing"'
    assert r.all("Set-Cookie") == ["a=1", "b=2"] and r["Vary"] == "Cookie" and r["Accept-Ranges"] == "bytes"
    assert r["Cache-Control"] == "private, no-cache", "what the application guards is nobody else's"
    assert r["ETag"] and r["Last-Modified"] and r["X-Content-Type-Options"] == "nosniff"
    assert not [n for n, _ in r.fields if n.lower().startswith(("x-accel", "x-sendfile"))]
    assert site.wait_access(status=200, worker=1)[0]["bytes"] == len(BIG)


def test_sendfile_by_both_names_of_the_directory(site):
    for folder in (site.media, site.link, site.link + "/", site.media + "//deep/.."):
        r = ask(site, [("X-Sendfile", folder + "/note.txt"), ("Cache-Control", "max-age=5")])
        wanted = 404 if folder.endswith("..") else 200
        assert r.status == wanted, folder
        assert wanted == 404 or (r.body == b"a note" and r["Cache-Control"] == "max-age=5"
                                 and r["Content-Type"] == "text/plain; charset=utf-8")
    for name in ("100%.txt", "100%25.txt", quote("ümlaut.txt"), "deep/a.txt"):
        assert ask(site, [("X-Sendfile", site.media + "/" + name)]).status == 200, name


def test_ranges_conditions_and_head(site):
    tag = ask(site, [("X-Accel-Redirect", "/media/big.bin")])["ETag"]
    told = [("X-Accel-Redirect", "/media/big.bin"), ("Content-Type", "video/mp4"), ("Set-Cookie", "a=1"), ("Content-Disposition", "inline")]
    r = ask(site, told, ("Range", "bytes=10-19"))
    assert r.status == 206 and r.body == BIG[10:20] and r["Content-Type"] == "video/mp4" and r["Content-Disposition"] == "inline"
    r = ask(site, told, ("Range", "bytes=10-19,500-599"))
    assert r.status == 206 and r["Content-Type"].startswith("multipart/byteranges") and r.body.count(b"Content-Type: video/mp4") == 2
    r = ask(site, told, ("If-None-Match", tag))
    assert r.status == 304 and "Content-Type" not in r and "Content-Disposition" not in r and r["Set-Cookie"] == "a=1"
    assert ask(site, told, ("If-Match", '"other"')).status == 412
    r = ask(site, told, ("Range", "bytes=9999999-"))
    assert r.status == 416 and r["Content-Range"] == "bytes */%d" % len(BIG)
    r = ask(site, told, method="HEAD")
    assert r.status == 200 and r["Content-Length"] == str(len(BIG)) and r.body == b""
    # Conditions and ranges are not for what changes something, and the application has had its say.
    r = ask(site, told, ("If-None-Match", tag), ("Range", "bytes=0-0"), method="POST", content=b"x" * 100000)
    assert r.status == 200 and r.body == BIG


def test_the_validators_of_the_application(site):
    told = [("X-Accel-Redirect", "/media/note.txt"), ("ETag", '"mine"'), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")]
    r = ask(site, told)
    assert r["ETag"] == '"mine"' and r["Last-Modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert ask(site, told, ("If-None-Match", '"mine"')).status == 304
    assert ask(site, told, ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")).status == 304
    assert ask(site, told, ("If-None-Match", '"other"')).status == 200


def test_the_length_is_the_files(site):
    """Libraries set Content-Length to the file's size on an empty body; others send a body beside, which is dropped."""
    c = site.client()
    for told in ({"fields": [("X-Sendfile", site.media + "/note.txt"), ("Content-Length", "6")]},
                 {"fields": [("X-Sendfile", site.media + "/note.txt"), ("Content-Length", "4")], "body": ["drop", "ped!"]},
                 {"fields": [("X-Sendfile", site.media + "/note.txt")], "body": ["x" * 1000], "times": 2000}):
        r = c.get("/app?" + quote(json.dumps(told)))
        assert r.status == 200 and r.body == b"a note"


def test_the_worker_is_free_while_the_client_reads(site):
    c = site.client(receive_buffer=4096)
    c.send(b"GET /app?%s HTTP/1.1\r\nHost: a\r\n\r\n" % quote(json.dumps({"fields": [("X-Accel-Redirect", "/media/big.bin")]})).encode())
    head = c.head_of_response()
    assert head.status == 200
    assert site.get("/app").status == 200, "the only worker answers another"
    assert c.read(len(BIG)) == BIG


def test_an_application_that_goes_on_is_told_to_stop(site, tmp_path):
    go = tmp_path / "go"
    r = ask(site, [("X-Accel-Redirect", "/media/note.txt")], wait=str(go), body=["first"])
    assert r.body == b"a note"
    go.touch()
    until(lambda: site.get("/app").status == 200, "the worker to be back")


def test_what_may_not_be_sent(site, tmp_path):
    outside = [("X-Accel-Redirect", "/secret.txt"), ("X-Accel-Redirect", "media/note.txt"), ("X-Accel-Redirect", "/mediax/a"),
               ("X-Accel-Redirect", "http://127.0.0.1/media/note.txt"), ("X-Accel-Redirect", "@named"), ("X-Accel-Redirect", "/app"),
               ("X-Sendfile", "/etc/passwd"), ("X-Sendfile", str(tmp_path / "secret.txt")), ("X-Sendfile", "note.txt"),
               ("X-Sendfile", site.media + "2/x.txt"), ("X-Sendfile", site.media), ("X-Sendfile", "/"), ("X-Sendfile", "")]
    inside = [("X-Accel-Redirect", "/media/../secret.txt"), ("X-Accel-Redirect", "/media/%2e%2e/secret.txt"),
              ("X-Accel-Redirect", "/media/..%2fsecret.txt"), ("X-Accel-Redirect", "/media/.hidden"), ("X-Accel-Redirect", "/media/"),
              ("X-Accel-Redirect", "/media/deep"), ("X-Accel-Redirect", "/media/nothing"), ("X-Accel-Redirect", "/media/out.txt"),
              ("X-Accel-Redirect", "/media/a%00b"), ("X-Accel-Redirect", "/media/%zz"), ("X-Accel-Redirect", "/media//../secret.txt"),
              ("X-Sendfile", site.media + "/../secret.txt"), ("X-Sendfile", site.media + "/deep/../../secret.txt"),
              ("X-Sendfile", site.media + "/%2e%2e/secret.txt"), ("X-Sendfile", site.media + "/..%2fsecret.txt"),
              ("X-Sendfile", site.media + "/.hidden"), ("X-Sendfile", site.media + "/out.txt"), ("X-Sendfile", site.media + "/deep"),
              ("X-Sendfile", site.media + "/nothing"), ("X-Sendfile", site.media + "/a%00b"), ("X-Sendfile", site.media + "/")]
    site.expected.append("below no root")
    c = site.client()
    for status, fields in ((502, outside), (404, inside)):
        for field in fields:
            r = ask(site, [field], client=c)
            assert r.status == status and b"secret" not in r.body and "X-Sendfile" not in r and "X-Accel-Redirect" not in r, field
    said = site.wait_message(message="the application sends a file that is below no root", field="X-Sendfile")
    assert site.media in said["allowed"] and said["value"] == "/etc/passwd"
    said = site.wait_message(message="the application sends a file that is below no root", field="X-Accel-Redirect")
    assert "/media/" in said["allowed"]


def test_only_a_success_is_replaced(site):
    """A view that refuses, with the field left on: the refusal stands, and the path does not leave."""
    for status in ("403 Forbidden", "404 Not Found", "302 Found", "500 Internal Server Error"):
        r = ask(site, [("X-Sendfile", site.media + "/note.txt"), ("X-Accel-Redirect", "/media/note.txt")], status=status, body=["no"])
        assert r.status == int(status[:3]) and r.body == b"no" and "X-Sendfile" not in r and "X-Accel-Redirect" not in r


def test_uploads_stay_harmless(site):
    r = ask(site, [("X-Accel-Redirect", "/media/page.html"), ("Content-Type", "text/html")])
    assert "sandbox" in r["Content-Security-Policy"] and r["Content-Disposition"] == "attachment"
    r = ask(site, [("X-Accel-Redirect", "/media/page.html"), ("Content-Security-Policy", "default-src 'self'"), ("Content-Disposition", "inline")])
    assert r["Content-Security-Policy"] == "default-src 'self'" and r["Content-Disposition"] == "inline", "the application's own decision"
    r = ask(site, [("X-Accel-Redirect", "/media/page.html"), ("Content-Type", "")])
    assert r["Content-Type"] == "text/html; charset=utf-8", "empty: the file's own"


def test_without_any_root(quintet):
    site = quintet(APP)
    site.expected.append("below no root")
    assert ask(site, [("X-Sendfile", "/etc/passwd")]).status == 502
    assert "no root is configured" in site.wait_message(field="X-Sendfile")["allowed"]


def test_internal_routes(quintet):
    """Directories that are there for the application alone."""
    yaml = """
routes:
  - path: /protected/
    root: vault
    internal: true
  - path: /media/private/
    internal: true
  - path: /docs/
    root: docs
"""
    files = {"quintet.yaml": yaml, "vault/a b.txt": "guarded", "vault/index.html": "front", "docs/a.txt": "doc", "media/private/p.txt": "private",
             "media/open.txt": "open", "errors/404.html": "page"}
    site = quintet(APP, files=files, options=["--media", "/media/=media", "--error-pages", "errors"])
    site.expected.append("below no root")
    for target in ("/protected/a%20b.txt", "/protected/", "/media/private/p.txt"):
        assert site.get(target).status == 404, "not for clients"
    assert site.get("/media/open.txt").body == b"open" and site.get("/docs/a.txt").body == b"doc"
    vault = str(site.project / "vault")
    for fields, body in [([("X-Accel-Redirect", "/protected/a%20b.txt")], b"guarded"), ([("X-Sendfile", vault + "/a b.txt")], b"guarded"),
                         ([("X-Accel-Redirect", "/protected/a b.txt")], b"guarded"), ([("X-Accel-Redirect", "/docs/a.txt?x=1")], b"doc"),
                         ([("X-Accel-Redirect", "/media/private/p.txt")], b"private"), ([("X-Accel-Redirect", "//docs//a.txt")], b"doc")]:
        r = ask(site, fields)
        assert r.status == 200 and r.body == body and r["Cache-Control"] == "private, no-cache", fields
    for target, status in [("/protected/../docs/a.txt", 404), ("/protected/%2e%2e/docs/a.txt", 404), ("/protected/", 404), ("/protected", 502),
                           ("/errors/404.html", 502)]:
        assert ask(site, [("X-Accel-Redirect", target)]).status == status, target
    assert ask(site, [("X-Sendfile", str(site.project / "errors/404.html"))]).status == 502, "error pages are no root"
    assert "/protected/" in site.wait_message(field="X-Accel-Redirect")["allowed"]
