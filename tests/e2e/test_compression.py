"""Content codings: precompressed siblings of files, and compression on the fly."""
import os
import subprocess

import pytest

from kit import client, codings, http2

CSS = b"body { color: red; margin: 0 }\n" * 200
PHOTO = bytes(range(256)) * 16


DJANGO = """
from django.conf import settings
settings.configure(DEBUG=False, SECRET_KEY='x', ALLOWED_HOSTS=['*'], ROOT_URLCONF='app',
                   MIDDLEWARE=['django.middleware.http.ConditionalGetMiddleware', 'django.middleware.common.CommonMiddleware'])
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path('', lambda request: HttpResponse('<p>Nuages, Minor Swing</p>' * 200))]
application = get_wsgi_application()
"""


def accept(text):
    return ("Accept-Encoding", text)


# ---- precompressed siblings ----
LONG = b"".join(b"#n%x { width: %dpx }\n" % (n * n * n, n * n % 997) for n in range(400))


@pytest.fixture
def siblings(quintet):
    """style.css with all its siblings, gzip.css with one, and an upload beside which others lie."""
    files = {"static/style.css": CSS, "static/gzip.css": CSS, "static/old.css": CSS, "static/photo.png": PHOTO,
             "static/photo.png.gz": b"no", "static/long.css": LONG, "static/long.css.br": codings.encode("br", LONG), "media/notes.txt": CSS, "media/notes.txt.br": b"an upload of somebody else"}
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


def test_several_parts_are_of_what_is_not_encoded(siblings):
    """A frame of parts that says br and is none could be read by nobody: the whole comes instead."""
    several = ("Range", "bytes=0-9,600-609")
    r = siblings.get("/static/long.css", accept("br"), several)
    assert r.status == 200 and r["Content-Encoding"] == "br" and codings.decoded(r) == LONG
    r = siblings.get("/static/long.css", several)
    assert r.status == 206 and r["Content-Type"].startswith("multipart/byteranges") and "Content-Encoding" not in r


def test_unchanged_says_vary_as_the_whole_does(siblings):
    for path in ("/static/style.css", "/media/notes.txt"):
        whole = siblings.get(path)
        r = siblings.get(path, ("If-None-Match", whole["ETag"]))
        assert r.status == 304 and r["Vary"] == whole["Vary"] == "Accept-Encoding"
        r = siblings.get(path, ("If-Modified-Since", whole["Last-Modified"]))
        assert r.status == 304 and r["Vary"] == "Accept-Encoding"


def test_a_sibling_that_is_older_than_its_file_is_not_sent(siblings):
    r = siblings.get("/static/old.css", accept("gzip"))
    assert codings.decoded(r) == CSS


def test_no_siblings_of_uploads_and_of_what_does_not_compress(siblings):
    assert codings.decoded(siblings.get("/media/notes.txt", accept("br"))) == CSS
    photo = siblings.get("/static/photo.png", accept("gzip"))
    assert photo.body == PHOTO and "Vary" not in photo and "Content-Encoding" not in photo


# ---- on the fly ----


@pytest.fixture
def pages(quintet):
    files = {"static/plain.css": CSS, "static/tiny.css": b"a{}", "static/big.txt": CSS * 500, "static/photo.png": PHOTO,
             "media/notes.txt": CSS, "body.txt": pages_body(300000)}
    site = quintet("pages.py", files=files, start=False)
    site.arguments[-1:-1] = ["--static", "/static/=%s" % (site.project / "static"),
                             "--media", "/media/=%s" % (site.project / "media"), "--metrics-bind", "127.0.0.1:0"]
    return site.start()


