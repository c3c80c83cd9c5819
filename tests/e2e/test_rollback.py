"""The generation before a reload, kept booted for a while, and the way back to it."""
import os
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kit import processes
from kit.releases import release
from kit.visitors import Visitors
from kit.waiting import until


KEPT = 4  # descriptors of the edge for a kept generation: pool, its eventfd, and a channel to each of two workers


@pytest.fixture
def site(quintet):
    def start(*options, keep="60s", **more):
        made = quintet(release("one"), "app:app", options=["--keep-generation", keep, *options], **more)
        made.more_descriptors = KEPT
        return made
    return start


def reload(site, text):
    site.write("app.py", release(text))
    done = site.command("reload")
    assert done.returncode == 0, done.stderr
    return done.stdout


def generations(site):
    """{number: state}"""
    return {g["generation"]: g["state"] for g in site.status()["generations"]}


def pids(site, generation):
    return [w["pid"] for g in site.status()["generations"] if g["generation"] == generation for w in g["workers"]
            if w["state"] == "up"]


def test_there_and_back_under_load(site):
    s = site()
    with Visitors(s, 4, "/") as visitors:
        said = reload(s, "two")
        assert "kept for `quintet rollback`" in said
        assert s.get().body == b"two" and generations(s) == {1: "kept", 2: "serving"}
        assert 0 < s.status()["generations"][0]["kept_seconds"] <= 60
        assert re.search(r"generation 1: kept for [\d.]+s more", s.command("status").stdout)
        workers = pids(s, 1), pids(s, 2)
        for text, serving, kept in ((b"one", 1, 2), (b"two", 2, 1), (b"one", 1, 2)):
            done = s.command("rollback")
            assert done.returncode == 0, done.stderr
            assert "generation %d serves" % serving in done.stdout
            assert s.get().body == text and generations(s) == {serving: "serving", kept: "kept"}
        assert (pids(s, 1), pids(s, 2)) == workers, "nobody was started for it"
    assert not visitors.failures, visitors.failures[:5]
    assert visitors.bodies == {b"one", b"two"}


def test_nothing_is_kept_by_default(quintet):
    s = quintet(release("one"), "app:app")
    reload(s, "two")
    done = s.command("rollback")
    assert done.returncode == 1 and "--keep-generation" in done.stderr
    assert generations(s) == {2: "serving"} and s.get().body == b"two"


def test_before_any_reload(site):
    s = site()
    done = s.command("rollback")
    assert done.returncode == 1 and "--keep-generation" in done.stderr


def test_its_time_runs_out(site):
    s = site(keep="200ms")
    old = s.worker_pids()
    reload(s, "two")
    until(lambda: generations(s) == {2: "serving"}, "the end of the kept generation")
    assert not [p for p in old if processes.alive(p)]
    assert s.command("rollback").returncode == 1


def test_while_the_old_one_still_drains(site, tmp_path):
    """The moment in which people notice: the reload's own command has not even returned."""
    s = site()
    at, go = tmp_path / "at", tmp_path / "go"
    c = s.client()
    c.send(b"GET /?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(go)))
    until(at.exists, "the request to run")
    s.write("app.py", release("two"))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(s.command("reload")))
    thread.start()
    until(lambda: generations(s) == {1: "draining", 2: "serving"}, "the switch")
    assert s.command("rollback").returncode == 0
    thread.join()
    assert answers[0].returncode == 1 and "rolled back" in answers[0].stderr
    assert s.get().body == b"one" and generations(s) == {1: "serving", 2: "kept"}
    go.touch()
    assert c.response().body == b"one"


def test_a_reload_that_hangs_is_given_up(site):
    """What serves goes on, the kept one stays kept, and the next reload is not in anybody's way."""
    s = site()
    s.expected += ["reload failed"]
    reload(s, "two")
    s.write("app.py", "import time\ntime.sleep(1000)\n")
    with ThreadPoolExecutor() as pool:
        hung = pool.submit(s.command, "reload")
        until(lambda: generations(s).get(3) == "booting", "the next generation")
        done = s.command("rollback")
        assert done.returncode == 0 and "given up" in done.stdout
        assert hung.result().returncode == 1 and "given up" in hung.result().stderr
    assert s.get().body == b"two"
    until(lambda: generations(s) == {1: "kept", 2: "serving"}, "the end of the one that hung")
    reload(s, "three")
    assert generations(s) == {2: "kept", 4: "serving"}, "one is kept"


