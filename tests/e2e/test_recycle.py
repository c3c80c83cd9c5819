"""Workers that are replaced while they serve: the successor is ready first, one at a time, and nobody notices."""
import os
import re
import signal
import threading

import pytest

from kit import processes
from kit.visitors import Visitors
from kit.waiting import holds_for, until

# Grows by a MiB with each request, and is there for `gate` as plain.py is.
GROWING = """
import os, time
from urllib.parse import parse_qs

hoard = []

def app(environ, start):
    start('200 OK', [])
    query = parse_qs(environ['QUERY_STRING'])
    if 'grow' in query:
        hoard.append(b'x' * (int(query['grow'][0]) << 20))
    if 'at' in query:
        open(query['at'][0], 'w').close()
        while not os.path.exists(query['until'][0]):
            time.sleep(0.005)
    return [b'%d' % os.getpid()]
"""
LIMIT = 64  # MiB: an interpreter with this application needs a fraction of it


@pytest.fixture
def site(quintet):
    def start(*options, text=GROWING, **more):
        return quintet(text, "app:app", options=["--max-worker-memory", "%dm" % LIMIT, *options], **more)
    return start


def replaced(site):
    return site.messages(message="a worker is replaced")


def workers(site):
    return site.status()["generations"][-1]["workers"]


def at_rest(site):
    return not any("successor" in w for w in workers(site)) and all(w["state"] == "up" for w in workers(site))


@pytest.mark.parametrize("threads", [1, 4])
def test_memory_under_load(site, threads):
    s = site("--threads", threads)
    old = s.worker_pids()
    together = []
    with Visitors(s, 4, "/?grow=1") as visitors:
        def enough():
            together.append(sum("successor" in w for w in workers(s)))
            return len(replaced(s)) >= 3
        until(enough, "three replacements", 30)
    assert not visitors.failures, visitors.failures[:5]
    until(lambda: at_rest(s), "the last one to be ready")
    assert max(together) == 1, "never two at once"
    line = replaced(s)[0]
    assert line["requests"] >= LIMIT // 2
    assert line["pid"] in old and line["memory_mb"] > LIMIT and "--max-worker-memory is %d MiB" % LIMIT in line["why"]
    assert not [pid for pid in {l["pid"] for l in replaced(s)} if processes.alive(pid)]
    assert not s.messages(message="worker died")


def test_others_are_left_alone(site):
    s = site()
    big = int(s.get("/?grow=%d" % (LIMIT + 8)).body)
    until(lambda: s.workers_without(2, big), "a successor")
    until(lambda: at_rest(s), "rest")
    assert len(replaced(s)) == 1


