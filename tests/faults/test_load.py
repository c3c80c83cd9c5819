"""The load itself: it must see what goes wrong, or none of the other tests says anything.

A server in Python that speaks just enough HTTP and does one thing wrong at a time.
"""
import hashlib
import itertools
import socketserver
import threading
import time
from collections import Counter
from urllib.parse import parse_qs

import pytest

from rig import content, driver
from rig.background import BackgroundServer

MIX = [("page", "http", True), ("page", "http", False), ("upload", "http", True), ("row", "http", True), ("row", "http", False)]


class Bad(BackgroundServer):
    """fault: None, or what it does with every hundredth request (with one row for rows)."""

    def __init__(self, fault):
        super().__init__(Handler)
        self.fault, self.number, self.rows, self.lock, self.once = fault, itertools.count(1), Counter(), threading.Lock(), True

    def write(self, text):
        _, client, number = text.split()
        with self.lock:
            times = 1
            if self.once and int(number) == 5 and self.fault in ("row lost", "row doubled"):
                times, self.once = (0 if self.fault == "row lost" else 2), False
            self.rows[int(client), int(number)] += times
            self.rows += Counter()  # without zeros


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while self.one():
                pass
        except OSError:
            pass

    def one(self):
        line = self.rfile.readline().split()
        if not line:
            return False
        length = 0
        for field in iter(self.rfile.readline, b"\r\n"):
            if field.lower().startswith(b"content-length:"):
                length = int(field.split(b":")[1])
        body = self.rfile.read(length)
        target, _, query = line[1].decode().partition("?")
        if target == "/page":
            body = content.page(int(parse_qs(query)["n"][0]))
        elif target == "/upload":
            body = b"%d %s" % (len(body), hashlib.sha256(body).hexdigest().encode())
        else:
            self.server.write(body.decode())
        return self.answer(body, next(self.server.number) % 100 == 0 and self.server.fault)

    def answer(self, body, fault):
        status = b"502 Bad Gateway" if fault == "status" else b"200 OK"
        if fault == "dropped":
            return False
        if fault == "hung":
            time.sleep(10)
        if fault == "wrong":
            body = body[:-1] + b"?"
        space = b" " if fault == "not HTTP" else b""
        head = b"HTTP/1.1 %s\r\nDate%s: now\r\nContent-Length: %d\r\n\r\n" % (status, space, len(body))
        whole = head + body
        self.wfile.write(whole[:-1] if fault == "broken" else whole)
        return fault != "broken"


def loaded(fault, wanted=400, **more):
    """(report, rows) after so many answers of a server with this fault."""
    with Bad(fault) as server:
        with driver.Load({"http": server.server_address}, mix=MIX, think=0.001, **more) as load:
            driver.until(lambda: load.answered > wanted, "the load", 30)
        return load.report, server.rows


def test_nothing_is_seen_where_nothing_is_wrong():
    report, rows = loaded(None)
    driver.ask(report, rows)
    assert sum(report.answered.values()) > 400 and report.p99 > 0 and not report.reopened
    assert len(rows) == report.answered["row"]


@pytest.mark.parametrize("fault, seen", [
    ("dropped", "reset"), ("broken", "broken"), ("status", "status"), ("wrong", "wrong"), ("not HTTP", "wrong")])
def test_one_request_of_a_hundred(fault, seen):
    report, rows = loaded(fault)
    assert {f.what for f in report.failures} <= {seen, "reset"} and report.failures[0].what == seen
    assert 3 <= len(report.failures) <= 10
    with pytest.raises(AssertionError, match="requests failed"):
        driver.ask(report, rows)


def test_a_hung_connection():
    report, rows = loaded("hung", 200, limit=0.3)
    assert [f for f in report.failures if f.what == "hung"]


@pytest.mark.parametrize("fault, says", [("row lost", "not in the table"), ("row doubled", "written twice")])
def test_one_row(fault, says):
    report, rows = loaded(fault)
    assert not report.failures
    with pytest.raises(AssertionError, match=says):
        driver.ask(report, rows)


def test_nobody_listens():
    with Bad(None) as server:
        address = server.server_address
        with driver.Load({"http": address}, mix=MIX, think=0.001) as load:
            server.shutdown()
            server.server_close()
            driver.until(lambda: load.failed > 5, "failures", 20)
    assert "refused" in {f.what for f in load.report.failures}
