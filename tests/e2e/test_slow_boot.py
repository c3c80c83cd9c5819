"""What clients meet while the application boots for the first time."""
import os
import signal

import pytest

from kit.waiting import until

APP = '''
import os, time
while not os.path.exists("go"):
    time.sleep(0.01)
if os.path.getsize("go"):
    raise RuntimeError("it cannot boot")

def application(environ, start):
    start("200 OK", [])
    return [b"hello"]
'''


@pytest.fixture
def booting(quintet):
    site = quintet(APP, files={"static/a.txt": "a"}, start=False,
                   options=["--static", "/static/=static", "--queue-timeout", "500ms", "--health-path", "/up", "--shutdown-delay", "0"])
    site.start(wait=False)
    until(lambda: site.try_status() and site.try_status()["addresses"], "it to listen", 20)
    yield site


def go(site):
    site.write("go", "")
    site.wait_ready()


def opened(site):
    return site.wait_message(message="the application takes long to boot: files are served, its requests wait")


def test_a_short_boot_costs_nobody_an_error(booting):
    c = booting.client()
    c.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    go(booting)
    assert c.response().body == b"hello" and not booting.messages(message="the application takes long to boot")


def test_a_long_boot(booting):
    waiting = booting.client()
    waiting.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
    opened(booting)
    assert booting.get("/static/a.txt").body == b"a", "files need no application"
    r = waiting.response()
    assert r.status == 503 and int(r["Retry-After"]) >= 1 and "the application is starting" in r.text and r["Cache-Control"] == "no-store"
    assert booting.get("/up").status == 503, "nobody sends visitors here yet"
    go(booting)
    until(lambda: booting.get("/up").status == 200, "health")
    assert booting.get("/").body == b"hello"


def test_who_waits_when_the_boot_ends_is_served(quintet):
    site = quintet(APP, start=False, options=["--queue-timeout", "60s"])
    site.start(wait=False)
    opened(site)
    c = site.client()
    c.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: site.status()["edge"].get("queued") == 1, "the request to wait")
    go(site)
    assert c.response().body == b"hello"


def test_a_boot_that_fails_ends_it_all_the_same(booting):
    booting.expected += ["failed to boot", "it cannot boot"]
    opened(booting)
    booting.write("go", "fail")
    booting.exit_code = 3
    assert booting.wait_exit() == 3


def test_the_edge_dies_meanwhile(booting):
    booting.expected.append("the edge died")
    opened(booting)
    assert booting.get("/static/a.txt").status == 200
    os.kill(booting.edge_pid, signal.SIGKILL)
    until(lambda: booting.get("/static/a.txt").status == 200, "the next edge to serve files")
    go(booting)
    assert booting.get("/").body == b"hello"


def test_a_stop_meanwhile(booting):
    opened(booting)
    booting.process.send_signal(signal.SIGTERM)
    assert booting.wait_exit() == 0


# ---- one worker is ready, the others are not ----

ONE_FIRST = '''
import os, time
try:
    os.close(os.open("first", os.O_CREAT | os.O_EXCL))
except FileExistsError:
    open("waits", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.01)
    if os.path.getsize("go"):
        raise RuntimeError("it cannot boot")

def application(environ, start):
    if environ["PATH_INFO"] == "/slow":
        open("running", "w").close()
        while not os.path.exists("enough"):
            time.sleep(0.01)
    start("200 OK", [])
    return [b"%d" % os.getpid()]
'''


@pytest.fixture
def half(quintet):
    """Two workers, of which one is ready and the other waits for go()."""
    site = quintet(ONE_FIRST, start=False, options=["--workers", "2", "--shutdown-delay", "0"])
    site.start(wait=False)
    site.wait_message(message="worker is ready")
    until(lambda: (site.project / "waits").exists(), "the other to come to its wait")
    yield site


def released(site):
    return [g["generation"] for g in site.status()["generations"] if g["state"] == "serving"]


def test_the_first_ready_worker_serves(half):
    assert [half.get("/").body for _ in range(3)] == [half.get("/").body] * 3
    assert half.status()["state"] == "starting" and not half.messages(message="serving")
    go(half)
    assert len(half.worker_pids()) == 2 and len(half.messages(message="serving")) == 1


def test_a_reload_meanwhile_waits_for_the_others(half):
    half.process.send_signal(signal.SIGHUP)
    half.wait_message(message="reload")
    assert half.get("/").status == 200 and released(half) == [1]
    go(half)
    half.wait_message(message="reload done")
    assert released(half) == [2] and half.get("/").status == 200


def test_another_that_cannot_boot_ends_it_all(half):
    half.expected += ["failed to boot", "it cannot boot"]
    assert half.get("/").status == 200
    half.write("go", "fail")
    half.exit_code = 3
    assert half.wait_exit() == 3


def test_the_ready_one_dies_meanwhile(half):
    half.expected.append("worker died")
    old = int(half.get("/").body)
    (half.project / "first").unlink()
    os.kill(old, signal.SIGKILL)
    assert int(half.get("/").body) != old and half.status()["state"] == "starting"
    go(half)
    assert half.get("/").status == 200


def test_the_edge_dies_while_one_is_ready(half):
    half.expected.append("the edge died")
    os.kill(half.edge_pid, signal.SIGKILL)
    until(lambda: half.get("/").status == 200, "the next edge to serve")
    go(half)
    assert half.get("/").status == 200


def test_a_stop_while_one_is_ready_finishes_what_runs(half):
    c = half.client()
    c.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: (half.project / "running").exists(), "the request to run")
    half.process.send_signal(signal.SIGTERM)
    half.wait_message(message="drain and stop")
    half.write("enough", "")
    assert c.response().status == 200
    assert half.wait_exit() == 0
