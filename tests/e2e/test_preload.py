"""--preload: the application is imported once, in a process of its own, and the workers are forked from it."""
import os
import re
import signal

import pytest

from kit import processes
from kit.visitors import Visitors
from kit.waiting import until

APP = """
import os, random, sys, threading, time
here = os.getpid()
hooks = []
os.register_at_fork(before=lambda: hooks.append("before"), after_in_parent=lambda: hooks.append("parent"),
                    after_in_child=lambda: hooks.append("child"))
count = 0

def note():
    with open("random", "a") as file:
        file.write("%r\\n" % random.random())
    with open("hooks", "a") as file:
        file.write("%s\\n" % " ".join(hooks))

os.register_at_fork(after_in_child=note)

def app(environ, start):
    global count
    count += 1
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    body = path
    if path == "/where":
        body = "%d %d %d" % (here, os.getpid(), os.getppid())
    elif path == "/descriptors":
        links = ["/proc/self/fd/" + n for n in os.listdir("/proc/self/fd")]
        body = "\\n".join(os.readlink(link) for link in links if os.path.exists(link) or os.path.islink(link))
    elif path == "/print":
        print("printed by", os.getpid())
    elif path == "/die":
        os.kill(os.getpid(), 9)
    elif path == "/thread":
        body = threading.current_thread().name
    start("200 OK", [])
    return [body.encode()]
"""


def preloaders(site):
    return [p["pid"] for g in site.status()["generations"] for p in g["preloaders"] if p["pid"]]


def preloader(site):
    """Its pid; None while there is none."""
    found = preloaders(site)
    assert len(found) < 2
    return found[0] if found else None


@pytest.fixture
def site(quintet):
    return quintet(APP, "app:app", options=["--preload", "--workers", "3"])


def test_workers_are_forked_and_the_supervisors_own(site):
    where = {site.get("/where").text for _ in range(60)}
    assert {text.split()[0] for text in where} == {str(preloader(site))}, "imported there, and only there"
    for text in where:
        assert int(text.split()[1]) in site.worker_pids() and int(text.split()[2]) == site.pid
    assert [processes.title(p) for p in site.worker_pids()] == ["quintet: worker %d (generation 1)" % n for n in (1, 2, 3)]
    assert processes.title(preloader(site)) == "quintet: preloader (generation 1)"
    assert "%8d  up" % preloader(site) in site.command("status").stdout, "people see it too"
    line = site.wait_message(message="preloader is ready")
    assert 0 < line["boot_ms"] < 60000, "it has started an interpreter and imported the application"


def test_each_worker_is_a_process_of_its_own(site):
    """Process group, random numbers, fork hooks once, descriptors, output: as if it had been started by itself."""
    for pid in site.worker_pids():
        assert os.getpgid(pid) == pid
    assert len(set((site.project / "random").read_text().split())) == 3, "each has its own random numbers"
    # As of os.fork: each worker is what the preloader had become by then, and has been forked itself once.
    assert sorted((site.project / "hooks").read_text().splitlines(), key=len) == ["before parent " * n + "before child" for n in range(3)]
    assert site.get("/thread").text == "MainThread"
    site.get("/print")
    line = site.wait_message(message=re.compile("printed by"))
    assert line["message"] == "printed by %d" % site.worker_pids()[int(line["process"].split()[-1]) - 1], line


def test_no_descriptor_of_the_preloader_is_left(site, quintet):
    plain = quintet(APP, "app:app")
    kinds = [sorted(re.sub(r"\d+", "N", d) for d in s.get("/descriptors").text.splitlines()) for s in (site, plain)]
    assert kinds[0] == kinds[1]


def test_a_killed_worker_is_forked_again(site):
    old = site.worker_pids()
    with Visitors(site, 2, "/x") as visitors:
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        until(lambda: site.workers_without(3, *old), "three new ones")
    assert not visitors.failures, visitors.failures[:5]
    assert {site.get("/where").text.split()[0] for _ in range(30)} == {str(preloader(site))}


def test_a_killed_preloader_comes_back_when_a_worker_is_needed(site):
    first, workers = preloader(site), site.worker_pids()
    os.kill(first, signal.SIGKILL)
    until(lambda: preloader(site) is None, "its end")
    assert site.get("/x").text == "/x" and site.worker_pids() == workers, "workers outlive it"
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: site.workers_without(3, workers[0]), "another worker")
    assert preloader(site) not in (None, first)


def test_all_killed_at_once(site):
    for _ in range(5):
        for pid in [preloader(site), *site.worker_pids()]:
            if pid:
                os.kill(pid, signal.SIGKILL)
        until(lambda: len(site.worker_pids()) == 3 and site.get("/x").text == "/x", "everybody to be back")


def test_killed_edge(site):
    site.expected.append("edge died")
    workers, edge = site.worker_pids(), site.edge_pid
    os.kill(edge, signal.SIGKILL)
    until(lambda: site.status()["edge"]["state"] == "up" and site.edge_pid != edge, "another edge")
    assert {int(site.get("/where").text.split()[1]) for _ in range(60)} <= set(workers)


def test_reload_brings_a_new_preloader(site):
    first = preloader(site)
    with Visitors(site, 3, "/x") as visitors:
        for n in (2, 3):
            assert site.command("reload").returncode == 0
            until(lambda: preloader(site) not in (None, first), "the old one's end")
            first = preloader(site)
            assert processes.title(first) == "quintet: preloader (generation %d)" % n
    assert not visitors.failures, visitors.failures[:5]


