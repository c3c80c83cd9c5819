"""Bad input is answered as promised: each line of "HTTP towards clients" has its case here."""
import json

import pytest



@pytest.fixture
def site(quintet):
    return quintet("plain.py")


def refused(site, data, status=400, how="whole"):
    """The status, and the connection closes behind it: what follows cannot be trusted."""
    c = site.client()
    try:
        c.send(data, how)
    except (BrokenPipeError, ConnectionResetError):
        pass
    r = c.response()
    assert r.status == status, r
    assert r["Connection"] == "close"
    assert r["X-Request-ID"] in r.text
    c.nothing_more()
    return r


GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /body HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = b"\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

TWO_WAYS = {
    "length and coding": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked" + SMUGGLED,
    "coding and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5" + SMUGGLED,
    "two lengths": POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    "the same length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "a hex length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "a length with a blank": POST + b"Content-Length: 1 3\r\n\r\nabc",
    "an empty length": POST + b"Content-Length: \r\n\r\nabc",
    "an endless length": POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    "chunked twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a hidden coding": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a coding in 1.0": b"POST /body HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "blank before the colon": GET + b"X-A : 1\r\n\r\n",
    "blank before the colon of a length": POST + b"Content-Length : 3\r\n\r\nabc",
    "obs-fold": GET + b"X-A: 1\r\n 2\r\n\r\n",
    "a fold in the first field": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "CR in a value": GET + b"X-A: 1\r2\r\n\r\n",
    "LF in a value": GET + b"X-A: 1\nX-B: 2\r\n\r\n",
    "a bare LF at the end": b"GET / HTTP/1.1\nHost: a\n\n",
    "NUL in a value": GET + b"X-A: 1\x002\r\n\r\n",
    "a control byte in a value": GET + b"X-A: 1\x012\r\n\r\n",
    "DEL in a value": GET + b"X-A: 1\x7f2\r\n\r\n",
    "a control byte in a name": GET + b"X\x01A: 1\r\n\r\n",
    "an empty name": GET + b": 1\r\n\r\n",
    "no colon": GET + b"X-A\r\n\r\n",
    "no Host": b"GET / HTTP/1.1\r\nX-A: 1\r\n\r\n",
    "two Hosts": GET + b"Host: a\r\n\r\n",
    "a bad Host": b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a Host with a user": b"GET / HTTP/1.1\r\nHost: me@a\r\n\r\n",
    "a Host with a bad port": b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n",
    "a Host with a blank": b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "two blanks": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab": b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control byte in the target": b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
    "NUL in the target": b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "%00 in the target": b"GET /a%00b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a relative target": b"GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "a bad method": b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a strange version": b"GET / HTTP/1.x\r\nHost: a\r\n\r\n",
    "lower case http": b"GET / http/1.1\r\nHost: a\r\n\r\n",
    "TLS on the plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40) + b"\r\n\r\n",
    "a chunk size with a sign": POST + b"Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
    "a chunk size with 0x": POST + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "a chunk size too large": POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n",
    "no chunk size": POST + b"Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n",
    "a chunk longer than its size": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    "a chunk ended by LF": POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
}


def test_what_can_be_read_two_ways(site):
    failures = []
    for what, data in TWO_WAYS.items():
        for how in ("whole", "bytes", "random"):
            try:
                refused(site, data, how=how)
            except AssertionError as failure:
                failures.append("%s, %s: %s" % (what, how, str(failure)[:300]))
    assert not failures, "\n".join(failures)
    assert not [r for r in site.wait_access(len(TWO_WAYS)) if "smuggled" in r["target"]]


@pytest.mark.parametrize("data, status", [
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505),
    (b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501),
    (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    (POST + b"Expect: miracles\r\nContent-Length: 1\r\n\r\na", 417),
])
def test_what_is_not_spoken(site, data, status):
    refused(site, data, status)


def test_unknown_methods_are_the_applications_business(site):
    assert json.loads(site.request("PURGE", "/environ").body)["REQUEST_METHOD"] == "PURGE"


def test_long_request_line(quintet):
    site = quintet("plain.py", options=["--limit-request-line", "1k"])
    assert site.get("/" + "a" * 900).status == 404
    refused(site, b"GET /" + b"a" * 1100 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414)
    refused(site, b"GET /" + b"a" * 200000, 414)


def test_too_many_fields(quintet):
    site = quintet("plain.py", options=["--limit-request-fields", "10"])
    assert site.get("/", *[("X-A", "1")] * 9).status == 200
    refused(site, GET + b"X-A: 1\r\n" * 10 + b"\r\n", 431)


def test_long_field(quintet):
    site = quintet("plain.py", options=["--limit-request-field-size", "1k"])
    assert site.get("/", ("X-A", "1" * 900)).status == 200
    refused(site, GET + b"X-A: " + b"1" * 1100 + b"\r\n\r\n", 431)


