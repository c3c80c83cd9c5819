"""WSGI 1.0.1 (PEP 3333) as a client sees it."""
import hashlib
import json
import random
import re

import pytest

from kit import client, processes
from kit.instance import SANITIZED
from kit.waiting import until


@pytest.fixture
def notes(tmp_path):
    class Notes:
        path = tmp_path / "notes"

        def lines(self):
            return self.path.read_text().splitlines() if self.path.exists() else []

        def wait(self, text):
            until(lambda: text in self.lines(), lambda: "%r among %r" % (text, self.lines()))
    return Notes()


@pytest.fixture
def corners(quintet, notes):
    return quintet("corners.py", env={"NOTES": str(notes.path)})


# ---- right ----

@pytest.mark.parametrize("path, status, body", [
    ("empty_first", 200, b"text and more"),
    ("no_items", 200, b""),
    ("late_start", 200, b"late"),
    ("changed_mind", 503, b"sorry"),
    ("written", 200, b"one two three"),
    ("counted", 200, b"0123456789"),
    ("file", 200, bytes(range(256)) * 1024),
    ("file_from_the_middle", 200, (bytes(range(256)) * 1024)[1000:1500]),
    ("file_that_is_none", 200, b"memory" * 1000),
    ("file_iterated", 200, b"ABC" * 10),
], ids=lambda value: value if isinstance(value, str) else "")
def test_right(corners, path, status, body):
    c = corners.client()
    for _ in range(3):
        r = c.get("/" + path)
        assert (r.status, r.body) == (status, body)
        assert "X-First" not in r
        assert c.request("HEAD", "/" + path).status == status


def test_length_is_added_where_it_is_known(corners):
    assert corners.get("/changed_mind")["Content-Length"] == "5"
    assert "Content-Length" not in corners.get("/empty_first")


def test_more_than_announced(corners):
    corners.expected.append("Content-Length")
    c = corners.client()
    assert c.get("/too_long").body == b"01234"
    assert c.get("/counted").body == b"0123456789"
    corners.wait_message(message=re.compile("Content-Length"))


def test_input_in_any_sizes(corners):
    rng = random.Random(4)
    lines = [bytes(rng.choices(b"abc ", k=rng.randrange(0, 30))) + b"\n" for _ in range(200)]
    for body in (b"", b"x", b"\n", b"no newline at all" * 40, b"".join(lines), b"".join(lines * 1000)):
        assert corners.request("POST", "/input_ways", body=body).body == body


@pytest.mark.parametrize("path", ["counted", "empty_first", "no_items"])
def test_close_is_called(corners, notes, path):
    assert corners.get("/" + path).status == 200
    notes.wait("closed " + path)


