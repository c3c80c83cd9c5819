"""Slow and hostile clients, and shortage: what they get, what others notice of it, and what it costs."""
import hashlib
import os
import resource
import socket
import subprocess
import threading
import time

import pytest

from kit import processes
from kit.client import Client, connect
from kit.crowd import (MODES, SLOWHTTPTEST, Crowd, allow_descriptors, proportional_memory, slowhttptest,
                       wait_connections)
from kit.instance import SANITIZED
from kit.steady import Steady, steady_for
from kit.waiting import SLOW, until

HEAD = b"GET / HTTP/1.1\r\nHost: site.test\r\nX-"
BODY = b"POST /digest HTTP/1.1\r\nHost: site.test\r\nContent-Length: 100000\r\n\r\n"
MIB = 1 << 20


# ---- memory a connection ----

@pytest.mark.skipif(SANITIZED, reason="a sanitizer's allocator keeps more")
@pytest.mark.parametrize("n, first, each", [(5000, b"", 1024), (1000, HEAD, 16 << 10), (1000, BODY, 24 << 10)],
                         ids=["idle", "head", "body"])
def test_a_waiting_connection_costs_little(quintet, n, first, each):
    """The bounds of docs/internals/edge.md."""
    if not allow_descriptors(n + 500):
        pytest.skip("too few descriptors for the test itself")
    site = quintet("plain.py")
    assert site.get().status == 200
    before = proportional_memory(site.edge_pid)
    with Crowd(site.address(), n, first) as crowd:
        wait_connections(site, n)
        crowd.say(b"x" if first else b"")
        cost = (proportional_memory(site.edge_pid) - before) / n
        assert cost <= each, "%d bytes a connection" % cost
        print("%d bytes a connection" % cost)
        assert site.get().status == 200


# ---- limits ----

def test_idle_ones_make_room(quintet):
    site = quintet("plain.py", options=["--limit-connections", "20"])
    with Crowd(site.address(), 60), Steady(site.address()) as load:
        until(lambda: site.status()["edge"]["evicted"] >= 40, "the idle ones to go")
        time.sleep(0.5)
        figures = load.finish()
    assert not figures["failed"], figures
    site.expected.append("cannot accept connections")


def test_limit_of_an_address(quintet):
    site = quintet("plain.py", options=["--limit-connections-per-address", "5"])
    with Crowd(site.address(), 8) as crowd:
        until(lambda: crowd.closed() == 3, "three to be closed")
        assert site.status()["edge"]["crowded"] == 3
        assert len(site.messages(message="too many connections from one address", address="127.0.0.1")) == 1
    until(lambda: site.status()["edge"]["open"] == [0] * len(site.status()["edge"]["open"]), "all to be gone")
    assert site.get().status == 200


def test_few_descriptors(quintet):
    """256 for each process, and a thousand clients that want them."""
    site = quintet("plain.py", limits={resource.RLIMIT_NOFILE: 256}, files={"static/a.css": "body{}"},
                   options=["--static", "/static/=static"])
    site.expected.append("cannot accept connections")
    edge = site.edge_pid
    with Steady(site.address()) as load, Steady(site.address(), target="/static/a.css") as files:
        with Crowd(site.address(), 1000, HEAD).trickle(every=0.2):
            until(lambda: site.status()["edge"]["evicted"] >= 800, lambda: "the slow ones to go: %r" % site.status()["edge"], 30)
            assert len(processes.descriptors(edge)) <= 256
        figures = [load.finish(), files.finish()]
    assert not figures[0]["failed"] and not figures[1]["failed"], figures
    assert site.edge_pid == edge


# ---- no memory ----

@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs the address space")
def test_out_of_memory(quintet):
    """An address space that the workers just fit, and heads in flight that do not."""
    site = quintet("plain.py", limits={resource.RLIMIT_AS: 128 * MIB}, options=["--workers", "1"])
    site.expected.append("out of memory|cannot accept connections")
    site.memory_max = 160 * MIB
    edge = site.edge_pid
    with Crowd(site.address(), 3000, HEAD + b"A: " + b"a" * 12000 + b"\r\nB: " + b"b" * 12000 + b"\r\nC: ") as crowd:
        crowd.say(b"c" * 12000)
        until(lambda: site.status()["edge"]["shed"] > 0, lambda: "no memory: %r" % site.status()["edge"], 20)
        crowd.say(b"aaaa")
        until(lambda: site.try_status(), "an answer")
    until(lambda: sum(site.status()["edge"]["open"]) == 0, "all to be gone", 20)
    assert site.edge_pid == edge
    for _ in range(20):
        assert site.get().status == 200
    assert site.messages(message="out of memory: clients are refused")


# ---- slowhttptest ----

@pytest.mark.skipif(not SLOWHTTPTEST, reason="slowhttptest is not installed")
@pytest.mark.parametrize("mode", MODES)
def test_slowhttptest(quintet, mode):
    """A thousand slow clients in each of its modes: others are served. How fast is a matter for a quiet machine, in tests/faults."""
    site = quintet("plain.py", files={"static/big.bin": b"b" * (4 * MIB)}, options=["--static", "/static/=static"])
    host, port = site.address()
    target = "/static/big.bin" if mode in ("range", "read") else "/digest"
    quiet = steady_for(site.address(), 1.0)
    attack = slowhttptest("http://%s:%d%s" % (host, port, target), mode, 1000, 6)
    try:
        with Steady(site.address()) as load:
            attack.wait(60 * SLOW)
            beside = load.finish()
    finally:
        attack.kill()
        attack.wait()
    print(mode, quiet, beside, site.status()["edge"])
    assert not beside["failed"], beside
    assert beside["p99"] < 1.0 * SLOW, (quiet, beside)
