"""New code without a lost request, and wrong code without any harm."""
import os
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kit import control, processes
from kit.instance import SANITIZED
from kit.visitors import Visitors
from kit.waiting import until


def release(text):
    return "def app(environ, start):\n    start('200 OK', [])\n    return [b'%s']\n" % text


@pytest.fixture
def site(quintet):
    return quintet(release("one"), "app:app")


def generation(site):
    return max(g["generation"] for g in site.status()["generations"])


@pytest.mark.parametrize("how", ["command", "HUP"])
def test_reload_under_load(site, how):
    """Nobody notices but by the new text; after the command returned nobody gets the old one."""
    old = site.worker_pids()
    with Visitors(site, 4, "/") as visitors:
        until(lambda: visitors.count > 50, "some visits")
        site.write("app.py", release("two"))
        if how == "command":
            done = site.command("reload")
            assert done.returncode == 0, done.stderr
        else:
            site.signal(signal.SIGHUP)
            until(lambda: generation(site) == 2 and site.status()["reload"] == "idle", "the reload")
        assert site.get().body == b"two"
        seen = visitors.count
        until(lambda: visitors.count > seen + 50, "more visits")
    assert not visitors.failures, visitors.failures[:5]
    assert visitors.bodies == {b"one", b"two"}
    assert not [pid for pid in old if processes.alive(pid)]
    assert [processes.title(p) for p in site.worker_pids()] == [
        "quintet: worker 1 (generation 2)", "quintet: worker 2 (generation 2)"]


def test_reload_shows_progress(quintet, tmp_path):
    site = quintet("plain.py")
    at, go = tmp_path / "at", tmp_path / "go"
    c = site.client()
    c.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(go)))
    until(at.exists, "the worker")
    said = []
    for answer in control.stream(site.control, "reload"):
        said.append(answer.get("progress") or answer.get("text"))
        if "1 request left" in said[-1]:
            go.touch()
    assert said[0] == "generation 2 boots with 2 workers"
    assert re.match(r"worker 1 of 2 is ready after \d+\.\d s", said[1]) and said[2].startswith("worker 2 of 2")
    assert re.match(r"generation 2 serves after \d+\.\d s; the one before drains", said[3])
    assert said[4] == "generation 1 drains: 1 request left"
    assert re.match(r"generation 2 serves, the one before is gone, after \d+\.\d s", said[-1])
    assert c.response().status == 200


@pytest.mark.parametrize("wrong, says", [
    ("import does_not_exist\n", "ModuleNotFoundError: No module named 'does_not_exist'"),
    ("def app(:\n", "SyntaxError"),
    ("raise RuntimeError('wrong release')\n", "RuntimeError: wrong release"),
    ("application = None\n", "app"),
    ("import os\nos._exit(7)\n", "exit status 7"),
    ("import os\nos.kill(os.getpid(), 9)\n", "SIGKILL"),
])
def test_failing_reload_keeps_the_old_code(site, wrong, says):
    site.expected += ["reload", "boot", "application"]
    old = site.worker_pids()
    with Visitors(site, 2, "/") as visitors:
        site.write("app.py", wrong)
        done = site.command("reload")
        assert done.returncode not in (0, 2), done
        assert says in done.stdout + done.stderr
        assert site.get().body == b"one"
    assert not visitors.failures, visitors.failures[:5]
    assert site.worker_pids() == old
    site.write("app.py", release("two"))
    assert site.command("reload").returncode == 0
    assert site.get().body == b"two"


def test_a_running_request_is_finished_by_the_old_code(quintet, tmp_path):
    site = quintet("plain.py")
    at, go = tmp_path / "at", tmp_path / "go"
    c = site.client()
    c.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(go)))
    until(at.exists, "the worker")
    done = []
    thread = threading.Thread(target=lambda: done.append(site.command("reload")))
    thread.start()
    until(lambda: any(g["state"] == "draining" for g in site.status()["generations"]), "the switch")
    assert site.get("/hello").status == 200 and not done, "the command waits for the old one"
    go.touch()
    assert c.response().text == "through %s\n" % at.read_text()
    thread.join()
    assert done[0].returncode == 0