def test_head_that_never_ends(site):
    refused(site, GET + b"X-A: " + b"1" * 300000, 431)


@pytest.mark.parametrize("how", ["whole", "random"])
def test_large_body(quintet, how):
    site = quintet("plain.py", options=["--max-body-size", "10k"])
    assert site.client().request("POST", "/body", body=b"a" * 10240).status == 200
    refused(site, POST + b"Content-Length: 10241\r\n\r\n" + b"a" * 10241, 413, how)
    chunks = b"".join(b"800\r\n" + b"a" * 2048 + b"\r\n" for _ in range(6))
    refused(site, POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n", 413, how)


def test_body_that_breaks_off(site):
    """The application never sees a request that is not whole."""
    c = site.client()
    c.send(b"POST /say?text=never HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    c.close()
    row = site.wait_access(method="POST")[0]
    assert row["status"] == 499
    assert not [line for line in site.errors() if "never" in line["message"]]


def test_pages_follow_accept(site):
    bad = b"GET / HTTP/1.1\r\nHost: a\r\n%sX-A : 1\r\n\r\n"
    assert refused(site, bad % b"")["Content-Type"].startswith("text/plain")
    too_long = b"GET / HTTP/1.1\r\nHost: a\r\nAccept: %s\r\nContent-Length: 999999999999\r\n\r\n"
    html = refused(site, too_long % b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", 413)
    assert html["Content-Type"].startswith("text/html") and "<h1>413" in html.text
    data = refused(site, too_long % b"application/json", 413)
    assert json.loads(data.text)["status"] == 413 and json.loads(data.text)["request_id"] == data["X-Request-ID"]
    for r in (html, data):
        assert r["X-Content-Type-Options"] == "nosniff"
        assert r["Referrer-Policy"] == "same-origin"
        assert r["X-Frame-Options"] == "SAMEORIGIN"
        assert "quintet/" not in r.text.lower() and r["Cache-Control"] == "no-store"


def test_fields_that_never_reach_the_application(site):
    """What could pass for another, what proxies alone may say, what belongs to one connection."""
    c = site.client()
    got = json.loads(c.get("/environ", ("X_Forwarded_For", "6.6.6.6"), ("X-Forwarded-For", "6.6.6.6"),
                           ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil"), ("Forwarded", "for=6.6.6.6"),
                           ("X-Real-IP", "6.6.6.6"), ("Proxy", "http://evil"), ("Keep-Alive", "1"), ("TE", "trailers"),
                           ("Content_Length", "77"), ("X-Hop", "1"), ("Connection", "X-Hop"),
                           ("X-Request-ID", "mine")).body)
    assert not any("6.6.6.6" in str(v) or "evil" in str(v) or v == "77" for v in got.values()), got
    for name in ("HTTP_PROXY", "HTTP_KEEP_ALIVE", "HTTP_TE", "HTTP_X_HOP", "HTTP_CONNECTION", "HTTP_FORWARDED"):
        assert name not in got, name
    assert got["REMOTE_ADDR"] == "127.0.0.1" and got["wsgi.url_scheme"] == "http"
    assert got["HTTP_X_REQUEST_ID"] != "mine"


def test_trusted_proxies(quintet):
    site = quintet("plain.py", options=["--trusted-proxies", "127.0.0.0/8,10.0.0.0/8"])
    r = site.get("/environ", ("X-Forwarded-For", "1.2.3.4, 6.6.6.6, 10.1.1.1"), ("X-Forwarded-Proto", "https"),
                 ("X-Request-ID", "from-the-proxy"))
    got = json.loads(r.body)
    assert (got["REMOTE_ADDR"], got["wsgi.url_scheme"]) == ("6.6.6.6", "https")
    assert got["HTTP_X_REQUEST_ID"] == r["X-Request-ID"] == "from-the-proxy"
    bad = site.get("/environ", ("X-Forwarded-For", "nonsense"), ("X-Request-ID", "a b\"c"))
    got = json.loads(bad.body)
    assert got["REMOTE_ADDR"] == "127.0.0.1" and got["HTTP_X_REQUEST_ID"] != "a b\"c"


def test_request_id_is_everywhere(site):
    r = site.get("/say?text=hello")
    assert r["X-Request-ID"] == r.text and len(r.text) >= 16
    assert site.wait_access(request_id=r.text)
    assert site.get()["X-Request-ID"] != r.text


def test_idle_connection_closes(quintet):
    site = quintet("plain.py", options=["--keep-alive", "200ms"])
    c = site.client()
    assert c.get().status == 200
    c.nothing_more()
    c = quintet("plain.py", options=["--keep-alive", "0"]).client()
    assert c.get().status == 200
    c.nothing_more()


def test_health_path(quintet):
    site = quintet("plain.py", options=["--health-path", "/up"])
    assert site.get("/up").body == b"ok\n"
    assert site.get("/up/").status == 404
