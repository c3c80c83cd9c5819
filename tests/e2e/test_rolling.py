"""--reload-strategy rolling: worker after worker, and back when one does not boot."""
import os
import signal
import threading

import pytest

from kit import processes
from kit.releases import release
from kit.visitors import Visitors
from kit.waiting import until

WORKERS = 3


def gated(folder, text):
    """A release whose boots each wait for a file: at the n-th (from 0) there is boot<n>, and go<n> is awaited."""
    return """
import os, time
for n in range(100):
    try:
        os.close(os.open(%r + '/boot%%d' %% n, os.O_CREAT | os.O_EXCL))
        break
    except FileExistsError:
        pass
while not os.path.exists(%r + '/go%%d' %% n):
    time.sleep(0.005)
""" % (str(folder), str(folder)) + release(text)


def failing(folder, good, back=True):
    """Boots `good` times as release two, then once not; then as release one, what the old plan found again would be, or (back false) never."""
    return """
import os
for n in range(100):
    try:
        os.close(os.open(%r + '/tried%%d' %% n, os.O_CREAT | os.O_EXCL))
        break
    except FileExistsError:
        pass
if n == %d or n > %d and not %r:
    raise RuntimeError('wrong release')
""" % (str(folder), good, good, back) + release("' + (b'one' if n > %d else b'two') + b'" % good)


@pytest.fixture
def site(quintet):
    def start(*options, text=release("one"), **more):
        words = ["--reload-strategy", "rolling", "--workers", WORKERS, *options]
        return quintet(text, "app:app", options=words, **more)
    return start


def workers(site):
    return [w for g in site.status()["generations"] for w in g["workers"]]


def releases(site):
    """What runs, by the processes' own titles."""
    return sorted(processes.title(p).partition("(generation ")[2].rstrip(")") for p in site.worker_pids())


def test_under_load(site):
    s = site()
    old, most = s.worker_pids(), []
    s.write("app.py", release("two"))
    answers = []
    with Visitors(s, 4, "/") as visitors:
        until(lambda: visitors.count > 20, "some visits")
        thread = threading.Thread(target=lambda: answers.append(s.command("reload")))
        thread.start()
        while thread.is_alive():
            most.append(len([w for w in workers(s) if w["pid"]]) + len([w for w in workers(s) if "successor" in w]))
        thread.join()
        seen = visitors.count
        assert s.get().body == b"two"
        until(lambda: visitors.count > seen + 20, "more visits")
    assert answers[0].returncode == 0, answers[0].stderr
    assert "worker 2 of 3 is replaced" in answers[0].stdout and "generation 2" in answers[0].stdout
    assert not visitors.failures, visitors.failures[:5]
    assert visitors.bodies == {b"one", b"two"}
    assert max(most) <= WORKERS + 1
    assert releases(s) == ["2"] * WORKERS and not [p for p in old if processes.alive(p)]
    assert [g["generation"] for g in s.status()["generations"]] == [2]
    assert not s.messages(message="worker died")


@pytest.mark.parametrize("good", [0, 1, 2])
def test_failure_goes_back(site, tmp_path, good):
    s = site()
    s.expected += ["reload failed"]
    s.write("app.py", failing(tmp_path, good))
    answers = []
    with Visitors(s, 4, "/") as visitors:
        answers.append(s.command("reload"))
    assert answers[0].returncode == 1 and "RuntimeError: wrong release" in answers[0].stderr
    assert not visitors.failures, visitors.failures[:5]
    until(lambda: releases(s) == ["1"] * WORKERS, "the old generation's number")
    assert {s.get().body for _ in range(12)} == {b"one"}
    assert s.status()["reload"] == "idle"
    s.write("app.py", release("three"))
    assert s.command("reload").returncode == 0
    assert {s.get().body for _ in range(12)} == {b"three"}


def test_neither_the_new_nor_the_old_boots(site, tmp_path):
    """Nothing can be done but to say so; who serves goes on."""
    s = site()
    s.expected += ["reload failed"]
    s.write("app.py", failing(tmp_path, 1, back=False))
    done = s.command("reload")
    assert done.returncode == 1
    assert "wrong release" in done.stderr and "some workers run the new code" in done.stderr
    assert len(s.worker_pids()) == WORKERS and releases(s) == ["1", "1", "2"]
    assert {s.get().body for _ in range(12)} <= {b"one", b"two"}
    s.write("app.py", release("three"))
    assert s.command("reload").returncode == 0
    assert {s.get().body for _ in range(12)} == {b"three"}


def test_another_number_of_workers_needs_all_beside(site):
    s = site()
    s.write("app.py", release("two"))
    s.signal(signal.SIGTTIN)
    s.more_descriptors = 1  # its channel
    until(lambda: len(s.worker_pids()) == WORKERS + 1 and s.status()["reload"] == "idle", "one more")
    assert s.messages(message="the number of workers or threads changes: all new workers boot beside the old ones this time")
    assert s.get().body == b"two"