def test_requests_that_wait_go_over_to_the_new_code(quintet, tmp_path):
    site = quintet("plain.py", options=["--workers", "1"])
    at, go = tmp_path / "at", tmp_path / "go"
    busy, waiting = site.client(), [site.client() for _ in range(6)]
    busy.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(go)))
    until(at.exists, "the worker")
    old = at.read_text()
    for c in waiting:
        c.send(b"GET /pid HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: site.status()["edge"]["connections"] >= 7, "the connections")
    site.signal(signal.SIGHUP)
    pids = {c.response().text for c in waiting}
    assert len(pids) == 1 and old not in pids
    go.touch()
    assert busy.response().status == 200
    until(lambda: site.status()["reload"] == "idle", "the end of the reload")


def test_reloads_one_after_another(site):
    """Memory and descriptors of the edge and the supervisor stay where they are."""
    for _ in range(3):
        assert site.command("reload").returncode == 0
    both = site.edge_pid, site.pid
    descriptors, memory = [len(processes.descriptors(p)) for p in both], [processes.memory(p) for p in both]
    for n in range(8):
        site.write("app.py", release("release %d" % n))
        assert site.command("reload").returncode == 0
        assert site.get().text == "release %d" % n
    until(lambda: all(len(processes.descriptors(p)) <= n for p, n in zip(both, descriptors)), 
          lambda: "descriptors to be as before: %r, now %r" % (descriptors, [processes.descriptors(p) for p in both]))
    for pid, before in zip(both, memory):
        assert processes.memory(pid) - before < 1 << 20 or SANITIZED


def test_each_of_three_at_once_gets_its_own_answer(site, tmp_path):
    """The first one's code does not boot; the two that come meanwhile share the round after it, with the code of that time."""
    site.expected += ["reload", "boot"]
    at, go = tmp_path / "at", tmp_path / "go"
    site.write("app.py", "import os, time\nopen(%r, 'w').close()\nwhile not os.path.exists(%r):\n    time.sleep(0.005)\n"
               "raise RuntimeError('the first')\n" % (str(at), str(go)))
    with ThreadPoolExecutor() as pool:
        first = pool.submit(site.command, "reload")
        until(at.exists, "the first to boot")
        site.write("app.py", release("two"))
        others = [pool.submit(site.command, "reload") for _ in range(2)]
        until(lambda: len(site.messages(message="reload")) == 3, "all to have asked")
        go.touch()
        assert first.result().returncode == 1 and "the first" in first.result().stderr
        for other in others:
            assert other.result().returncode == 0 and "generation 3 serves" in other.result().stdout
    assert site.get().body == b"two"


def test_reloads_that_fail_in_quick_succession(site, tmp_path):
    """Generations whose workers do not want to end never grow more than the edge has room for."""
    site.expected += ["reload failed"]
    most = []
    site.write("app.py", """
import os, signal
for n in range(1000):
    try:
        os.close(os.open(%r + '/boot%%d' %% n, os.O_CREAT | os.O_EXCL))
        break
    except FileExistsError:
        pass
if n %% 2:
    os.kill(os.getpid(), signal.SIGSTOP)  # takes the second that it is given to end
raise RuntimeError('wrong release')
""" % str(tmp_path))
    for _ in range(12):
        assert site.command("reload").returncode == 1
        most.append(len(site.status()["generations"]))
    assert 2 < max(most) <= 4 and site.get().body == b"one"


def test_edge_alone(quintet):
    """Configuration without a worker being touched, and the names of what that leaves out."""
    site = quintet("plain.py", files={"quintet.yaml": "max_body_size: 10\n"})
    workers = site.worker_pids()
    c = site.client()
    assert c.request("POST", "/body", body=b"a" * 10).status == 200
    site.write("quintet.yaml", "max_body_size: 20\nthreads: 2\nwarmup: [/hello]\n")
    done = site.command("reload", "--edge")
    assert done.returncode == 0 and "no worker was touched" in done.stdout
    assert "not applied, as they concern the workers: threads, warmup" in done.stdout
    assert c.request("POST", "/body", body=b"a" * 20).status == 200, "on the same connection"
    assert site.worker_pids() == workers and len(site.status()["generations"]) == 1
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: site.workers_without(2, workers[0]), "another worker")
    assert site.command("reload").returncode == 0
    assert site.status()["generations"][0]["threads"] == 2


def test_what_needs_a_start_is_named(quintet):
    """Who has changed an address and reloads is not left to think that it counts now."""
    site = quintet("plain.py", files={"quintet.yaml": "max_body_size: 10\n"})
    site.write("quintet.yaml", "max_body_size: 20\numask: 027\n")
    done = site.command("reload")
    assert done.returncode == 0 and "not applied before the next start: umask" in done.stdout, done.stdout
    done = site.command("reload")
    assert "not applied before the next start: umask" in done.stdout, "it is still not in force: " + done.stdout
    assert site.wait_message(message="changed options that take effect at the next start only")["options"] == "umask"


def test_words_that_would_be_ignored(quintet):
    """They are refused with 2, and nothing has happened."""
    site = quintet("plain.py")
    for words, said in [(["stop", "worker-1"], "takes options alone"), (["reload", "--workers", "8"], "not for `quintet reload`"),
                        (["reload", "--egde"], "did you mean --edge?"), (["pause", "--mx", "3s"], "did you mean --max?")]:
        done = site.command(*words)
        assert done.returncode == 2 and said in done.stderr, (words, done)
    assert site.status()["generations"][0]["generation"] == 1 and site.get("/hello").status == 200


