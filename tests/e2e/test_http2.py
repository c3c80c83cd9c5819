"""HTTP/2: the same site by other frames. What RFC 9113 asks of every server is in test_http2_rfc9113.py."""
import hashlib
import json
import os

import pytest

from kit import http2


@pytest.fixture(params=["clear", "tls"])
def dial(request, quintet, pair, authority):
    """dial(**options of the instance) → (site, connect): in clear text by prior knowledge, and over TLS by ALPN."""
    def start(app="plain.py", **more):
        tls = request.param == "tls"
        site = quintet(app, tls=[pair] if tls else None, **more)
        return site, lambda **how: http2.connect(site, authority.context() if tls else None, **how)
    return start


# ---- requests ----

def test_get(dial):
    site, connect = dial()
    c = connect()
    got = c.get("/environ?a=1", ("x-own", "b"))
    assert got.status == 200 and int(got["content-length"]) == len(got.body) and "date" in got
    env = json.loads(got.body)
    assert (env["SERVER_PROTOCOL"], env["REQUEST_METHOD"], env["PATH_INFO"], env["QUERY_STRING"]) == ("HTTP/2.0", "GET", "/environ", "a=1")
    assert (env["HTTP_HOST"], env["HTTP_X_OWN"], env["wsgi.url_scheme"]) == ("localhost", "b", c.scheme)
    line = site.wait_access(target="/environ?a=1")[0]
    assert (line["protocol"], line["status"], line["bytes"], line["scheme"]) == ("HTTP/2.0", 200, len(got.body), c.scheme)


def test_many_requests_on_one_connection(dial):
    _, connect = dial()
    c = connect()
    for _ in range(5):
        streams = [c.open("POST", "/body", body=b"number %d" % i) for i in range(60)]
        assert [a.body for a in c.wait(*streams)] == [b"number %d" % i for i in range(60)]


def test_cookie_crumbs(dial):
    """RFC 9113 8.2.3"""
    _, connect = dial()
    got = connect().get("/environ", ("cookie", "a=1"), ("cookie", "b=2"), ("x-between", "x"), ("cookie", "c=3"))
    assert json.loads(got.body)["HTTP_COOKIE"] == "a=1; b=2; c=3"


def test_bodies(dial):
    _, connect = dial()
    c, data = connect(), os.urandom(5 << 20)
    got = c.request("POST", "/digest", body=data)
    assert got.body.decode() == "%d %s" % (len(data), hashlib.sha256(data).hexdigest())
    got = c.request("POST", "/body", [("content-length", str(len(data)))], body=data)
    assert got.body == data
    got = c.get("/stream?n=100&size=30000")
    assert len(got.body) == 3000000 and "content-length" not in got and "transfer-encoding" not in got


def test_answers_without_a_body(dial):
    _, connect = dial()
    c = connect()
    head = c.request("HEAD", "/hello")
    assert (head.status, head.body, head["content-length"]) == (200, b"", "6")
    for line in ("204 No Content", "304 Not Modified"):
        got = c.get("/empty?line=" + line.replace(" ", "%20"))
        assert (got.status, got.body) == (int(line[:3]), b"")
    assert c.get("/hello").body == b"hello\n"