def test_the_edges_configuration_changes_with_the_last(quintet, tmp_path):
    s = quintet("plain.py", files={"quintet.yaml": "max_body_size: 10\nreload_strategy: rolling\n"})
    (tmp_path / "go0").touch()
    s.write("app.py", gated(tmp_path, "two") + "application = app\n")
    s.write("quintet.yaml", "max_body_size: 20\nreload_strategy: rolling\n")
    thread = threading.Thread(target=s.command, args=("reload",))
    thread.start()
    until((tmp_path / "boot1").exists, "the last to boot")
    assert s.request("POST", "/body", body=b"a" * 15).status == 413
    (tmp_path / "go1").touch()
    thread.join()
    assert s.request("POST", "/body", body=b"a" * 15).status == 200


def begin(s, tmp_path, text="two"):
    """A rolling reload that waits in the boot of the second worker."""
    (tmp_path / "go0").touch()
    s.write("app.py", gated(tmp_path, text))
    s.signal(signal.SIGHUP)
    until((tmp_path / "boot1").exists, "the second to boot")


def go_on(tmp_path):
    for n in range(1, 9):
        (tmp_path / ("go%d" % n)).touch()


def ended(s, number="2"):
    until(lambda: s.status()["reload"] == "idle" and releases(s) == [number] * WORKERS, "the end of the reload")


def test_every_kind_of_worker_dies_meanwhile(site, tmp_path):
    """One replaced already, one being replaced, its successor, one whose turn has not come."""
    s = site()
    begin(s, tmp_path)
    now = workers(s)
    assert "successor" in now[1]
    victims = [now[0]["pid"], now[1]["successor"]["pid"], now[1]["pid"], now[2]["pid"]]
    s.expected += ["reload failed"]
    for pid in (victims[0], victims[2], victims[3]):
        os.kill(pid, signal.SIGKILL)
    go_on(tmp_path)
    ended(s)
    assert {s.get().body for _ in range(12)} == {b"two"}


def test_the_successor_is_killed_while_it_boots(site, tmp_path):
    s = site()
    s.expected += ["reload failed"]
    begin(s, tmp_path)
    go_on(tmp_path)
    os.kill(workers(s)[1].get("successor", workers(s)[1])["pid"], signal.SIGKILL)
    until(lambda: s.status()["reload"] == "idle", "the end of the reload")
    assert len(set(releases(s))) == 1


def test_edge_dies_meanwhile(site, tmp_path):
    s = site()
    s.expected.append("edge died")
    begin(s, tmp_path)
    edge = s.edge_pid
    os.kill(edge, signal.SIGKILL)
    until(lambda: s.status()["edge"]["state"] == "up" and s.edge_pid != edge, "another edge")
    assert s.get().status == 200
    go_on(tmp_path)
    ended(s)
    assert {s.get().body for _ in range(12)} == {b"two"}


def test_given_up(site, tmp_path):
    """By `quintet rollback`: the boot under way ends, the one replaced already goes back."""
    s = site()
    s.expected += ["reload failed"]
    begin(s, tmp_path)
    s.write("app.py", release("one"))  # what the old plan finds again
    assert "goes back" in s.command("rollback").stdout
    until(lambda: s.status()["reload"] == "idle" and releases(s) == ["1"] * WORKERS, "the old generation's number")
    assert {s.get().body for _ in range(12)} == {b"one"}
    assert s.messages(text="given up: `quintet rollback`")


def test_the_successor_that_is_ready_is_given_up(site, tmp_path):
    """Its predecessor has been told to stop already, and comes back."""
    s = site()
    s.expected += ["reload failed"]
    at, go = tmp_path / "at", tmp_path / "go"
    c = s.client()
    c.send(b"GET /?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(go)))
    until(at.exists, "the request to run")
    s.write("app.py", release("two"))
    s.signal(signal.SIGHUP)
    until(lambda: any(w["state"] == "stopping" and w["successor"]["state"] == "up" for w in workers(s)), "its worker's turn")
    s.write("app.py", release("one"))
    assert s.command("rollback").returncode == 0
    assert s.get().status == 200
    go.touch()
    assert c.response().body == b"one"
    until(lambda: s.status()["reload"] == "idle" and releases(s) == ["1"] * WORKERS, "the old generation's number")
    assert {s.get().body for _ in range(12)} == {b"one"}


def test_stop_meanwhile(site, tmp_path):
    s = site()
    begin(s, tmp_path)
    s.signal(signal.SIGTERM)
    assert s.wait_exit() == 0


def test_running_request_is_finished(site, tmp_path):
    s = site()
    at, go = tmp_path / "at", tmp_path / "go"
    c = s.client()
    c.send(b"GET /?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(go)))
    until(at.exists, "the request to run")
    s.write("app.py", release("two"))
    s.signal(signal.SIGHUP)
    until(lambda: any(w["state"] == "stopping" for w in workers(s)), "its worker's turn")
    go.touch()
    assert c.response().body == b"one"
    ended(s)


def test_two_at_once(site):
    s = site()
    s.write("app.py", release("two"))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(s.command("reload"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.returncode for a in answers] == [0, 0, 0]
    assert len(set(releases(s))) == 1 and s.get().body == b"two"
