"""The access log and the error log, and what an application prints."""
import json
import os
import re
import signal
import subprocess

import pytest

from kit.instance import BINARY
from kit.waiting import until


@pytest.fixture
def site(quintet):
    return quintet("plain.py")


def test_access_line_as_json(site):
    r = site.get("/hello?a=1", ("User-Agent", "tests"), ("Referer", "http://site.test/"))
    row = site.wait_access()[0]
    assert (row["method"], row["target"], row["status"], row["bytes"]) == ("GET", "/hello?a=1", 200, 6)
    assert (row["client"], row["protocol"], row["user_agent"], row["referer"]) == (
        "127.0.0.1", "HTTP/1.1", "tests", "http://site.test/")
    assert row["request_id"] == r["X-Request-ID"] and row["worker"] in (1, 2)
    assert 0 <= row["queue_time"] < 5 and 0 <= row["app_time"] <= row["duration"] < 20


def test_access_line_of_a_failure(site):
    """Who failed and how long it took is known then too."""
    site.expected.append("failed on purpose")
    assert site.get("/fail?text=x").status == 500
    row = site.wait_access()[0]
    assert row["status"] == 500 and row["worker"] in (1, 2) and 0 <= row["app_time"] <= row["duration"] < 20


COMBINED = re.compile(r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /hello HTTP/1\.1" 200 6 "-" "tests" ')


def test_access_line_as_text(quintet):
    """What log analysers know as the combined format comes first."""
    site = quintet("plain.py", options=["--log-format", "text"], start=False)
    site.ask_logs = lambda: None  # they are no JSON
    site.start()
    r = site.get("/hello", ("User-Agent", "tests"))
    line = until(lambda: site.access.exists() and site.access.read_text(), "the line")
    assert COMBINED.match(line) and r["X-Request-ID"] in line
    error_log = site.log.read_text()
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info supervisor: ", error_log)
    assert not re.search("alert|panic", error_log)


def test_nothing_can_be_forged(quintet):
    """Whatever a client or the application says stays one line and one value."""
    for style in ("json", "text"):
        site = quintet("plain.py", options=["--log-format", style], start=False)
        if style == "text":
            site.ask_logs = lambda: None
        site.start()
        agent = 'a" 200 1 "\\x" é\t{"status":1}'
        site.get("/say?text=" + "one%0A%7B%22level%22%3A%22alert%22%7D%0D%1b%5b31m%1eforged%1f", ("User-Agent", agent.encode().decode("latin-1")))
        site.get('/a"b\\c|d', ("Referer", 'x"y'))
        until(lambda: site.access.exists() and site.access.read_bytes().count(b"\n") == 2, "two lines")
        access, errors = site.access.read_bytes(), site.log.read_bytes()
        assert b"\x1b" not in access + errors and b"\x1e" not in errors and b"\r" not in errors
        if style == "json":
            rows = [json.loads(line) for line in access.splitlines()]
            assert rows[0]["user_agent"] == agent and rows[1]["target"] == '/a"b\\c|d'
            assert not [e for e in site.errors() if e["level"] == "alert"]
        else:
            assert all(line.count(b'"') == 6 for line in access.splitlines())
            for line in errors.splitlines():
                assert re.match(rb"\d{4}-\d\d-\d\dT[\d:.]+Z \w+ [\w ]+: ", line), line
        site.finish()


def test_what_the_application_prints(site):
    """Line by line, with its worker and the request it was printed for."""
    r = site.get("/say?text=hello")
    for text in ("stdout hello", "stderr hello", "errors hello", "logging hello"):
        line = site.wait_message(message=text)
        assert line["request_id"] == r.text and re.match("worker [12]", line["process"])


def test_very_much_output(site):
    """More than the pipe and every buffer hold; no line is torn, none is out of order, nobody waits for long."""
    assert site.get("/shout?n=20000").status == 200
    last = "line 19999 of many"
    until(lambda: site.messages(message=re.compile(last)), "the last line", 20)
    numbers = [int(m["message"].split()[1]) for m in site.messages(message=re.compile("of many"))]
    assert numbers == sorted(numbers)


def test_endless_line(quintet):
    site = quintet("def app(e, s):\n  s('200 OK', [])\n  print('x' * 1000000)\n  print('after')\n  return [b'ok']\n", "app:app")
    assert site.get().status == 200
    site.wait_message(message="after")


def test_output_at_import(quintet):
    site = quintet("import sys\nprint('at import')\nprint('to stderr', file=sys.stderr)\n"
                   "def app(e, s):\n  s('200 OK', [])\n  return [b'ok']\n", "app:app")
    assert "request_id" not in site.wait_message(message="at import")
    site.wait_message(message="to stderr")


def test_output_of_child_processes(quintet):
    site = quintet("import subprocess\ndef app(e, s):\n  subprocess.run(['echo', 'from a child'])\n"
                   "  s('200 OK', [])\n  return [b'ok']\n", "app:app")
    assert site.get().status == 200
    assert site.wait_message(message="from a child")["process"].startswith("worker")


@pytest.mark.parametrize("which", ["--access-log", "--log"])
def test_a_pipe_that_nobody_reads_does_not_block(quintet, which):
    """Lines are dropped and counted; serving goes on."""
    site = quintet("plain.py", options=[which, "-"], start=False)
    read_end, write_end = os.pipe()
    site.process = subprocess.Popen([str(BINARY), *site.arguments], stdin=subprocess.DEVNULL,
                                    stdout=write_end if which == "--access-log" else subprocess.DEVNULL,
                                    stderr=write_end if which == "--log" else subprocess.DEVNULL,
                                    env=site.env, cwd=site.run_folder, start_new_session=True)
    os.close(write_end)
    site.wait_ready()
    c = site.client()
    agent = "x" * 900
    for _ in range(40):
        c.send(b"GET /%s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (
            b"hello" if which == "--access-log" else b"shout?n=100", agent.encode()) * 50)
        assert all(c.response().status == 200 for _ in range(50))
    assert site.get().status == 200
    site.finish()
    os.close(read_end)


