"""Processes that die or stand still under load."""
import os
import random
import signal
import time

from kit import processes
from kit.waiting import until
from rig.driver import MIX, begun, open_between, timed_out, unsafe_502
from rig.ground import turns


def test_a_random_worker_is_killed_again_and_again(ground, seconds):
    """Five a second. A row or an upload that was in its hands is a 502; nothing else is."""
    site = ground("--workers", "3")
    level, rng, killed = site.level(), random.Random(5), 0
    busy = [("work", "http", True), ("row", "http", True)] * 4  # so that a worker has something in its hands when it is killed
    with site.load(unsafe_502, begun, mix=MIX + busy) as load:
        for _ in turns(seconds, 0.2):
            up = site.try_worker_pids()
            if up:
                os.kill(rng.choice(up), signal.SIGKILL)
                killed += 1
        site.wait_workers(3)
        load.more(10)
    assert killed > 2 * seconds and load.report.failures, "nobody was busy"
    assert not [f for f in load.report.failures if f.safe and f.kind != "download"], "only what is made piece by piece can break off"
    assert not load.report.reopened, "no connection is closed for a worker's death"
    site.ask_level(level)


def test_the_edge_is_killed(ground, seconds):
    """What it had in its hands is lost with it; everybody else waits, and nobody is refused."""
    site = ground()
    site.expected.append("edge died")
    with site.load() as load:
        for _ in turns(seconds, 0.5):
            edge, begin = site.edge_pid, time.monotonic()
            os.kill(edge, signal.SIGKILL)
            until(lambda: not processes.alive(edge), "the edge to be dead")
            load.allow(open_between(begin, time.monotonic()))
            until(lambda: site.status()["edge"]["state"] == "up" and site.edge_pid not in (0, edge), "another edge", 20)
            load.more(1)
    assert not [f for f in load.report.failures if f.what in ("refused", "hung", "wrong")]


def test_a_worker_stands_still_for_a_while(ground, seconds):
    """It is shorter than the timeout, so nothing at all may be lost."""
    site = ground("--timeout", "60s")
    level = site.level()
    with site.load() as load:
        for n in turns(seconds):
            pid = site.worker_pids()[n % 2]
            os.kill(pid, signal.SIGSTOP)
            load.more(3)
            os.kill(pid, signal.SIGCONT)
            load.more(3)
    site.ask_level(level)


def test_a_worker_stands_still_for_good(ground, seconds):
    """The one request that it may have in its hands has a 504, and it is replaced; whoever is in the queue never notices."""
    site = ground("--timeout", "2s")
    site.expected.append("timeout")
    with site.load(timed_out) as load:
        pid = site.worker_pids()[0]
        os.kill(pid, signal.SIGSTOP)
        for _ in turns(seconds):
            load.more(5)
        if processes.alive(pid):  # it had nothing to do when it was stopped
            os.kill(pid, signal.SIGCONT)
        site.wait_workers(2)
    assert len(load.report.failures) <= 1, load.report.failures
