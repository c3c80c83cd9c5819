"""A request that runs past --timeout: 504 for its client, an explanation in the log, the end of its worker, and no harm to anybody else."""
import os
import re
import signal
import time

import pytest

from kit import processes
from kit.client import Closed
from kit.waiting import SLOW, until

TIMEOUT = 0.5 * SLOW
STUCK = "a request ran past the timeout"


def start(quintet, *options, timeout=TIMEOUT, **more):
    site = quintet("hang.py", options=["--timeout", "%dms" % (timeout * 1000), *options], **more)
    site.expected.append(STUCK)
    return site


def send(site, target, method="GET"):
    c = site.client()
    c.send(b"%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" % (method.encode(), target.encode()))
    return c


def report(site, path):
    """The block in the log, which is written before the worker is killed."""
    line = site.wait_message(message=STUCK, request=re.compile(path), seconds=20)
    assert "killed" not in " ".join(l["message"] for l in site.errors()[:site.errors().index(line)])
    return line


def replaced(site, old, n):
    until(lambda: not processes.alive(old) and site.workers_without(n, old), "another worker", 20)


@pytest.mark.parametrize("path", ["in_sleep", "in_regex", "in_c_code", "in_loop", "in_lock"])
def test_stack_of_whatever_it_hangs_in(quintet, tmp_path, path):
    """Also in C code and with the interpreter's lock in its hand."""
    site = start(quintet, "--workers", "1")
    at = tmp_path / "at"
    assert site.get("/hello").status == 200
    r = site.request("POST", "/%s?at=%s" % (path, at), body=b"")
    assert r.status == 504
    line = report(site, path)
    assert line["request"] == "POST /%s?at=%s" % (path, at) and line["request_id"] == r["X-Request-ID"]
    assert line["age_ms"] >= TIMEOUT * 1000 and line["memory_mb"] > 1 and line["pid"] == int(at.read_text())
    assert re.search(r'File ".*app.py", line \d+ in %s' % path, line["text"]), line["text"]
    assert "in the application" in line["text"] and "GET /hello" in line["text"]
    replaced(site, line["pid"], 1)
    assert site.get("/hello").status == 200


@pytest.mark.parametrize("path", ["in_regex", "in_sleep"])
def test_preloaded_worker(quintet, path):
    site = start(quintet, "--workers", "2", "--preload")
    assert site.get("/" + path).status == 504
    line = report(site, path)
    assert "in %s" % path in line["text"] and "File " in line["text"]
    replaced(site, line["pid"], 2)


def test_no_peer_is_harmed(quintet, tmp_path):
    """Four threads, one hangs: another one's request is answered, and what comes later goes elsewhere."""
    site = start(quintet, "--workers", "1", "--threads", "4", timeout=2 * SLOW)
    at, go, stuck_at = tmp_path / "at", tmp_path / "go", tmp_path / "stuck"
    stuck = send(site, "/in_sleep?at=%s" % stuck_at)
    until(stuck_at.exists, "the request that will hang")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.2 * SLOW, "its time to be half over")
    peer = send(site, "/gate?at=%s&until=%s" % (at, go), "POST")
    until(at.exists, "the peer")
    assert stuck.response().status == 504
    line = report(site, "in_sleep")
    assert line["pid"] == int(stuck_at.read_text()) == int(at.read_text())
    assert line["text"].index("in in_sleep") < line["text"].index("in gate")
    later = send(site, "/pid", "POST")
    go.touch()
    assert peer.response().text == "through %d\n" % line["pid"]
    assert int(later.response().text) != line["pid"]
    replaced(site, line["pid"], 1)


def test_two_of_one_worker(quintet, tmp_path):
    """Each client has its 504 and each request its report."""
    site = start(quintet, "--workers", "1", "--threads", "2")
    one, two = send(site, "/in_sleep?at=%s" % (tmp_path / "1")), send(site, "/in_lock?at=%s" % (tmp_path / "2"), "POST")
    assert one.response().status == 504 and two.response().status == 504
    pids = {report(site, path)["pid"] for path in ("in_sleep", "in_lock")}
    assert len(pids) == 1
    replaced(site, pids.pop(), 1)


def test_client_that_left(quintet, tmp_path):
    """Nobody waits for the answer any more; the worker would be lost for ever."""
    site = start(quintet, "--workers", "1")
    at = tmp_path / "at"
    c = send(site, "/in_sleep?at=%s" % at)
    until(at.exists, "the worker")
    c.close()
    site.wait_access(1, status=499)
    line = report(site, "in_sleep")
    assert line["age_ms"] >= TIMEOUT * 1000 and line["request_id"]
    replaced(site, int(at.read_text()), 1)
    assert site.get("/hello").status == 200


def test_close_that_hangs(quintet, tmp_path):
    """The client has its answer, and the worker hangs all the same."""
    site = start(quintet, "--workers", "1")
    at = tmp_path / "at"
    assert site.get("/in_close?at=%s" % at).body == b"body\n"
    line = report(site, "in_close")
    assert "in close() of the response" in line["text"] and "in close" in line["text"]
    replaced(site, int(at.read_text()), 1)