@pytest.mark.parametrize("path", ["endless", "patient"])
@pytest.mark.parametrize("leave", ["close", "reset"])
def test_close_is_called_when_the_client_leaves(corners, notes, path, leave):
    c = corners.client()
    c.send(b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
    assert c.head_of_response().status == 200
    c.read(10)
    getattr(c, leave)()
    notes.wait("closed " + path)


def test_the_client_does_not_wait_for_close(corners, notes):
    assert corners.get("/slow_close").body == b"all of it"
    assert notes.lines() == []
    notes.path.with_name("go").touch()
    notes.wait("closed slow_close")


def test_close_that_raises(corners, notes):
    c = corners.client()
    assert c.get("/raising_close").body == b"fine"
    corners.wait_message(message="RuntimeError: close() failed on purpose")
    assert c.get("/counted").status == 200


def test_validator(quintet, notes):
    """wsgiref.validate around the application reports nothing: it raises, so a 500 would show."""
    site = quintet("corners.py", "app:validated", env={"NOTES": str(notes.path)})
    c = site.client()
    body = b"one\ntwo\nthree\nfour"
    assert c.request("POST", "/?name=valid", body=body).body == body
    large = b"line\n" * 100000
    assert c.request("POST", "/?name=valid", body=large).body == large
    for name in ("empty_first", "no_items", "late_start", "counted", "file", "file_from_the_middle"):
        assert c.get("/?name=" + name).status == 200, site.said()
        assert c.request("HEAD", "/?name=" + name).status == 200, site.said()
    assert not [e for e in site.errors() if "Assertion" in e["message"] or "Traceback" in e["message"]]


def test_environ(quintet):
    site = quintet("plain.py", options=["--threads", "2"])
    r = site.get("/environ/%41%2f?q=%20&r", ("X-Name", "one"), ("X-Name", "two"), ("Cookie", "a=1"), ("Cookie", "b=2"),
                 ("Content-Type", "text/x"), host="site.test:8123")
    assert r.status == 404
    r = site.get("/environ?q=%20&r", ("X-Name", "one"), ("X-Name", "two"), ("Cookie", "a=1"), ("Cookie", "b=2"),
                 ("Content-Type", "text/x"), host="site.test:8123")
    got = json.loads(r.body)
    assert {k: got[k] for k in ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "SERVER_NAME",
                                "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "CONTENT_TYPE", "HTTP_HOST")} == {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/environ", "QUERY_STRING": "q=%20&r",
        "REQUEST_URI": "/environ?q=%20&r", "SERVER_NAME": "site.test", "SERVER_PORT": "8123",
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "text/x", "HTTP_HOST": "site.test:8123"}
    assert (got["HTTP_X_NAME"], got["HTTP_COOKIE"]) == ("one, two", "a=1; b=2")
    assert got["wsgi.multithread"] and got["wsgi.multiprocess"] and not got["wsgi.run_once"]
    assert "HTTPS" not in got and "CONTENT_LENGTH" not in got and "HTTP_CONTENT_TYPE" not in got
    assert 0 <= got["quintet.queue_time"] < 5
    assert got["REMOTE_PORT"].isdigit()


def test_path_is_decoded_once(quintet):
    site = quintet('def app(e, s):\n  s("200 OK", [])\n  return [e["PATH_INFO"].encode("latin-1")]\n', "app:app")
    assert site.get("/caf%C3%A9/%2541").body == "/café/%41".encode()


# ---- wrong ----

RULES = {
    "never_started": "start_response",
    "never_started_empty": "start_response",
    "returns_none": "iterable",
    "str_body": "bytes",
    "bytes_status": "status",
    "bare_status": "three digits",
    "headers_tuple": "list",
    "header_newline": "CR",
    "header_name": "token",
    "header_int": "str",
    "hop_by_hop": "hop-by-hop",
    "twice": "exc_info",
}


def test_broken_rules_are_a_clean_500_that_says_which(corners):
    failures = []
    for path, rule in RULES.items():
        c = corners.client()
        r = c.get("/" + path)
        if r.status != 500 or "Injected" in repr(r):
            failures.append("%s: %r" % (path, r))
            continue
        try:
            corners.wait_message(2, message=re.compile("/%s: .*PEP 3333.*%s" % (path, rule)))
        except AssertionError:
            failures.append("%s: no line with %r" % (path, rule))
        assert c.get("/late_start").body == b"late", "the connection and others go on"
    assert not failures, "\n".join(failures) + corners.said()


@pytest.mark.parametrize("path", ["str_body_late", "too_short", "raises_late", "exc_info_late"])
def test_what_is_wrong_after_the_head_breaks_off(corners, path):
    """The client can tell: neither a last chunk nor the announced length arrives."""
    c = corners.client()
    with pytest.raises(client.Closed):
        c.get("/" + path)
    corners.wait_message(message=re.compile("/" + path + ": "))
    assert corners.get("/late_start").body == b"late"


@pytest.mark.parametrize("path", ["str_body", "str_body_late", "too_short", "raises_late"])
def test_close_is_called_after_errors(corners, notes, path):
    try:
        corners.get("/" + path)
    except client.Closed:
        pass
    notes.wait("closed " + path)


def test_exception(corners):
    """A 500 page that tells nothing, a traceback in the log that tells all, with the request's id."""
    r = corners.get("/raises")
    assert r.status == 500 and "raised on purpose" not in r.text
    line = corners.wait_message(message="LookupError: raised on purpose")
    assert r["X-Request-ID"] in line.values()


def test_exit_in_the_application(corners):
    """sys.exit() in a request ends that worker, not the site."""
    before = corners.worker_pids()
    assert corners.get("/exits").status == 500
    until(lambda: len(now := corners.worker_pids()) == 2 and now != before, "another worker")
    assert corners.get("/late_start").status == 200


# ---- large things ----

def flat(site, work, most):
    """The edge's memory does not grow by more than `most` while work runs (peak, measured by the kernel)."""
    edge = site.edge_pid
    with open("/proc/%d/clear_refs" % edge, "w") as file:
        file.write("5")  # the high-water mark starts anew
    before = processes.memory(edge)
    work()
    grown = processes.memory(edge, "VmHWM") - before
    assert grown < most or SANITIZED, "the edge grew by %d bytes" % grown


def test_large_upload(quintet):
    """100 MB reach the application through a file; the edge's memory stays where it was."""
    site = quintet("plain.py", options=["--max-body-size", "101m"])
    size = 100 << 20
    block = bytes(range(256)) * 4096

    def upload():
        c = site.client()
        c.send(b"POST /digest HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // len(block)):
            c.send(block)
        sha = hashlib.sha256()
        for _ in range(size // len(block)):
            sha.update(block)
        assert c.response().text == "%d %s" % (size, sha.hexdigest())

    flat(site, upload, 8 << 20)


BIG_FILE = """
import os
def app(environ, start):
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return environ["wsgi.file_wrapper"](open(os.environ["BIG"], "rb"))
"""


def test_large_file_to_a_slow_client(quintet, tmp_path):
    """It leaves by descriptor: neither memory nor a worker is held while the client takes its time."""
    big = tmp_path / "big"
    with open(big, "wb") as file:
        file.truncate(100 << 20)
    site = quintet(BIG_FILE, "app:app", env={"BIG": str(big)}, options=["--workers", "1"])

    def download():
        c = site.client(receive_buffer=16384)
        c.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        head = c.head_of_response()
        assert head.status == 200
        other = site.client()
        assert other.request("HEAD", "/").status == 200, "the one worker is free meanwhile"
        assert site.status()["edge"]["generations"][0]["slots_used"] == 0
        left = 100 << 20
        if "Content-Length" in head:
            assert head["Content-Length"] == str(left)
        while left > 0:
            left -= len(c.read(min(left, 1 << 20)))

    flat(site, download, 8 << 20)


def test_slow_client_does_not_hold_the_worker(quintet):
    """An answer made in memory is taken off the worker's hands however slowly the client reads."""
    site = quintet("plain.py", options=["--workers", "1"])
    c = site.client(receive_buffer=4096)
    c.send(b"GET /stream?n=200&size=50000 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert site.get("/hello").body == b"hello\n"
    assert len(c.response().body) == 10000000


def test_threads(quintet, tmp_path):
    """Two requests of one worker at once: each waits for the other."""
    site = quintet("plain.py", options=["--workers", "1", "--threads", "2"])
    a, b = tmp_path / "a", tmp_path / "b"
    one, two = site.client(), site.client()
    one.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(a), bytes(b)))
    two.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(b), bytes(a)))
    assert one.response().body == two.response().body
