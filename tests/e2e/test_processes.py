"""What the supervisor promises when processes die, stop, or are asked to change."""
import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kit import client, processes
from kit.client import Client, Closed, connect
from kit.instance import BINARY, SANITIZED
from kit.visitors import Visitors
from kit.waiting import SLOW, holds_for, until


def gate(tmp_path, name):
    """(query of /gate, file that says it is there, file that lets it through)."""
    at, go = tmp_path / (name + ".at"), tmp_path / (name + ".go")
    return "at=%s&until=%s" % (at, go), at, go


# ---- deaths ----

def test_titles(quintet):
    site = quintet("plain.py")
    assert processes.title(site.pid).startswith("quintet: supervisor")
    assert processes.title(site.edge_pid) == "quintet: edge"
    assert [processes.title(p) for p in site.worker_pids()] == [
        "quintet: worker 1 (generation 1)", "quintet: worker 2 (generation 1)"]


def test_title_of_a_short_command_line(quintet):
    """Plain `quintet run` is shorter than the title it gets."""
    site = quintet("plain.py", start=False)
    words = [word for word in site.arguments if word not in ("run", "app:application")]
    words = [word for pair in zip(words[::2], words[1::2]) if pair[0] != "--chdir" for word in pair]
    for option, value in zip(words[::2], words[1::2]):
        site.env["QUINTET_" + option[2:].replace("-", "_").upper()] = value
    site.env["QUINTET_CHDIR"], site.env["QUINTET_APP"] = str(site.project), "app:application"
    site.env["PATH"] = "%s:%s" % (site.binary.parent, site.env["PATH"])
    site.binary, site.arguments = site.binary.name, ["run"]
    site.start()
    assert processes.title(site.pid) == "quintet: supervisor"


def test_killed_worker_is_replaced(quintet):
    site = quintet("plain.py")
    old = site.worker_pids()
    os.kill(old[0], signal.SIGKILL)
    until(lambda: len(set(site.worker_pids()) | set(old)) == 3 and len(site.worker_pids()) == 2, "another worker")
    for _ in range(10):
        assert site.get().status == 200


def test_safe_request_of_a_killed_worker_is_answered_by_another(quintet, tmp_path):
    site = quintet("plain.py")
    r = site.get("/die_once?at=%s" % (tmp_path / "died"))
    assert (r.status, r.body) == (200, b"alive\n")
    assert site.status()["edge"]["replayed"] == 1


def test_safe_request_is_replayed_only_once(quintet):
    """A request that kills whoever takes it does not go through all of them."""
    site = quintet("plain.py", options=["--workers", "4"])
    site.expected.append("poison request")
    assert site.get("/die").status == 502
    until(lambda: len(site.worker_pids()) == 4, "four workers")
    assert len(site.messages(message="worker died")) == 2


def test_unsafe_request_of_a_killed_worker_is_a_502(quintet, tmp_path):
    site = quintet("plain.py")
    r = site.request("POST", "/die_once?at=%s" % (tmp_path / "died"), body=b"once")
    assert r.status == 502 and r["X-Request-ID"] in r.text
    assert site.status()["edge"]["replayed"] == 0
    assert site.request("POST", "/body", body=b"next").body == b"next"


