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
    site = quintet("plain.py", options=["--health-path", "/up", "--shutdown-delay", "0"])
    assert site.get("/up").body == b"ok\n"
    assert site.get("/up/").status == 404
