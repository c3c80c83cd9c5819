"""HTTP/2: the same site by other frames. What RFC 9113 asks of every server is in test_http2_rfc9113.py."""
import hashlib
import json
import os
import signal
import subprocess

import pytest

from kit import http2
from kit.waiting import until


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


def test_files(dial):
    data = os.urandom(3 << 20)
    site, connect = dial(files={"static/big.bin": data}, options=["--static", "/static/=static"])
    c = connect()
    streams = [c.open(path="/static/big.bin") for _ in range(5)]
    assert all(a.body == data for a in c.wait(*streams))
    part = c.get("/static/big.bin", ("range", "bytes=100-1099"))
    assert (part.status, part.body, part["content-range"]) == (206, data[100:1100], "bytes 100-1099/%d" % len(data))
    assert c.get("/static/big.bin", ("if-none-match", part["etag"])).status == 304
    assert c.request("POST", "/static/big.bin", body=b"x" * 100000).status == 405
    assert c.get("/static/none").status == 404


def test_continue_is_said(dial):
    _, connect = dial()
    c = connect()
    stream = c.open("POST", "/body", [("expect", "100-continue")], end=False)
    c.until(lambda: c.answers[stream].interim)
    c.send(stream, b"now")
    got = c.wait(stream)
    assert ([s for s, _ in got.interim], got.status, got.body) == ([100], 200, b"now")


PAGES = """
def application(environ, start):
    path, fields = environ["PATH_INFO"], [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "2")]
    if path != "/bare":
        fields.append(("Link", "</a.css>; rel=preload; as=style, </next>; rel=next, <https://cdn.example>; rel=preconnect"))
    fields += {"/cookie": [("Set-Cookie", "a=1")], "/vary": [("Vary", "Accept, Cookie")],
               "/private": [("Cache-Control", "private")]}.get(path, [])
    start("404 Not Found" if path == "/none" else "200 OK", fields)
    return [b"hi"]
"""
NAVIGATES = ("sec-fetch-mode", "navigate")


def test_early_hints(quintet):
    """What a page's Link fields said the last time comes ahead of its next answer: RFC 8297."""
    c = http2.connect(quintet(PAGES, options=["--workers", "1"]))
    assert c.get("/", NAVIGATES).interim == []
    got = c.get("/?q=1", NAVIGATES)
    assert got.interim == [(103, [("link", "</a.css>; rel=preload; as=style, <https://cdn.example>; rel=preconnect")])]
    assert got.status == 200 and got.body == b"hi" and "</next>" in got["link"]
    assert c.get("/", ("accept", "text/html,*/*;q=0.8")).interim
    for path, *fields in (("/with?a=query",), ("/with", ("authorization", "Basic eDp5"))):  # not what everybody sees
        assert [c.get(path, NAVIGATES, *fields).interim for _ in range(2)] == [[], []], path
    for others in ([("sec-fetch-mode", "cors"), ("accept", "text/html")], [("accept", "*/*")]):
        assert c.get("/", *others).interim == []
    assert c.request("HEAD", "/", [NAVIGATES]).interim == []
    for path in ("/cookie", "/vary", "/private", "/none", "/bare"):
        assert [c.get(path, NAVIGATES).interim for _ in range(2)] == [[], []], path


# ---- streams beside one another ----

def test_requests_run_in_several_workers_at_once(dial, tmp_path):
    _, connect = dial(options=["--workers", "2"])
    c = connect()
    first = c.open(path="/gate?at=%s&until=%s" % (tmp_path / "a", tmp_path / "b"))
    second = c.open(path="/gate?at=%s&until=%s" % (tmp_path / "b", tmp_path / "a"))
    assert all(a.status == 200 for a in c.wait(first, second))


def test_a_stalled_stream_does_not_stop_the_others(dial):
    """Its window is shut: its worker is free, and the others have all of the connection."""
    site, connect = dial(options=["--workers", "1"])
    c = connect(greedy=False)
    stalled = c.open(path="/stream?n=200&size=5000")
    c.until(lambda: len(c.answers[stalled].body) == 65535)
    c.h2.increment_flow_control_window(1 << 30)  # the connection's
    c.flush()
    for _ in range(20):
        assert c.wait(c.open(path="/stream?n=3&size=5000")).body == b"a" * 5000 + b"b" * 5000 + b"c" * 5000
    assert len(c.answers[stalled].body) == 65535
    c.h2.increment_flow_control_window(1 << 30, stalled)
    c.flush()
    assert len(c.wait(stalled).body) == 1000000


def test_windows_of_one_byte(dial):
    _, connect = dial()
    c = connect()
    c.get("/hello")
    c.h2.update_settings({4: 1})
    c.flush()
    for _ in range(3):
        assert c.get("/hello").body == b"hello\n"


def curl(site, scheme, path, *words):
    host, port = site.address(scheme)
    how = ["--http2", "-k"] if scheme == "https" else ["--http2-prior-knowledge"]
    return subprocess.run(["curl", "-sS", *how, *words, "%s://%s:%d%s" % (scheme, host, port, path)], capture_output=True, check=True).stdout


def test_a_large_download_and_upload(dial, tmp_path):
    """100 MB each way by curl; the edge's memory stays where it was (see the questions at the end)."""
    site, connect = dial(options=["--max-body-size", "200m"])
    scheme = connect().scheme
    assert curl(site, scheme, "/stream?n=1600&size=65536", "-o", tmp_path / "got") == b"" and (tmp_path / "got").stat().st_size == 1600 * 65536
    sha = hashlib.sha256((tmp_path / "got").read_bytes()).hexdigest()
    assert curl(site, scheme, "/digest", "-T", tmp_path / "got").decode() == "%d %s" % (1600 * 65536, sha)


