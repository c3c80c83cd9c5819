"""HTTP/1.1 towards clients: what is understood, in whatever pieces it arrives."""
import hashlib
import json
import tempfile

import pytest

from kit import client


@pytest.fixture
def site(quintet):
    return quintet("plain.py")


WAYS = ["whole", "bytes", "random"]


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


def test_hello(site):
    r = site.get()
    assert (r.status, r.body) == (200, b"hello\n")
    assert r["Content-Length"] == "6" and "Transfer-Encoding" not in r
    assert "Server" not in r or not any(c.isdigit() for c in r["Server"])


def test_keep_alive(site):
    c = site.client()
    for _ in range(50):
        assert c.get().body == b"hello\n"
    assert site.status()["edge"]["connections"] == 1


@pytest.mark.parametrize("how", WAYS)
def test_pipelining(site, how):
    """Answers come in order, bodies between the requests are not taken for requests."""
    c = site.client()
    one = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    two = b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\nGET / HTTP/1"
    three = b"POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"ab", b"cde")
    four = b"GET /pid HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    c.send(one + two + three + one + four, how)
    assert [c.response().body for _ in range(4)] == [b"hello\n", b"GET / HTTP/1", b"abcde", b"hello\n"]
    assert int(c.response().body) in site.worker_pids()
    c.nothing_more()


def test_long_pipeline(site):
    """More requests in one piece than a turn of the loop answers."""
    c = site.client()
    c.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 300)
    assert all(c.response().body == b"hello\n" for _ in range(300))


@pytest.mark.parametrize("how", WAYS)
def test_body_with_length(site, how):
    assert site.client().request("POST", "/body", body=b"some body", how=how).body == b"some body"


@pytest.mark.parametrize("how", WAYS)
def test_chunked_request(site, how):
    pieces = chunked(b"Wiki", b"pedia", b" in\r\n\r\nchunks.", bytes(range(256)) * 8)
    r = site.client().request("POST", "/body", [("Transfer-Encoding", "chunked")], pieces, how)
    assert r.body == b"Wikipedia in\r\n\r\nchunks." + bytes(range(256)) * 8


def test_chunk_extensions_and_trailers(site):
    """Read over and dropped: nothing of them reaches the application."""
    c = site.client()
    c.send(b"POST /environ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"3;name=value;q=\"a b\"\r\nabc\r\n0\r\nX-Trailer: yes\r\n\r\n")
    got = json.loads(c.response().body)
    assert "HTTP_X_TRAILER" not in got
    assert c.get().body == b"hello\n"


def test_chunked_body_in_the_environ(site):
    """An application that knows nothing of chunks may read to the end (wsgi.input_terminated)."""
    r = site.client().request("POST", "/environ", [("Transfer-Encoding", "chunked")], chunked(b"abc"))
    got = json.loads(r.body)
    assert "HTTP_TRANSFER_ENCODING" not in got
    assert got["wsgi.input_terminated"] is True


def test_large_body_in_chunks(site):
    data = bytes(range(251)) * 40000
    r = site.client().request("POST", "/digest", [("Transfer-Encoding", "chunked")],
                              chunked(*[data[i:i + 70001] for i in range(0, len(data), 70001)]))
    assert r.text == "%d %s" % (len(data), hashlib.sha256(data).hexdigest())


def test_body_that_nobody_reads(site):
    """The next request on the connection is read from where the body ended."""
    c = site.client()
    for size in (10, 300000):
        assert c.request("POST", "/unread", body=b"G" * size).body == b"did not look\n"
    assert c.get().body == b"hello\n"


def test_chunked_answer(site):
    r = site.get("/stream?n=40&size=1000")
    assert r["Transfer-Encoding"] == "chunked" and "Content-Length" not in r
    assert len(r.body) == 40000


def test_head(site):
    """The same fields as GET's and no body."""
    c = site.client()
    assert c.request("HEAD", "/hello")["Content-Length"] == "6"
    assert c.request("HEAD", "/stream").body == b""
    assert c.get().body == b"hello\n"