def test_edge_alone_with_a_wrong_configuration(quintet):
    site = quintet("plain.py", files={"quintet.yaml": "max_body_size: 10\n"})
    site.expected.append("configuration|max_body")
    site.write("quintet.yaml", "max_bdy_size: 20\n")
    done = site.command("reload", "--edge")
    assert done.returncode == 1 and "max_body_size" in done.stderr
    assert site.request("POST", "/body", body=b"a" * 11).status == 413


def test_reloads_at_once(site):
    """Whoever asks gets the code that is there when it is asked for."""
    threads = [threading.Thread(target=site.command, args=("reload",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    site.write("app.py", release("last"))
    assert site.command("reload").returncode == 0
    assert site.get().body == b"last"


def test_reload_reads_the_configuration(quintet):
    site = quintet("plain.py", files={"quintet.yaml": "max_body_size: 10\n", "static/a.txt": "a"})
    assert site.request("POST", "/body", body=b"a" * 11).status == 413
    site.write("quintet.yaml", "max_body_size: 20\nstatic:\n  - /static/=static\n")
    assert site.command("reload").returncode == 0
    assert site.request("POST", "/body", body=b"a" * 11).status == 200
    assert site.get("/static/a.txt").body == b"a"
    site.more_descriptors = 1  # of the directory


def test_reload_of_a_wrong_configuration(quintet):
    site = quintet("plain.py", files={"quintet.yaml": "max_body_size: 10\n"})
    site.expected.append("configuration|max_body")
    site.write("quintet.yaml", "keep_alive: 5s\nmax_bdy_size: 20\n")
    done = site.command("reload")
    said = done.stdout + done.stderr
    assert done.returncode != 0 and "quintet.yaml:2" in said and "max_body_size" in said
    assert site.request("POST", "/body", body=b"a" * 11).status == 413


def test_one_worker_more_or_fewer(site):
    site.signal(signal.SIGTTIN)
    until(lambda: len(site.worker_pids()) == 3 and site.status()["reload"] == "idle", "three workers")
    site.signal(signal.SIGTTOU)
    until(lambda: len(site.worker_pids()) == 2 and site.status()["reload"] == "idle", "two workers")
    assert site.get().body == b"one"


def test_the_edge_dies_during_a_reload(quintet, tmp_path):
    """The booting generation is not lost: the new edge is told of both."""
    slow = "import os, time\nopen(%r, 'w').close()\nwhile not os.path.exists(%r):\n    time.sleep(0.005)\n"
    at, go = str(tmp_path / "booting"), str(tmp_path / "go")
    site = quintet(release("one"), "app:app")
    site.expected.append("edge died")
    site.write("app.py", slow % (at, go) + release("two"))
    site.signal(signal.SIGHUP)
    until(lambda: os.path.exists(at), "the new generation to boot")
    edge = site.edge_pid
    os.kill(edge, signal.SIGKILL)
    until(lambda: site.status()["edge"]["state"] == "up" and site.edge_pid not in (0, edge), "another edge")
    assert site.get().body == b"one"
    open(go, "w").close()
    until(lambda: site.get().body == b"two", "the new code")
    until(lambda: site.status()["reload"] == "idle", "the end of the reload")


def test_workers_are_counted_from_what_was_asked_for(site):
    """Signals that come while the reload of the first is under way, and more of them than there are workers."""
    site.write("app.py", "import time\ntime.sleep(1)\n" + release("one"))

    def ask(number, times):
        for _ in range(times):
            seen = len(site.messages(message=re.compile("the number of workers stays|^reload$")))
            site.signal(number)
            until(lambda: len(site.messages(message=re.compile("the number of workers stays|^reload$"))) > seen, "an answer")

    def workers(n):
        return lambda: len(site.worker_pids()) == n and site.status()["reload"] == "idle"

    ask(signal.SIGTTOU, 4)
    until(workers(1), "one worker")
    ask(signal.SIGTTIN, 1)
    until(workers(2), "two workers")
    ask(signal.SIGTTIN, 1)
    ask(signal.SIGTTOU, 2)
    until(workers(1), "one worker")


def test_who_waits_for_the_next_round_is_told_of_the_end(site):
    site.write("app.py", "import time\ntime.sleep(1000)\n")
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(site.command, "reload")]
        until(lambda: site.status()["reload"] == "booting", "the new generation")
        asked.append(pool.submit(site.command, "reload"))
        until(lambda: len(site.messages(message="reload")) == 2, "the second wish")
        site.signal(signal.SIGTERM)
        for done in asked:
            assert done.result().returncode == 1 and "the server is stopping" in done.result().stderr
    assert site.wait_exit() == 0