def test_early_answers_stop_uploads(dial):
    """RFC 9113 8.1: the answer, then RST_STREAM with NO_ERROR."""
    _, connect = dial(options=["--max-body-size", "100k"])
    c = connect()
    told = c.open("POST", "/body", [("content-length", "200000")], end=False)
    got = c.wait(told)
    assert got.status == 413
    untold = c.open("POST", "/body", body=b"x" * 300000, end=False)
    assert c.wait(untold).status == 413
    c.until(lambda: c.answers[told].reset == 0 and c.answers[untold].reset == 0)
    assert c.get("/hello").status == 200


def test_an_answer_that_fails_is_reset(dial):
    site, connect = dial()
    site.expected.append("failed on purpose|deliberate")
    c = connect()
    assert c.get("/fail").status == 500
    assert c.get("/hello").status == 200


# ---- clients that leave ----

def test_cancelled_in_the_queue(dial, tmp_path):
    """What no worker has seen is dropped, and the worker never sees it."""
    site, connect = dial(options=["--workers", "1"])
    c = connect()
    held = c.open(path="/gate?at=%s&until=%s" % (tmp_path / "in", tmp_path / "go"))
    until((tmp_path / "in").exists, "the worker to have it")
    others = [c.open(path="/hello?cancelled") for _ in range(20)]
    for stream in others:
        c.reset(stream)
    site.wait_access(20, status=499)
    (tmp_path / "go").touch()
    assert c.wait(held).status == 200
    assert c.get("/hello").status == 200


def test_cancelled_in_a_worker_still_counts(dial, tmp_path):
    """Otherwise a client could have any number of requests run at once by cancelling them."""
    site, connect = dial(options=["--workers", "1", "--queue-size", "200"])
    c = connect()
    held = c.open(path="/gate?at=%s&until=%s" % (tmp_path / "in", tmp_path / "go"))
    until((tmp_path / "in").exists, "the worker to have it")
    c.reset(held)
    streams = [c.open(path="/hello") for _ in range(100)]
    c.until(lambda: any(c.answers[s].reset == 7 for s in streams))
    (tmp_path / "go").touch()
    answers = c.wait(*streams)
    assert sorted(a.status or 0 for a in answers) == [0] + [200] * 99
    assert c.get("/hello").status == 200


def test_a_connection_that_breaks_off(dial, tmp_path):
    site, connect = dial(options=["--workers", "1"])
    c = connect()
    c.open(path="/gate?at=%s&until=%s" % (tmp_path / "in", tmp_path / "go"))
    until((tmp_path / "in").exists, "the worker to have it")
    for _ in range(10):
        c.open(path="/hello")
    c.open("POST", "/body", body=b"x" * 1000, end=False)
    c.ping()  # all of them have arrived
    c.close()
    site.wait_access(11, status=499)  # the edge knows, so that nobody who waited is answered
    (tmp_path / "go").touch()
    site.wait_access(12, status=499)
    assert connect().get("/hello").status == 200


# ---- workers and reloads ----

def test_a_workers_death(dial, tmp_path):
    site, connect = dial()
    site.expected += ["worker", "poison"]
    c = connect()
    assert c.get("/die_once?at=%s" % (tmp_path / "died")).body == b"alive\n"
    assert c.request("POST", "/die").status == 502
    assert c.get("/hello").status == 200


def test_a_reload_touches_no_connection(dial):
    site, connect = dial()
    c = connect()
    before = c.get("/pid").body
    assert site.command("reload").returncode == 0
    assert c.get("/pid").body != before and not c.goaways


def test_a_drain_loses_nothing(dial, tmp_path):
    """GOAWAY first with the highest number there is, then with the last request's: what was on its way is answered."""
    site, connect = dial()
    c, idle = connect(), connect()
    assert idle.get("/hello").status == 200
    slow = c.open(path="/gate?at=%s&until=%s" % (tmp_path / "in", tmp_path / "go"))
    until((tmp_path / "in").exists, "the worker to have it")
    site.signal(signal.SIGTERM)
    c.until(lambda: c.goaways)
    late = c.open(path="/hello") if len(c.goaways) == 1 else None
    (tmp_path / "go").touch()
    assert c.wait(slow).status == 200
    c.wait_closed()
    idle.wait_closed()
    assert c.goaways[0] == (0, 2**31 - 1) and c.goaways[-1] == (0, late or slow)
    assert late is None or c.answers[late].status == 200
    assert site.wait_exit() == 0


def test_idle_connections_are_told(dial):
    site, connect = dial(options=["--keep-alive", "1s"])
    c = connect()
    assert c.get("/hello").status == 200
    c.wait_closed()
    assert c.goaways == [(0, 1)]


def test_who_makes_room_is_told(dial):
    """A request that is on its way to an idle connection when that is evicted can be repeated: GOAWAY says that it was not served."""
    site, connect = dial(options=["--limit-connections", "20"])
    idle = connect()
    assert idle.get("/hello").status == 200
    others = []

    def evicted():
        others.append(connect())
        return site.status()["edge"]["evicted"] > 0

    until(evicted, "somebody to make room")
    idle.wait_closed()
    assert idle.goaways == [(0, 1)]