def test_full_disk_does_not_block(quintet):
    site = quintet("plain.py", options=["--access-log", "/dev/full", "--log", "/dev/full"])
    for _ in range(100):
        assert site.get("/say?text=lost").status == 200


def test_reopen(site):
    """USR1 after a rotation: no line is lost, the old files get no more."""
    first = site.get("/hello")["X-Request-ID"]
    site.wait_access(request_id=first)
    old = [path.with_name(path.name + ".1") for path in (site.access, site.log)]
    site.access.rename(old[0])
    site.log.rename(old[1])
    site.signal(signal.SIGUSR1)
    until(lambda: site.access.exists() and site.log.exists(), "new files")
    second = until(lambda: _lands(site), "a line in the new file")
    site.get("/say?text=reopened")
    site.wait_message(message="stdout reopened")
    text = old[0].read_text()
    assert first in text and second not in text and first not in site.access.read_text()
    assert "reopened" not in old[1].read_text()


def _lands(site):
    """The id of a request whose line is in the file named now (the edge reopens a moment after the supervisor)."""
    identity = site.get("/hello")["X-Request-ID"]
    rows = until(lambda: [p for p in (site.access, site.access.with_name("access.log.1")) if identity in p.read_text()], "the line")
    return identity if rows[0] == site.access else None


def test_off(quintet):
    site = quintet("plain.py", options=["--access-log", "off"])
    assert site.get().status == 200
    assert not (site.run_folder / "off").exists() and site.stdout.read_text() == ""


def test_level(quintet):
    site = quintet("plain.py", options=["--log-level", "error"])
    site.get("/say?text=hello")
    site.wait_message(message="stdout hello")
    assert not [e for e in site.errors() if not e["process"].startswith("worker") and e["level"] != "error"]


def test_every_answer_has_a_line(site):
    c = site.client()
    ids = {c.get("/hello")["X-Request-ID"] for _ in range(200)}
    ids |= {c.get("/fail?text=x")["X-Request-ID"]}
    bad = site.client()
    bad.send(b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n")
    ids |= {bad.response()["X-Request-ID"]}
    rows = site.wait_access(202)
    assert {r["request_id"] for r in rows} == ids and len(rows) == 202