def test_rolling_reload_and_back(quintet):
    """Each release has its own preloader while both serve; one that fails is gone again."""
    site = quintet(APP, "app:app", options=["--preload", "--workers", "2", "--reload-strategy", "rolling"])
    site.expected += ["reload", "boot", "application", "worker died", "preloader died"]
    first = preloader(site)
    with Visitors(site, 2, "/x") as visitors:
        assert site.command("reload").returncode == 0
        until(lambda: preloaders(site) not in ([first], []) and len(preloaders(site)) == 1, "the old one's end")
        second = preloader(site)
        site.write("app.py", "import does_not_exist\n")
        done = site.command("reload")
        assert done.returncode not in (0, 2) and "does_not_exist" in done.stdout + done.stderr
        until(lambda: preloaders(site) == [second], "only that of the release that serves")
    assert not visitors.failures, visitors.failures[:5]


def test_rollback(quintet):
    site = quintet(APP, "app:app", options=["--preload", "--keep-generation", "60s"])
    site.more_descriptors = 4  # the edge's, of the generation that is kept: its pool, a lane and two workers
    site.write("app.py", APP.replace("body = path", "body = 'new'"))
    assert site.command("reload").returncode == 0 and site.get("/x").text == "new"
    assert len(preloaders(site)) == 2
    assert site.command("rollback").returncode == 0 and site.get("/x").text == "/x"
    os.kill(site.worker_pids()[0], signal.SIGKILL)
    until(lambda: len(site.worker_pids()) == 2, "the old release's preloader to fork another")
    assert {site.get("/x").text for _ in range(20)} == {"/x"}


@pytest.mark.parametrize("wrong, says", [
    ("import does_not_exist\n", "ModuleNotFoundError: No module named 'does_not_exist'"),
    ("import os\nos._exit(7)\n", "exit status 7"),
    ("import os\nos.kill(os.getpid(), 9)\n", "SIGKILL"),
    # A hook that fails lets no worker come to be.
    ("import os\nos.register_at_fork(after_in_child=lambda: os._exit(5))\ndef app(e, s): pass\n", "worker"),
])
def test_failing_reload_keeps_the_old_code(site, wrong, says):
    site.expected += ["reload", "boot", "application", "worker died", "preloader died"]
    workers, first = site.worker_pids(), preloader(site)
    site.write("app.py", wrong)
    done = site.command("reload")
    assert done.returncode not in (0, 2) and says in done.stdout + done.stderr
    until(lambda: preloaders(site) == [first], "the new one's end")
    assert site.worker_pids() == workers
    assert site.get("/x").text == "/x"


def test_warm_up_runs_once(quintet):
    site = quintet(APP.replace('body = path', 'body = str(count)'), "app:app", options=["--preload", "--warmup", "/a", "--warmup", "/b"])
    assert site.get("/c").text == "3"


def test_files_opened_by_the_import_stay_what_they_are(quintet):
    """None has a number that a worker needs for its channels."""
    files = "files = [open('file%d' % n, 'w', buffering=1) for n in range(16)]\n"
    site = quintet(APP.replace("count += 1", "count += 1; [file.write('line\\n') for file in files]") + files, "app:app", options=["--preload"])
    assert site.get("/x").text == "/x"
    assert {(site.project / ("file%d" % n)).read_text() for n in range(16)} == {"line\n"}


LOCKING = """
import logging
def lock():
    while True:
        with logging._lock:
            time.sleep(0.02)
threading.Thread(target=lock, daemon=True).start()
"""


def test_a_lock_that_a_thread_of_the_import_holds(quintet):
    """logging takes it in its hook before a fork: it waits until it is free, and does not wait where nobody can free it."""
    site = quintet(APP + LOCKING, "app:app", options=["--preload", "--workers", "3"])
    assert len(site.worker_pids()) == 3 and site.get("/x").text == "/x"


def test_threads_of_the_import_are_named(quintet):
    text = APP + "threading.Thread(target=time.sleep, args=(600,), name='poller', daemon=True).start()\n"
    site = quintet(text, "app:app", options=["--preload"])
    site.wait_message(message=re.compile("started threads.*: poller;"))
    assert site.get("/x").text == "/x"


def test_several_threads(quintet):
    site = quintet(APP, "app:app", options=["--preload", "--threads", "3"])
    names = {site.get("/thread").text.split()[0] for _ in range(20)}
    assert names <= {"MainThread", "quintet-1", "quintet-2"}


def test_recycling(quintet):
    site = quintet(APP, "app:app", options=["--preload", "--max-requests", "20"])
    old = site.worker_pids()
    with Visitors(site, 2, "/x") as visitors:
        until(lambda: site.workers_without(2, *old), "two new ones", 30)
    assert not visitors.failures, visitors.failures[:5]


def test_nobody_outlives_the_supervisor(site):
    pids = [preloader(site), *site.worker_pids()]
    site.signal(signal.SIGKILL)
    site.exit_code = -signal.SIGKILL
    site.wait_exit()
    until(lambda: not [pid for pid in pids if processes.alive(pid)], "everybody's end")
    site.control.unlink()


def test_shop(open_shop):
    site = open_shop(options=["--preload", "--warmup", "/"])
    for _ in range(10):
        assert site.request("GET", "/", host="localhost").status == 200


def test_a_stopped_preloader_is_replaced(quintet):
    """It would answer nobody who wants a worker, for ever."""
    site = quintet(APP, "app:app", options=["--preload", "--workers", "2", "--timeout", "2s"])
    first, workers = preloader(site), site.worker_pids()
    os.kill(first, signal.SIGSTOP)
    site.wait_message(message="a process was stopped by a signal", pid=first, child="preloader")
    os.kill(workers[0], signal.SIGKILL)
    until(lambda: site.workers_without(2, workers[0]), lambda: "another worker\n" + site.said(), 20)
    assert preloader(site) not in (None, first) and not processes.alive(first)
    assert site.get("/x").text == "/x"