@pytest.mark.parametrize("line", ["204 No Content", "304 Not Modified"])
def test_status_without_a_body(site, line):
    c = site.client()
    r = c.get("/empty?line=" + line.replace(" ", "%20"))
    assert r.status == int(line[:3]) and "Transfer-Encoding" not in r
    assert c.get().body == b"hello\n"


@pytest.mark.parametrize("line", ["200 Fine", "299 Odd", "404 Nothing here", "599 Last"])
def test_status_and_reason(site, line):
    r = site.get("/status?line=" + line.replace(" ", "%20"))
    assert "%d %s" % (r.status, r.reason) == line


def test_http_10(site):
    """Closes after the answer unless asked to stay; never chunked."""
    c = site.client()
    c.send(b"GET /stream HTTP/1.0\r\n\r\n")
    r = c.response()
    assert "Transfer-Encoding" not in r and r.body == b"aaaaabbbbbccccc"
    c.nothing_more()
    c = site.client()
    c.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert c.response()["Connection"].lower() == "keep-alive"
    c.send(b"GET / HTTP/1.0\r\n\r\n")
    c.response()
    c.nothing_more()


def test_connection_close(site):
    c = site.client()
    assert c.get("/", ("Connection", "close"))["Connection"] == "close"
    c.nothing_more()


def test_absolute_form(site):
    """RFC 9112 3.2.2; an authority that is not the Host field's is refused (see the parser's refusals)."""
    c = site.client()
    c.send(b"GET http://other.test:81/environ?q=1 HTTP/1.1\r\nHost: other.test:81\r\n\r\n")
    got = json.loads(c.response().body)
    assert (got["PATH_INFO"], got["QUERY_STRING"]) == ("/environ", "q=1")
    assert (got["SERVER_NAME"], got["SERVER_PORT"]) == ("other.test", "81")
    assert got["HTTP_HOST"] == "other.test:81"


def test_options_asterisk(site):
    r = site.request("OPTIONS", "*")
    assert r.status in (200, 204) and "GET" in r["Allow"]


def test_continue_is_said_when_the_body_is_wanted(site):
    c = site.client()
    c.send(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert c.response().status == 100
    c.send(b"body")
    assert c.response().body == b"body"
    assert c.get().body == b"hello\n"


def test_continue_is_not_said_when_the_body_came_along(site):
    c = site.client()
    c.send(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody")
    assert c.response().body == b"body"


def test_continue_is_not_said_to_a_body_that_is_too_large(quintet):
    site = quintet("plain.py", options=["--max-body-size", "1k"])
    c = site.client()
    c.send(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n")
    assert c.response().status == 413


@pytest.mark.parametrize("how", WAYS)
def test_empty_lines_before_a_request(site, how):
    """RFC 9112 2.2: read over, as some clients send one after a body."""
    c = site.client()
    c.send(b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", how)
    assert c.response().body == b"hello\n"


def test_fields_of_the_application(site):
    r = site.get("/fields")
    assert r.all("X-Own") == ["a", "b"] and r.all("Set-Cookie") == ["a=1", "b=2"]


def test_unix_socket(quintet):
    with tempfile.TemporaryDirectory(prefix="qe2e") as folder:
        path = folder + "/http.sock"
        site = quintet("plain.py", options=["--bind", "unix:" + path])
        c = client.Client(client.connect(path))
        got = json.loads(c.get("/environ").body)
        assert got["REMOTE_ADDR"] == "" and got["SERVER_NAME"] == "site.test"
        c.close()
        site.finish()


def test_ipv6(quintet):
    site = quintet("plain.py", options=["--bind", "[::1]:0"])
    got = json.loads(site.get("/environ").body)
    assert got["REMOTE_ADDR"] == "::1"


def test_several_listeners(quintet):
    site = quintet("plain.py", options=["--bind", "127.0.0.1:0", "--bind", "127.0.0.1:0"])
    urls = site.status()["addresses"]
    assert len(set(urls)) == 2
    for url in urls:
        c = client.Client(client.connect(("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))))
        assert c.get().body == b"hello\n"
        c.close()