def test_answer_that_had_begun_breaks_off(quintet, tmp_path):
    site = quintet("plain.py")
    query, at, _ = gate(tmp_path, "a")
    c = site.client()
    c.send(b"GET /stream_gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
    until(at.exists, "the worker")
    os.kill(int(at.read_text()), signal.SIGKILL)
    with pytest.raises(Closed):
        c.response()


def test_killed_edge_is_replaced(quintet, tmp_path):
    """The sockets stay bound, nothing hangs, and what the workers were doing does not trouble the new one."""
    site = quintet("plain.py")
    site.expected.append("edge died")
    query, at, go = gate(tmp_path, "a")
    busy = site.client()
    busy.send(b"GET /gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
    until(at.exists, "the worker")
    workers, edge, address = site.worker_pids(), site.edge_pid, site.address("http")
    os.kill(edge, signal.SIGKILL)
    start = time.monotonic()
    visitor = Client(connect(address))  # known before: to ask for it would wait for the dead edge's part of the status
    assert visitor.get("/hello").status == 200
    assert time.monotonic() - start < SLOW  # a second is the promise
    visitor.close()
    with pytest.raises(Closed):
        busy.response()
    go.touch()
    for _ in range(20):
        assert site.get("/hello").status == 200
    assert site.worker_pids() == workers


@pytest.mark.parametrize("options", ["edge_threads: 3\n", "tls_bind: 127.0.0.1:0\ncertfile: {0.cert}\nkeyfile: {0.key}\n"], ids=["threads", "tls"])
def test_the_next_edge_has_the_lanes_of_the_pools(quintet, pair, options):
    """What is fixed at the start has changed in the file meanwhile: the workers are taken over all the same."""
    site = quintet("plain.py", files={"quintet.yaml": "max_body_size: 10\n"})
    site.expected.append("edge died")
    site.write("quintet.yaml", options.format(pair))
    assert site.command("reload").returncode == 0
    workers, address = site.worker_pids(), site.address("http")
    os.kill(site.edge_pid, signal.SIGKILL)
    for _ in range(5):
        visitor = Client(connect(address))
        assert visitor.get("/hello").status == 200
        visitor.close()
    assert site.worker_pids() == workers


def test_nobody_waits_for_the_word_of_a_dead_edge(quintet):
    """Asked while it hangs, then it dies: the answer comes without its part, before the second that a living one is given."""
    site = quintet("plain.py")
    site.expected.append("edge died")
    edge = site.edge_pid
    os.kill(edge, signal.SIGSTOP)
    start = time.monotonic()
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(site.status)
        os.kill(edge, signal.SIGKILL)
        assert answer.result()["state"] == "running"
    assert time.monotonic() - start < 0.9 * SLOW
    until(lambda: site.status()["edge"]["state"] == "up", "another edge")


def test_stopped_worker_is_replaced(quintet):
    """SIGSTOP for longer than a request may take: its place is given to another; one that is continued in time keeps it."""
    site = quintet("plain.py", options=["--workers", "2", "--timeout", "2s"])
    site.expected.append("stopped by a signal")
    stays, goes = site.worker_pids()
    for pid in (stays, goes):
        os.kill(pid, signal.SIGSTOP)
    site.wait_message(message="a process was stopped by a signal", pid=goes)
    os.kill(stays, signal.SIGCONT)
    until(lambda: site.workers_without(2, goes), "another worker")
    assert stays in site.worker_pids()
    assert site.get("/hello").status == 200


def test_young_worker_is_replaced_at_once(quintet):
    """However often: the pause is for boots that fail."""
    site = quintet("plain.py", options=["--workers", "1"])
    for _ in range(4):
        old = site.worker_pids()
        os.kill(old[0], signal.SIGKILL)
        until(lambda: [w for w in site.status()["generations"][0]["workers"] if w["pid"] not in (0, *old)], "another")
        until(site.worker_pids, "it to be ready")
    assert not site.messages(message=re.compile("paused|failed to boot"))


def test_every_process_killed_again_and_again(quintet):
    """Somebody dies all the time; the site goes on, and at the end everything is as at the beginning."""
    site = quintet("plain.py")
    site.expected.append("edge died")
    with Visitors(site, 2) as visitors:
        for turn in range(6):
            victims = [site.edge_pid] if turn % 3 == 2 else site.worker_pids()[:1]
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            until(lambda: len(site.worker_pids()) == 2 and site.status()["edge"]["state"] == "up"
                  and not set(victims) & {site.edge_pid, *site.worker_pids()}, "everybody to be back", 20)
    assert site.get().status == 200 and visitors.count > 0


def test_supervisor_killed_takes_all_with_it(quintet):
    site = quintet("plain.py")
    site.signal(signal.SIGKILL)
    site.exit_code = -signal.SIGKILL
    site.wait_exit()
    site.ask_no_process()
    site.control.unlink()


# ---- time ----

def test_queue_timeout(quintet, tmp_path):
    site = quintet("plain.py", options=["--workers", "1", "--queue-timeout", "300ms"])
    held = []
    for name in ("a", "b"):  # a second slot may be handed over ahead
        query, at, go = gate(tmp_path, name)
        c = site.client()
        c.send(b"GET /gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
        held.append((c, go))
        if name == "a":
            until(at.exists, "the worker to be busy")
    r = site.get("/hello")
    assert r.status == 503 and int(r["Retry-After"]) >= 1
    assert held[1][0].response().status == 503
    held[0][1].touch()
    assert held[0][0].response().status == 200


def test_full_queue(quintet, tmp_path):
    site = quintet("plain.py", options=["--workers", "1", "--queue-size", "2"])
    query, at, go = gate(tmp_path, "a")
    clients = []
    for _ in range(12):
        c = site.client()
        c.send(b"GET /gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
        clients.append(c)
    until(lambda: site.status()["edge"]["refused"] > 0, "the queue to be full")
    refused = site.status()["edge"]["refused"]
    go.touch()
    statuses = [c.response().status for c in clients]
    assert statuses.count(503) == refused and statuses.count(200) == 12 - refused
    assert all(c.get("/hello").status == 200 for c in clients)


def test_request_whose_client_left_never_runs(quintet, tmp_path):
    site = quintet("plain.py", options=["--workers", "1"])
    query, at, go = gate(tmp_path, "a")
    busy = site.client()
    busy.send(b"GET /gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
    until(at.exists, "the worker")
    for _ in range(5):
        c = site.client()
        c.send(b"GET /say?text=never HTTP/1.1\r\nHost: a\r\n\r\n")
        c.close()
    site.wait_access(5, status=499)
    go.touch()
    assert busy.response().status == 200 and site.get().status == 200
    assert not site.messages(message=re.compile("never"))


def test_timeout(quintet, tmp_path):
    """504 for the client, the stuck worker is replaced, the log says which request it was."""
    site = quintet("plain.py", options=["--timeout", "500ms", "--workers", "2"])
    site.expected.append("timeout")
    query, at, _ = gate(tmp_path, "stuck")
    r = site.get("/gate?" + query)
    assert r.status == 504
    stuck = int(at.read_text())
    until(lambda: not processes.alive(stuck) and len(site.worker_pids()) == 2, "the stuck worker to be replaced")
    line = site.wait_message(message=re.compile("timeout"))
    assert r["X-Request-ID"] in str(line) and "/gate" in str(line)
    assert site.get().status == 200


def test_timeout_before_an_answer_that_had_begun(quintet, tmp_path):
    site = quintet("plain.py", options=["--timeout", "500ms"])
    site.expected.append("timeout")
    query, at, _ = gate(tmp_path, "stuck")
    c = site.client()
    with pytest.raises(Closed):
        c.get("/stream_gate?" + query)
    assert site.get().status == 200


# ---- stopping ----

def test_term_drains(quintet, tmp_path):
    """What is under way is finished, new connections are refused, then it ends with 0."""
    site = quintet("plain.py")
    query, at, go = gate(tmp_path, "a")
    address = site.address()
    c, idle = site.client(), site.client()
    assert idle.get().status == 200
    c.send(b"GET /gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
    until(at.exists, "the worker")
    site.signal(signal.SIGTERM)
    idle.nothing_more()

    def refused():
        try:
            client.connect(address).close()
        except ConnectionRefusedError:
            return True
        return False

    until(refused, "the listeners to close")
    holds_for(lambda: site.process.poll() is None, "it must wait for the request")
    go.touch()
    r = c.response()
    assert r.status == 200 and r["Connection"] == "close"
    assert site.wait_exit() == 0


def test_term_waits_only_so_long(quintet, tmp_path):
    site = quintet("plain.py", options=["--graceful-timeout", "300ms"])
    query, at, _ = gate(tmp_path, "a")
    c = site.client()
    c.send(b"GET /gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
    until(at.exists, "the worker")
    site.signal(signal.SIGTERM)
    assert site.wait_exit(10) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_int_stops_at_once(quintet, tmp_path, number):
    site = quintet("plain.py")
    query, at, _ = gate(tmp_path, "a")
    c = site.client()
    c.send(b"GET /gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
    until(at.exists, "the worker")
    start = time.monotonic()
    site.signal(number)
    assert site.wait_exit() == 0
    assert time.monotonic() - start < 3 * SLOW


def test_second_term_stops_at_once(quintet, tmp_path):
    site = quintet("plain.py")
    query, at, _ = gate(tmp_path, "a")
    c = site.client()
    c.send(b"GET /gate?%s HTTP/1.1\r\nHost: a\r\n\r\n" % query.encode())
    until(at.exists, "the worker")
    site.signal(signal.SIGTERM)
    until(lambda: (site.try_status() or {}).get("state") == "draining", "the drain")
    site.signal(signal.SIGTERM)
    assert site.wait_exit(5) == 0


def test_nothing_fails_while_it_stops(quintet):
    """Requests that were accepted are answered; only the refused connection tells a client that it is over."""
    site = quintet("plain.py")
    with Visitors(site, 4) as visitors:
        until(lambda: visitors.count > 50, "some visits")
        site.signal(signal.SIGTERM)
        assert site.wait_exit() == 0
    bad = [f for f in visitors.failures if "ConnectionRefused" not in f and "Closed('closed after b''" not in f
           and "Closed(\"closed after b''" not in f and "BrokenPipe" not in f and "ConnectionReset" not in f]
    assert not bad, bad[:5]


FIRST_PROCESS = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


needs_namespace = pytest.mark.skipif(os.geteuid() != 0 or SANITIZED,
                                     reason="a PID namespace needs root, and its end is not what a leak check expects")


def start_as_first(site):
    with open(site.stdout, "ab") as out, open(site.stderr, "ab") as err:
        site.process = subprocess.Popen([*FIRST_PROCESS, str(BINARY), *site.arguments], stdout=out, stderr=err,
                                        stdin=subprocess.DEVNULL, env=site.env, start_new_session=True)
    until(lambda: (site.try_status() or {}).get("state") == "running", lambda: site.said())
    assert site.status()["pid"] == 1


@needs_namespace
def test_stop_from_outside_of_the_container(quintet):
    """It calls itself process 1; ours is another one, which never ends."""
    site = quintet("plain.py", start=False)
    start_as_first(site)
    assert site.command("stop").stdout == "stopped\n"
    assert site.wait_exit() == 0


@needs_namespace
def test_pid_one_reaps(quintet, tmp_path):
    """Orphans of the application are adopted and reaped; TERM stops all of it."""
    app = """
import os, subprocess
def app(environ, start):
    # A grandchild whose parent ends at once belongs to process 1.
    pid = subprocess.run(["sh", "-c", "sleep 0.01 & echo $!"], capture_output=True, text=True).stdout.strip()
    zombies = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                state = open("/proc/%s/stat" % name).read().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state == "Z":
                zombies.append(name)
    start("200 OK", [])
    return [("%s %s" % (os.getppid(), " ".join(zombies))).encode()]
"""
    site = quintet(app, "app:app", start=False)
    start_as_first(site)
    for _ in range(5):
        assert site.get().text.split()[0] == "1"
    until(lambda: len(site.get().text.split()) == 1, "no zombie to be left")
    first = next(iter(processes.descendants(site.pid)))
    os.kill(first, signal.SIGTERM)
    assert site.wait_exit() == 0
