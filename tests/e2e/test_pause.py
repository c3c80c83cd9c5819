"""Requests wait while somebody changes the database, and nobody is the worse for it."""
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from kit import control
from kit.client import Client, connect
from kit.instance import BINARY
from kit.visitors import Visitors
from kit.waiting import SLOW, holds_for, until


def begin(site, *words):
    """The command, not waited for."""
    return subprocess.Popen([str(BINARY), "pause", "--control", str(site.control), *words], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=site.env)


def gate(site, tmp_path, name):
    """A request that a worker has: (its client, the file that lets it go on)."""
    at, go = tmp_path / (name + ".at"), tmp_path / (name + ".go")
    c = site.client()
    c.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (str(at).encode(), str(go).encode()))
    until(at.exists, "the worker")
    return c, go


def ask(site, target="/hello"):
    c = site.client()
    c.send(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % target.encode())
    return c


def silent(c, seconds=0.3):
    c.sock.settimeout(seconds)
    try:
        return c.sock.recv(1) is None
    except TimeoutError:
        return True
    finally:
        c.sock.settimeout(20 * SLOW)


def queued(site, n):
    until(lambda: site.status()["edge"]["queued"] == n, "%d requests to wait" % n)


def test_waits_for_what_runs_then_holds_then_serves_in_order(quintet, tmp_path):
    site = quintet("plain.py", options=["--workers", "1", "--health-path", "/up", "--shutdown-delay", "0"])
    running, go = gate(site, tmp_path, "a")
    ready = ask(site, "/say?text=0")  # in a slot already, but no worker has seen it
    pause = begin(site)
    until(lambda: site.status()["paused"] > 0, "the pause")
    queued(site, 1)
    holds_for(lambda: pause.poll() is None, "something runs still")
    go.touch()
    assert running.response().status == 200
    out, err = pause.communicate(timeout=10)
    assert pause.returncode == 0 and out.startswith("paused: nothing runs") and not err
    waiting = [ready]
    for i in range(4):
        waiting.append(ask(site, "/say?text=%d" % (i + 1)))
        queued(site, 2 + i)
    assert all(silent(c, 0.05) for c in waiting)
    assert site.get("/up").status == 200
    assert "paused   goes on in" in site.command("status").stdout
    done = site.command("resume")
    assert (done.returncode, done.stdout) == (0, "resumed\n")
    assert [c.response().status for c in waiting] == [200] * 5
    until(lambda: len(site.messages(message=re.compile("^stdout "))) == 5, "what they said")
    assert [m["message"] for m in site.messages(message=re.compile("^stdout "))] == ["stdout %d" % i for i in range(5)]
    assert site.status()["paused"] == 0


def test_goes_on_by_itself_and_waiting_costs_no_deadline(quintet):
    site = quintet("plain.py", options=["--queue-timeout", "200ms"])
    assert site.command("pause", "--max", "1s").returncode == 0
    start = time.monotonic()
    assert site.get("/hello").status == 200
    assert 0.5 < time.monotonic() - start < 5 * SLOW
    done = site.command("resume")
    assert done.returncode == 1 and "was not paused" in done.stderr


def test_time_over_while_something_runs(quintet, tmp_path):
    site = quintet("plain.py")
    running, go = gate(site, tmp_path, "a")
    done = site.command("pause", "--max", "300ms")
    assert done.returncode == 1 and "still running" in done.stderr
    assert site.get("/hello").status == 200
    go.touch()
    assert running.response().status == 200


def test_second_pause_prolongs(quintet):
    site = quintet("plain.py")
    assert site.command("pause", "--max", "1s").returncode == 0
    assert site.command("pause", "--max", "30s").returncode == 0
    waiting = ask(site)
    assert silent(waiting, 1.5)
    assert site.command("resume").returncode == 0
    assert waiting.response().status == 200


def test_queue_size_bounds_a_pause(quintet):
    site = quintet("plain.py", options=["--queue-size", "3"])
    assert site.command("pause").returncode == 0
    waiting = []
    for i in range(3):
        waiting.append(ask(site))
        queued(site, 1 + i)
    r = site.get("/hello")
    assert r.status == 503 and 20 <= int(r["Retry-After"]) <= 31
    site.command("resume")
    assert [c.response().status for c in waiting] == [200] * 3


def test_client_that_leaves_during_a_pause(quintet):
    site = quintet("plain.py")
    assert site.command("pause").returncode == 0
    c = ask(site, "/say?text=never")
    queued(site, 1)
    c.close()
    queued(site, 0)
    site.command("resume")
    assert site.get("/hello").status == 200
    assert not [m for m in site.errors() if "never" in m.get("message", "")]


@pytest.mark.parametrize("bad", [["--max", "0"], ["--max", "2d"], ["--max", "soon"]])
def test_unfit_time(quintet, bad):
    site = quintet("plain.py")
    assert site.command("pause", *bad).returncode in (1, 2)
    assert site.status()["paused"] == 0 and site.get("/hello").status == 200


def test_new_edge_gets_the_rest(quintet):
    site = quintet("plain.py")
    site.expected.append("edge died")
    edge, address = site.edge_pid, site.address()
    assert site.command("pause", "--max", "60s").returncode == 0
    os.kill(edge, signal.SIGKILL)
    until(lambda: site.status()["edge"].get("generations") and site.edge_pid != edge, "the next edge")
    c = Client(connect(address))
    c.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    queued(site, 1)
    assert silent(c)
    assert site.command("resume").returncode == 0
    assert c.response().status == 200
    c.close()


def test_reload_during_a_pause(quintet):
    site = quintet("plain.py")
    assert site.command("pause").returncode == 0
    waiting = ask(site)
    queued(site, 1)
    assert site.command("reload").returncode == 0
    assert silent(waiting, 0.1)
    site.command("resume")
    assert waiting.response().status == 200


def test_stop_ends_a_pause(quintet):
    """What waits is served before it ends."""
    site = quintet("plain.py")
    assert site.command("pause").returncode == 0
    waiting = ask(site)
    queued(site, 1)
    site.signal(signal.SIGTERM)
    assert waiting.response().status == 200
    assert site.wait_exit() == 0


def test_nobody_fails_under_load(quintet):
    """Pauses and resumes while visitors never pause: they wait, and none fails."""
    site = quintet("plain.py")
    with Visitors(site, 6) as visitors:
        for _ in range(5):
            done = site.command("pause", "--max", "20s")
            assert done.returncode == 0, done.stderr
            assert not [g for g in site.status()["edge"]["generations"] if g["slots_used"]]
            # By the edge's own count: a visitor may be slow to read an answer that was sent before.
            count, handed = visitors.count, site.status()["edge"]["handed"]
            holds_for(lambda: site.status()["edge"]["handed"] == handed, "a request handed out during the pause", 0.1)
            assert site.command("resume").returncode == 0
            until(lambda: visitors.count > count + 20, "visits")
    assert not visitors.failures, visitors.failures[:3]


def test_two_who_ask(quintet, tmp_path):
    site = quintet("plain.py")
    running, go = gate(site, tmp_path, "a")
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(control.ask(site.control, "pause", max=20)[-1]))
               for _ in range(3)]
    for t in threads:
        t.start()
    until(lambda: site.status()["paused"] > 0, "the pause")
    go.touch()
    for t in threads:
        t.join()
    assert [a["ok"] for a in answers] == [True] * 3
    assert running.response().status == 200
    control.ask(site.control, "resume")