def pages_body(n):
    words = b"Nuages, Minor Swing, Djangology, Daphne, Belleville, Swing 39, Manoir de mes reves. "
    return (words * (n // len(words) + 1))[:n]


def metrics(site):
    host, _, port = site.status()["metrics"].split("://")[1].rpartition(":")
    text = client.Client(client.connect((host, int(port)))).get("/metrics").text
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("quintet_compression")}


def test_a_page_is_compressed_for_whom_takes_it(pages):
    plain = pages.get("/?ETag=%22v1%22&Accept-Ranges=bytes")
    assert plain.body == pages_body(5000) and plain["Content-Length"] == "5000"
    assert plain["Vary"] == "Accept-Encoding" and plain["ETag"] == '"v1"' and plain["Accept-Ranges"] == "bytes"
    for field, coding in [("gzip", "gzip"), ("br", "br"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "br"), ("zstd, gzip", "zstd"),
                          ("br;q=0.5, gzip", "gzip")]:
        r = pages.get("/?ETag=%22v1%22&Accept-Ranges=bytes", accept(field))
        assert r["Content-Encoding"] == coding and codings.decoded(r) == plain.body, field
        assert len(r.body) < 1000 and r["Vary"] == "Accept-Encoding"
        assert r["ETag"] == 'W/"v1"', "the bytes are others, what they mean is the same"
        assert "Accept-Ranges" not in r and "Content-Length" not in r
        assert r["Content-Type"] == plain["Content-Type"]


def test_long_bodies_are_for_zstd(pages):
    """There brotli takes four times as long for hardly less."""
    assert pages.get("/?n=100000", accept("gzip, br, zstd"))["Content-Encoding"] == "zstd"
    assert pages.get("/?n=100000", accept("gzip, br"))["Content-Encoding"] == "br"
    assert pages.get("/?n=100000", accept("zstd;q=0.9, br"))["Content-Encoding"] == "br"
    assert pages.get("/stream", accept("gzip, br, zstd"))["Content-Encoding"] == "zstd"


@pytest.mark.parametrize("coding", codings.CODINGS)
def test_lengths(pages, coding):
    c = pages.client()
    for n in (1024, 1025, 32768, 65536, 65537, 300000, 3000000):
        r = c.get("/?n=%d" % n, accept(coding))
        assert r["Content-Encoding"] == coding and codings.decoded(r) == pages_body(n), n
        r = c.get("/stream?pieces=3&n=%d" % n, accept(coding))
        assert r["Content-Encoding"] == coding and codings.decoded(r) == pages_body(n) * 3, n
    r = c.get("/file?n=300000", accept(coding))
    assert r["Content-Encoding"] == coding and codings.decoded(r) == pages_body(300000), "a file the application hands over"


@pytest.mark.parametrize("why, target", [
    ("a packet is a packet", "/?n=1023"),
    ("its type is compressed already", "/?type=image/png"),
    ("no type", "/?type=application/octet-stream"),
    ("it has a coding", "/?Content-Encoding=x"),
    ("nobody may change it", "/?Cache-Control=public,+no-transform"),
    ("a sum over its bytes", "/?Content-Digest=sha-256=:AAAA:"),
    ("an older one", "/?Content-MD5=AAAA"),
    ("a part", "/?status=206+Partial+Content&Content-Range=bytes+0-4999/10000"),
    ("too long to wait for", "/?n=9000000"),
])
def test_what_is_not_compressed(pages, why, target):
    r = pages.get(target, accept("gzip, br, zstd"))
    assert r.get("Content-Encoding") in (None, "x"), why
    assert "Vary" not in r and len(r.body) == int(r["Content-Length"]), why


def test_errors_are_compressed_too(pages):
    r = pages.get("/?status=404+Not+Found", accept("gzip"))
    assert r.status == 404 and r["Content-Encoding"] == "gzip" and codings.decoded(r) == pages_body(5000)


def test_vary_is_added_to(pages):
    assert pages.get("/?Vary=Cookie", accept("gzip"))["Vary"] == "Cookie, Accept-Encoding"
    assert pages.get("/?Vary=Cookie")["Vary"] == "Cookie, Accept-Encoding"
    assert pages.get("/?Vary=accept-encoding")["Vary"] == "accept-encoding"
    assert pages.get("/?Vary=*", accept("gzip"))["Vary"] == "*"


def test_head_gets_the_fields_of_get(pages):
    c = pages.client()
    for target in ("/?ETag=%22v1%22", "/static/plain.css"):
        full, head = c.get(target, accept("br")), c.request("HEAD", target, [accept("br")])
        for name in ("Content-Encoding", "ETag", "Vary", "Content-Type"):
            assert head[name] == full[name]
        assert "Content-Length" not in head and "Accept-Ranges" not in head
    assert c.request("HEAD", "/?n=5000")["Content-Length"] == "5000"


def test_an_old_client_gets_it_plain(pages):
    """HTTP/1.0 knows no chunks, and the length is known at the end only."""
    c = pages.client()
    c.send(b"GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
    r = c.response()
    assert r.body == pages_body(5000) and r["Vary"] == "Accept-Encoding" and "Content-Encoding" not in r


def test_a_page_that_is_longer_or_shorter_than_it_says(pages):
    """As without compression: cut, or broken off so that nobody takes it for whole."""
    r = pages.get("/?n=5000&length=4000", accept("gzip"))
    assert codings.decoded(r) == pages_body(4000)
    with pytest.raises(client.Closed):  # no last chunk
        pages.get("/?n=5000&length=6000", accept("gzip"))


@pytest.mark.parametrize("coding", codings.CODINGS)
@pytest.mark.parametrize("kind", ["text/html", "text/event-stream"])
def test_a_stream_arrives_as_it_is_yielded(pages, coding, kind):
    gate = pages.project / "gate"
    c = pages.client()
    c.send(("GET /stream?n=700&pieces=3&type=%s&gate=%s HTTP/1.1\r\nHost: site.test\r\nAccept-Encoding: %s\r\n\r\n"
            % (kind, gate, coding)).encode())
    head = c.head_of_response()
    assert head["Content-Encoding"] == coding and head["Transfer-Encoding"] == "chunked"
    decoder, seen = codings.Decoder(coding), b""
    while len(seen) < 700:  # the application waits: nothing more comes than what it has yielded
        seen += decoder.feed(c.chunk())
    assert seen == pages_body(700)
    gate.write_text("")
    while piece := c.chunk():
        seen += decoder.feed(piece)
    assert seen == pages_body(700) * 3


def test_files(pages):
    r = pages.get("/static/plain.css", accept("br"))
    assert r["Content-Encoding"] == "br" and codings.decoded(r) == CSS and r["ETag"].startswith('W/"') and r["Vary"] == "Accept-Encoding"
    again = pages.get("/static/plain.css", accept("br"), ("If-None-Match", r["ETag"]))
    assert again.status == 304 and again["ETag"] == r["ETag"] and again["Vary"] == "Accept-Encoding"
    plain = pages.get("/static/plain.css")
    assert plain["ETag"] == r["ETag"][2:] and plain["Accept-Ranges"] == "bytes"
    part = pages.get("/static/plain.css", accept("br"), ("Range", "bytes=0-9"))
    assert part.status == 206 and part.body == CSS[:10] and "Content-Encoding" not in part, "ranges are of the file"
    assert "Content-Encoding" not in pages.get("/static/plain.css", accept("br"), ("Range", "bytes=0-9"), ("If-Range", plain["ETag"]))
    assert codings.decoded(pages.get("/media/notes.txt", accept("gzip"))) == CSS
    for name in ("tiny.css", "photo.png", "big.txt"):
        r = pages.get("/static/" + name, accept("br"))
        assert "Content-Encoding" not in r and r["Content-Length"] == str(len(r.body)), name


def test_a_slow_reader_gets_all_of_it(pages):
    c = pages.client(receive_buffer=4096)
    c.send(b"GET /echo?n=4000000 HTTP/1.1\r\nHost: site.test\r\nAccept-Encoding: gzip\r\n\r\n")
    for _ in range(10):  # the worker is free all the while
        assert pages.get("/").status == 200
    assert codings.decoded(c.response()) == pages_body(3999999) + b"x"


def test_metrics(pages):
    for coding in codings.CODINGS:
        pages.get("/?n=5000", accept(coding))
    value = metrics(pages)
    for coding in codings.CODINGS:
        assert value['quintet_compression_input_bytes_total{coding="%s"}' % coding] == 5000
        assert 0 < value['quintet_compression_output_bytes_total{coding="%s"}' % coding] < 1000


# ---- HTTP/2 ----


def test_http2(pages):
    c = http2.connect(pages)
    for coding in codings.CODINGS:
        for target, n in (("/?n=5000", 5000), ("/stream?pieces=3&n=100000", 300000), ("/static/plain.css", len(CSS))):
            r = c.get(target, ("accept-encoding", coding))
            assert r["content-encoding"] == coding and r["vary"] == "Accept-Encoding"
            assert len(codings.decode(coding, r.body)) == n
            head = c.request("HEAD", target, [("accept-encoding", coding)])
            assert head["content-encoding"] == coding and not head.body


def test_what_a_client_gives_up_is_not_compressed(pages):
    """Nobody would get it."""
    c = http2.connect(pages, greedy=False)
    for _ in range(10):
        stream = c.open(path="/noise?n=65536&pieces=32", fields=[("accept-encoding", "gzip")])
        c.until(lambda: c.answers[stream].status)
        c.reset(stream)
    assert pages.get("/?n=1000").status == 200
    pages.wait_access(number=10, target="/noise?n=65536&pieces=32")
    assert metrics(pages)['quintet_compression_input_bytes_total{coding="gzip"}'] < 10 * 400000, "far from all of it"


# ---- length hiding (BREACH) ----


def lengths(pages, target, coding, *fields):
    c = pages.client()
    answers = [c.get(target, accept(coding), *fields) for _ in range(40)]
    assert len({codings.decoded(r) for r in answers}) == 1
    return {len(r.body) for r in answers}


@pytest.mark.parametrize("coding", codings.CODINGS)
def test_the_length_of_a_page_for_one_person_tells_nothing(pages, coding):
    anonymous = lengths(pages, "/?n=5000", coding)
    assert len(anonymous) == 1, "a page for everybody needs no padding"
    for target, fields in [("/?n=5000&Set-Cookie=csrftoken=x", []), ("/?n=5000&Vary=Cookie", []), ("/?n=5000&Vary=Accept,+Cookie", []),
                           ("/?n=5000&type=application/json", [("Cookie", "sessionid=1")]), ("/?n=5000", [("Authorization", "Basic eDp5")])]:
        seen = lengths(pages, target, coding, *fields)
        assert len(seen) > 10 and max(seen) - min(seen) <= 112, (target, seen)
        assert min(seen) <= min(anonymous) + 60
    assert len(lengths(pages, "/static/plain.css", coding, ("Cookie", "sessionid=1"))) == 1, "files hold no secrets"


@pytest.mark.parametrize("coding", codings.CODINGS)
def test_curl_reads_it(pages, coding):
    """One of the decoders that meet padding in the wild; a browser is in test_browser."""
    for target in ("/?n=5000&Vary=Cookie", "/stream?pieces=5&n=70000&Vary=Cookie"):
        words = ["curl", "-sS", "--compressed", "-H", "Accept-Encoding: " + coding, "http://%s:%d%s" % (*pages.address(), target)]
        got = subprocess.run(words, capture_output=True, timeout=30, check=True).stdout
        assert got in (pages_body(5000), pages_body(70000) * 5)


# ---- Django ----


def test_django_knows_its_weakened_tags(quintet):
    """ConditionalGetMiddleware makes strong tags of the plain body; browsers send back the weak ones they were given."""
    site = quintet(DJANGO, app="app:application")
    full = site.get("/", accept("br"))
    assert full["Content-Encoding"] == "br" and full["ETag"].startswith('W/"') and full["Vary"] == "Accept-Encoding"
    again = site.get("/", accept("br"), ("If-None-Match", full["ETag"]))
    assert again.status == 304 and again["ETag"] == full["ETag"] and again["Vary"] == "Accept-Encoding"
    plain = site.get("/")
    assert plain["ETag"] == full["ETag"][2:]
    assert site.get("/", ("If-None-Match", plain["ETag"]))["ETag"] == plain["ETag"]


def test_what_django_has_compressed_is_left_alone(quintet):
    site = quintet(DJANGO.replace("MIDDLEWARE=[", "MIDDLEWARE=['django.middleware.gzip.GZipMiddleware', "), app="app:application")
    r = site.get("/", accept("gzip, br"))
    assert r["Content-Encoding"] == "gzip" and codings.decoded(r).startswith(b"<p>Nuages")


# ---- routes ----


def test_a_route_may_turn_it_off(quintet):
    site = quintet("pages.py", files={"quintet.yaml": "routes:\n- path: /secret/\n  compress: no\n"})
    r = site.get("/secret/x", accept("gzip"))
    assert "Content-Encoding" not in r and "Vary" not in r
    assert site.get("/", accept("gzip"))["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("more", [40, 41, 42, 43, 60])
def test_as_many_fields_as_there_may_be(quintet, more):
    """Never a compressed body that does not say so."""
    headers = "".join(f"  X-More-{n}: x\n" for n in range(more))
    site = quintet("pages.py", files={"quintet.yaml": "headers:\n" + headers})
    r = site.get("/?" + "&".join(f"X-{n}=1" for n in range(250)), accept("gzip"))
    assert codings.decoded(r) == pages_body(5000)