def test_the_configuration_comes_back_too(quintet):
    s = quintet("plain.py", files={"quintet.yaml": "max_body_size: 10\nkeep_generation: 60s\n"})
    s.write("quintet.yaml", "max_body_size: 20\nkeep_generation: 60s\n")
    assert s.command("reload").returncode == 0
    assert s.request("POST", "/body", body=b"a" * 15).status == 200
    assert s.command("rollback").returncode == 0
    assert s.request("POST", "/body", body=b"a" * 15).status == 413
    s.more_descriptors = KEPT


def test_stop_with_a_kept_generation(site):
    s = site()
    reload(s, "two")
    s.signal(signal.SIGTERM)
    assert s.wait_exit() == 0
    s.ask_no_process()


def test_edge_dies_while_one_is_kept(site):
    s = site()
    s.expected.append("edge died")
    reload(s, "two")
    edge = s.edge_pid
    os.kill(edge, signal.SIGKILL)
    until(lambda: s.status()["edge"]["state"] == "up" and s.edge_pid != edge, "another edge")
    assert generations(s) == {1: "kept", 2: "serving"} and s.get().body == b"two"
    assert s.command("rollback").returncode == 0
    assert s.get().body == b"one"
    edge = s.edge_pid
    os.kill(edge, signal.SIGKILL)
    until(lambda: s.status()["edge"]["state"] == "up" and s.edge_pid != edge, "another edge")
    assert {s.get().body for _ in range(4)} == {b"one"}
    assert s.command("rollback").returncode == 0
    assert {s.get().body for _ in range(4)} == {b"two"}


def test_worker_dies_while_kept(site):
    s = site()
    reload(s, "two")
    s.write("app.py", release("one"))  # what the old generation is, when it is imported again
    old = pids(s, 1)
    os.kill(old[0], signal.SIGKILL)
    until(lambda: len(pids(s, 1)) == 2 and old[0] not in pids(s, 1), "another worker")
    assert s.command("rollback").returncode == 0
    assert {s.get().body for _ in range(8)} == {b"one"}


def test_kept_generation_that_does_not_boot_any_more(site):
    s = site()
    s.expected.append("failed to boot")
    reload(s, "two")
    s.write("app.py", "raise RuntimeError('gone')\n")
    os.kill(pids(s, 1)[0], signal.SIGKILL)
    until(lambda: generations(s) == {2: "serving"}, "the kept one to be given up")
    assert s.messages(message="the previous generation does not boot any more: it is not kept")
    assert s.command("rollback").returncode == 1 and s.get().body == b"two"


def test_one_worker_more_while_one_is_kept(site):
    """The generation before is the one before, whatever made the next."""
    s = site()
    reload(s, "two")
    s.signal(signal.SIGTTIN)
    until(lambda: generations(s) == {2: "kept", 3: "serving"}, "three workers")
    assert s.command("rollback").returncode == 0
    assert len(s.worker_pids()) == 2 and s.get().body == b"two"
    s.more_descriptors = KEPT + 1


def test_failed_reload_leaves_the_kept_one(site):
    s = site()
    s.expected += ["reload", "boot"]
    reload(s, "two")
    s.write("app.py", "raise RuntimeError('wrong release')\n")
    assert s.command("reload").returncode == 1
    assert generations(s)[1] == "kept"
    assert s.command("rollback").returncode == 0 and s.get().body == b"one"


def test_the_next_reload_is_given_up_with_the_one_that_hangs(site):
    s = site()
    s.expected += ["reload failed"]
    s.write("app.py", "import time\ntime.sleep(1000)\n")
    with ThreadPoolExecutor() as pool:
        hung = pool.submit(s.command, "reload")
        until(lambda: generations(s).get(2) == "booting", "the next generation")
        queued = pool.submit(s.command, "reload")
        until(lambda: len(s.messages(message="reload")) == 2, "the one after it")
        assert s.command("rollback").returncode == 0
        assert hung.result().returncode == 1 and "given up" in hung.result().stderr
        assert queued.result().returncode == 1 and "a rollback came before its turn" in queued.result().stderr
    until(lambda: generations(s) == {1: "serving"}, "the end of the one that hung")
    assert s.status()["reload"] == "idle"
