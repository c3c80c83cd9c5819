"""A worker that dies leaves a report: how, what its threads were doing, its last requests, its Python stack."""
import os
import re
import signal

import pytest

from kit import processes
from kit.instance import SANITIZED
from kit.waiting import until


# Else a sanitizer's own report of the crash, which is none of ours, would end up in the log.
NO_HANDLERS = ":".join("handle_%s=0" % s for s in ("segv", "abort", "sigfpe", "sigill", "sigbus"))


@pytest.fixture
def quintet(quintet):
    """The crashes are wanted ones."""
    def start(*arguments, options=(), **more):
        if SANITIZED:
            options = [*options, "--env", "ASAN_OPTIONS=%s:detect_leaks=0:%s" % (os.environ.get("ASAN_OPTIONS", ""), NO_HANDLERS)]
        return quintet(*arguments, options=options, **more)
    return start


def death(site, **wanted):
    return site.wait_message(message="worker died", **wanted)


@pytest.mark.parametrize("path, name", [("segfault", "SIGSEGV"), ("abort", "SIGABRT"), ("fpe", "SIGFPE")])
def test_crash_shows_the_python_stack(quintet, path, name):
    site = quintet("hang.py", options=["--workers", "1"])
    site.expected.append("worker died")
    assert site.get("/hello?before=1").status == 200
    r = site.request("POST", "/%s?a=b" % path, body=b"x")
    assert r.status == 502
    line = death(site)
    assert name in line["how"] and line["worker"] == 1 and line["peak_mb"] > 1
    text = line["text"]
    assert "POST /%s?a=b" % path in text and r["X-Request-ID"] in text and "in the application" in text
    assert "GET /hello?before=1" in text and ": 200 in " in text
    assert re.search(r'File ".*app.py", line \d+ in %s' % path, text)
    assert line["level"] == "error"


@pytest.mark.parametrize("path", ["segfault", "abort"])
def test_preloaded_worker(quintet, path):
    """It is forked, not started, and has a recorder of its own all the same."""
    site = quintet("hang.py", options=["--workers", "2", "--preload"])
    site.expected.append("worker died")
    for _ in range(4):
        assert site.get("/hello?before=1").status == 200
    assert site.request("POST", "/" + path, body=b"").status == 502
    text = death(site)["text"]
    assert "POST /" + path in text and "in %s\n" % path in text and "in the application" in text
    until(lambda: len(site.worker_pids()) == 2, "another worker")


def test_every_thread_is_told(quintet, tmp_path):
    site = quintet("hang.py", options=["--workers", "1", "--threads", "3"])
    site.expected.append("worker died")
    at, go = tmp_path / "at", tmp_path / "go"
    other = site.client()
    other.send(b"POST /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
               % (str(at).encode(), str(go).encode()))
    until(at.exists, "the other thread")
    assert site.request("POST", "/segfault", body=b"").status == 502
    assert other.response().status == 502
    text = death(site)["text"]
    assert "POST /segfault" in text and "POST /gate?at=" in text and "1 of 3 threads waiting" in text
    # The one that crashed comes first, and each stack says whose it is.
    assert text.index("in segfault") < text.index("in gate")
    assert re.search(r"Current thread 0x\w+ .*: thread \d, POST /segfault", text)


@pytest.mark.parametrize("path, how", [("kill", "killed by SIGKILL"), ("leave", "exit status 7")])
def test_death_without_a_stack(quintet, path, how):
    site = quintet("hang.py", options=["--workers", "1"])
    assert site.request("POST", "/" + path, body=b"").status == 502
    line = death(site)
    assert line["how"] == how and "POST /%s" % path in line["text"] and line["level"] == "warning"
    assert ("sent by another process" in line["text"]) == (path == "kill")


def test_killed_from_outside_while_idle(quintet):
    site = quintet("hang.py", options=["--workers", "1"])
    site.get("/hello")
    os.kill(site.worker_pids()[0], signal.SIGKILL)
    assert "1 of 1 threads waiting for a request" in death(site)["text"]


@pytest.mark.parametrize("threads", [1, 2])
def test_stack_overflow(quintet, tmp_path, threads):
    """The handler needs a stack of its own: also in threads other than the first."""
    site = quintet("hang.py", options=["--workers", "1", "--threads", str(threads)])
    site.expected.append("worker died")
    at = tmp_path / "at"
    if threads == 2:  # the first thread is woken first; a POST, or the next worker would have it
        site.client().send(b"POST /gate?at=%s&until=/never HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n" % str(at).encode())
        until(at.exists, "the first thread")
    site.request("POST", "/overflow", body=b"")
    text = death(site, how=re.compile("SIGSEGV"))["text"]
    assert "in overflow" in text and "Current thread" in text and "thread %d: POST /overflow" % threads in text


def test_faulthandler_turned_off_by_the_application(quintet):
    site = quintet("hang.py", options=["--workers", "1"])
    site.expected.append("worker died")
    site.request("POST", "/segfault_quietly", body=b"")
    assert "no Python stack" in death(site)["text"]


def test_the_applications_own_faulthandler_is_left_alone(quintet):
    """PYTHONFAULTHANDLER: it writes to standard error, which is the log."""
    site = quintet("hang.py", options=["--workers", "1"], env={"PYTHONFAULTHANDLER": "1"})
    site.expected.append("worker died")
    site.request("POST", "/segfault", body=b"")
    assert "no Python stack" in death(site)["text"]
    site.wait_message(message=re.compile("Fatal Python error: Segmentation fault"))


def test_forked_child_crashes_for_itself(quintet):
    """Its stack goes where it prints, and the worker's recorder does not hear of it."""
    site = quintet("hang.py", options=["--workers", "1"])
    pid = site.worker_pids()[0]
    assert site.get("/fork").text == str(int(signal.SIGSEGV)) or site.get("/fork").text == str(signal.SIGSEGV | 0x80)
    site.wait_message(message=re.compile("Fatal Python error"))
    assert site.worker_pids() == [pid] and not site.messages(message="worker died")


def test_no_descriptor_is_left_in_the_supervisor(quintet):
    site = quintet("hang.py", options=["--workers", "1"])
    site.expected.append("worker died")
    site.request("POST", "/leave", body=b"")
    until(lambda: site.messages(message="worker died") and len(site.worker_pids()) == 1, "another worker")
    level = len(processes.descriptors(site.pid)) + 1  # a status connection may be open when we look
    for n in range(2, 6):
        site.request("POST", "/leave", body=b"")
        until(lambda: len(site.messages(message="worker died")) == n and len(site.worker_pids()) == 1, "another worker", 30)
    until(lambda: len(processes.descriptors(site.pid)) <= level, lambda: "descriptors: %d %s" % (level, sorted(processes.descriptors(site.pid))))


def test_text_format(quintet):
    site = quintet("hang.py", options=["--workers", "1", "--log", "-", "--access-log", "off", "--log-format", "text"])
    site.request("POST", "/segfault?x=%1b[2J", body=b"")
    until(lambda: "in segfault" in site.stderr.read_text(), "the report")
    text = site.stderr.read_text()
    assert re.search(r"error supervisor: worker died worker=1 .*how=\"killed by SIGSEGV", text)
    assert re.search(r'^    thread 1: POST /segfault\?x=%1b\[2J, id \w+: in the application', text, re.M)