def test_orphan_of_a_dead_edge(quintet, tmp_path):
    """The new edge knows nothing but that a slot is taken; the flight recorder knows the rest."""
    site = start(quintet, "--workers", "1", timeout=2 * SLOW)
    site.expected.append("edge died")
    at = tmp_path / "at"
    send(site, "/in_sleep?at=%s" % at)
    until(at.exists, "the worker")
    os.kill(site.edge_pid, signal.SIGKILL)
    line = report(site, "in_sleep")
    assert line["request"].startswith("GET /in_sleep") and len(line["request_id"]) > 10
    replaced(site, int(at.read_text()), 1)
    assert site.get("/hello").status == 200


def test_edge_that_dies_with_a_stuck_worker(quintet, tmp_path):
    """Nobody says any more that the worker is spent: it ends with its edge."""
    site = start(quintet, "--workers", "1", "--threads", "2", timeout=2 * SLOW)
    site.expected.append("edge died")
    at, peer_at = tmp_path / "at", tmp_path / "peer"
    c = send(site, "/in_sleep?at=%s" % at)
    until(at.exists, "the worker")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.2 * SLOW, "its time to be half over")
    send(site, "/gate?at=%s&until=%s" % (peer_at, tmp_path / "never"))
    until(peer_at.exists, "the peer")
    assert c.response().status == 504
    report(site, "in_sleep")
    os.kill(site.edge_pid, signal.SIGKILL)
    replaced(site, int(at.read_text()), 1)
    assert site.get("/hello").status == 200


@pytest.mark.parametrize("how", ["stopped", "masked"])
def test_no_signal_reaches_it(quintet, tmp_path, how):
    """What the kernel knows is better than nothing."""
    site = start(quintet, "--workers", "1")
    at = tmp_path / "at"
    path = "in_sleep" if how == "stopped" else "masked"
    c = send(site, "/%s?at=%s" % (path, at))
    until(at.exists, "the worker")
    if how == "stopped":
        os.kill(int(at.read_text()), signal.SIGSTOP)
    assert c.response().status == 504
    line = report(site, path)
    assert "no Python stack" in line["text"] and "GET /%s" % path in line["text"]
    state = r"T \(stopped\)" if how == "stopped" else r"S \(sleeping\)"
    assert re.search(r"thread %d \(.*\): %s" % (line["pid"], state), line["text"]), line["text"]
    replaced(site, line["pid"], 1)


def test_worker_that_comes_back(quintet, tmp_path):
    """Its sleep ends before anybody kills it: it simply ends."""
    site = start(quintet, "--workers", "1", "--threads", "2", timeout=2 * SLOW)
    at, peer_at, go = tmp_path / "at", tmp_path / "peer", tmp_path / "go"
    c = send(site, "/in_sleep?at=%s&s=%g" % (at, 2.3 * SLOW))
    until(at.exists, "the worker")
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 1.2 * SLOW, "its time to be half over")
    peer = send(site, "/gate?at=%s&until=%s" % (peer_at, go))
    until(peer_at.exists, "the peer")
    assert c.response().status == 504
    until(lambda: time.monotonic() - began > 2.5 * SLOW, "it to wake up")
    go.touch()
    assert peer.response().status == 200
    replaced(site, int(at.read_text()), 1)


def test_answer_that_had_begun(quintet, tmp_path):
    site = quintet("plain.py", options=["--timeout", "%dms" % (TIMEOUT * 1000)])
    site.expected.append(STUCK)
    c = site.client()
    with pytest.raises(Closed):
        c.get("/stream_gate?at=%s&until=%s" % (tmp_path / "at", tmp_path / "never"))
    assert "sending the response" in report(site, "stream_gate")["text"]


def test_text_format(quintet):
    site = start(quintet, "--workers", "1", "--log", "-", "--access-log", "off", "--log-format", "text")
    assert site.get("/in_loop").status == 504
    until(lambda: "in in_loop" in site.stderr.read_text(), "the report")
    text = site.stderr.read_text()
    assert re.search(r'error supervisor: a request ran past the timeout request="GET /in_loop" request_id=\w+ age_ms=\d+', text)
    assert re.search(r"^    Current thread 0x\w+ .*: thread 1, GET /in_loop$", text, re.M)


# ---- poison ----

def test_poison(quintet):
    """It has killed two workers: 502, never tried again, and a line that names it."""
    site = quintet("hang.py", options=["--workers", "3"])
    site.expected.append("poison")
    r = site.get("/kill?order=7")
    assert r.status == 502 and r["X-Request-ID"] in r.text
    line = site.wait_message(message=re.compile("poison request"))
    dead = [d["pid"] for d in until(lambda: len(site.messages(message="worker died")) == 2 and site.messages(message="worker died"), "two deaths")]
    assert line["level"] == "error" and line["method"] == "GET" and line["target"] == "/kill?order=7"
    assert line["request_id"] == r["X-Request-ID"] and [line["pid"], line["pid2"]] == dead
    until(lambda: len(site.worker_pids()) == 3, "three workers")


def test_one_death_is_no_poison(quintet, tmp_path):
    site = quintet("plain.py")
    assert site.get("/die_once?at=%s" % (tmp_path / "died")).status == 200
    assert site.request("POST", "/die", body=b"").status == 502
    site.wait_message(message="worker died")
    assert not site.messages(message=re.compile("poison"))