def test_running_request_is_finished(site, tmp_path):
    """By the incumbent, however long after its successor is ready; the other worker serves meanwhile."""
    s = site("--workers", "1")
    at, go = tmp_path / "at", tmp_path / "go"
    c = s.client()
    c.send(b"GET /?grow=%d&at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (LIMIT + 8, bytes(at), bytes(go)))
    until(at.exists, "the request to run")
    pid = s.worker_pids()[0]
    ready = until(lambda: [w for w in workers(s) if w.get("successor", {}).get("state") == "up"], "a successor")[0]
    assert ready["pid"] == pid and ready["state"] == "stopping"
    go.touch()
    assert c.response().body == b"%d" % pid
    assert int(s.get().body) == ready["successor"]["pid"]
    until(lambda: s.worker_pids() == [ready["successor"]["pid"]], "the succession")
    assert workers(s)[0]["restarts"] == 1


def test_running_request_has_its_whole_time(site, tmp_path):
    """--graceful-timeout is for reloads and stops: nobody is in a hurry here."""
    s = site("--workers", "1", "--graceful-timeout", "100ms")
    at, go = tmp_path / "at", tmp_path / "go"
    c = s.client()
    c.send(b"GET /?grow=%d&at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (LIMIT + 8, bytes(at), bytes(go)))
    until(lambda: at.exists() and workers(s)[0]["state"] == "stopping", "the successor to be ready")
    holds_for(lambda: workers(s)[0]["state"] == "stopping", "it goes on", 0.5)
    go.touch()
    assert c.response().status == 200
    until(lambda: s.worker_pids() and at_rest(s), "the succession")


def slow_boots(tmp_path):
    """An application whose every boot but the first waits for a file."""
    booting, go = tmp_path / "booting", tmp_path / "boot"
    return booting, go, """
import os, time
if os.path.exists(%r):
    open(%r, 'w').close()
    while not os.path.exists(%r):
        time.sleep(0.005)
open(%r, 'w').close()
""" % (str(tmp_path / "first"), str(booting), str(go), str(tmp_path / "first")) + GROWING


def test_incumbent_dies_before_the_successor_is_ready(site, tmp_path):
    """Its request goes to the successor as soon as that has booted."""
    booting, go, text = slow_boots(tmp_path)
    s = site("--workers", "1", text=text)
    big = int(s.get("/?grow=%d" % (LIMIT + 8)).body)
    until(booting.exists, "the successor to boot")
    os.kill(big, signal.SIGKILL)
    until(lambda: workers(s)[0]["state"] == "booting" and "successor" not in workers(s)[0], "the succession")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(s.get().body))
    thread.start()
    go.touch()
    thread.join()
    assert answers == [b"%d" % s.worker_pids()[0]] and len(s.messages(message="worker is ready")) == 2


def test_edge_dies_while_a_successor_boots(site, tmp_path):
    booting, go, text = slow_boots(tmp_path)
    s = site("--workers", "1", text=text)
    s.expected.append("edge died")
    big = int(s.get("/?grow=%d" % (LIMIT + 8)).body)
    until(booting.exists, "the successor to boot")
    edge = s.edge_pid
    os.kill(edge, signal.SIGKILL)
    until(lambda: s.status()["edge"]["state"] == "up" and s.edge_pid != edge, "another edge")
    assert int(s.get().body) == big
    go.touch()
    until(lambda: big not in s.worker_pids() and s.worker_pids(), "the succession")
    assert int(s.get().body) == s.worker_pids()[0]


def test_edge_dies_while_an_incumbent_ends(site, tmp_path):
    s = site("--workers", "1")
    s.expected.append("edge died")
    at, go = tmp_path / "at", tmp_path / "go"
    c = s.client()
    c.send(b"GET /?grow=%d&at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (LIMIT + 8, bytes(at), bytes(go)))
    until(at.exists, "the request to run")
    until(lambda: workers(s)[0]["state"] == "stopping", "the successor to be ready")
    edge, successor = s.edge_pid, workers(s)[0]["successor"]["pid"]
    os.kill(edge, signal.SIGKILL)
    until(lambda: s.status()["edge"]["state"] == "up" and s.edge_pid != edge, "another edge")
    go.touch()
    assert int(s.get().body) == successor


def test_successor_that_does_not_boot(site, tmp_path):
    """The incumbent stays; with the mistake mended the next try succeeds."""
    s = site("--workers", "1")
    s.expected.append("failed to boot")
    s.write("app.py", "raise RuntimeError('wrong release')\n")
    big = int(s.get("/?grow=%d" % (LIMIT + 8)).body)
    s.wait_message(message=re.compile("failed to boot"), text=re.compile("wrong release"))
    until(lambda: len(s.messages(message=re.compile("failed to boot"))) >= 2, "another try")
    assert int(s.get().body) == big
    s.write("app.py", GROWING)
    until(lambda: s.worker_pids() and big not in s.worker_pids(), "the succession")
    assert s.get().status == 200


def test_limit_below_what_the_import_needs(site):
    """No loop of boots: three at once, then after longer and longer pauses, and the log says what to do."""
    s = site("--workers", "1", text=GROWING + "hoard.append(b'x' * (%d << 20))\n" % (LIMIT + 8))
    line = s.wait_message(message=re.compile("again and again.*raise --max-worker-memory"), seconds=30)
    assert line["level"] == "warning" and line["replaced_after_s"] == 1
    assert len(replaced(s)) == 3
    assert s.get().status == 200


def test_stop_while_a_successor_boots(site, tmp_path):
    booting, _, text = slow_boots(tmp_path)
    s = site("--workers", "1", text=text)
    s.get("/?grow=%d" % (LIMIT + 8))
    until(booting.exists, "the successor to boot")
    s.signal(signal.SIGTERM)
    assert s.wait_exit() == 0


def test_reload_while_a_successor_boots(site, tmp_path):
    booting, go, text = slow_boots(tmp_path)
    s = site("--workers", "1", text=text)
    s.get("/?grow=%d" % (LIMIT + 8))
    until(booting.exists, "the successor to boot")
    s.write("app.py", GROWING)
    assert s.command("reload").returncode == 0
    assert s.get().status == 200 and [g["generation"] for g in s.status()["generations"]] == [2]


def test_no_limit_no_replacement(site):
    s = site("--max-worker-memory", "0", "--workers", "1")
    s.get("/?grow=%d" % (LIMIT + 8))
    holds_for(lambda: not replaced(s), "nobody is replaced", 1.2)


def test_a_place_between_two_processes_is_filled_when_its_generation_is_kept(site, tmp_path):
    """The incumbent ends, as it was told for its successor's sake, while the successor, whom nobody wants any more, is not gone yet."""
    s = site("--workers", 2, "--keep-generation", "60s")
    s.expected += ["stopped by a signal", "did not end in time"]
    s.more_descriptors = 4
    clients, go = [], []
    for i, grow in enumerate((2 * LIMIT, 0)):
        at = tmp_path / ("at%d" % i)
        go.append(tmp_path / ("go%d" % i))
        clients.append(s.client())
        clients[i].send(b"GET /?grow=%d&at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (grow, bytes(at), bytes(go[i])))
        until(at.exists, "the request to run")
    successor = until(lambda: [w["successor"]["pid"] for w in workers(s) if w.get("successor", {}).get("state") == "up"], "a successor")[0]
    os.kill(successor, signal.SIGSTOP)
    s.signal(signal.SIGHUP)
    until(lambda: "draining" in [g["state"] for g in s.status()["generations"]], "the switch")
    go[0].touch()
    assert clients[0].response().status == 200
    until(lambda: "down" in [w["state"] for w in s.status()["generations"][0]["workers"]], "its end")
    go[1].touch()
    assert clients[1].response().status == 200

    def there():
        return [(g["state"], [w["state"] for w in g["workers"]]) for g in s.status()["generations"]] == [
            ("kept", ["up", "up"]), ("serving", ["up", "up"])]

    until(there, lambda: "the kept generation's worker\n" + s.said())
    assert s.command("rollback").returncode == 0


def test_who_has_served_enough_while_it_drained_asks_again(quintet, tmp_path):
    """Nobody listens to it then; after a rollback it serves on, but not for ever."""
    s = quintet(GROWING, "app:app", options=["--workers", 1, "--keep-generation", "60s", "--max-requests", 3])
    s.more_descriptors = 3
    at, go = tmp_path / "at", tmp_path / "go"
    old = [s.get().body, s.get().body][0]
    c = s.client()
    c.send(b"GET /?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(go)))
    until(at.exists, "the request to run")
    s.signal(signal.SIGHUP)
    until(lambda: "draining" in [g["state"] for g in s.status()["generations"]], "the switch")
    go.touch()
    assert c.response().body == old
    until(lambda: s.status()["reload"] == "idle", "the drain's end")
    assert s.command("rollback").returncode == 0
    assert s.get().body == old and not replaced(s)

    def another():
        return s.get().body != old

    until(another, lambda: "another worker\n" + s.said())
