"""Releases under load: nobody notices but by the new text."""
import signal

import pytest

from kit import instance, processes
from kit.waiting import until
from rig.ground import release, turns


# Boots once as it is, then once not, then as the release before: what the old plan would find in a directory of its own.
ONCE = """
import os
boots = %r
n = os.path.getsize(boots) if os.path.exists(boots) else 0
with open(boots, "a") as file:
    file.write("x")
if n == 1:
    raise RuntimeError("wrong release")
"""


def released(site):
    return site.get("/pid", host="localhost")["X-Release"]


def test_a_reload_every_second(ground, seconds):
    site = ground()
    level, n = site.level(), 0
    with site.load() as load:
        for n in turns(seconds, 1.0):
            site.release("release %d" % n)
            done = site.command("reload")
            assert done.returncode == 0, done.stderr
            assert released(site) == "release %d" % n
    assert not load.report.reopened, "no connection is closed for a reload"
    site.ask_level(level)


def test_failing_reloads(ground, seconds):
    """The old release serves on; the mended one is taken."""
    site = ground()
    site.expected += ["reload", "boot", "application"]
    level, old = site.level(), site.worker_pids()
    with site.load() as load:
        for _ in turns(seconds / 2):
            site.write("app.py", "def application(:\n")
            done = site.command("reload")
            assert done.returncode not in (0, 2) and "SyntaxError" in done.stdout + done.stderr
            assert released(site) == "1" and site.worker_pids() == old
        site.release("mended")
        assert site.command("reload").returncode == 0
        assert released(site) == "mended"
    assert not load.report.reopened
    assert not [pid for pid in old if processes.alive(pid)]
    site.ask_level(level)


def test_certificate_and_configuration(ground, seconds):
    """New connections get the new certificate and the new limit, old ones are not touched."""
    site = ground("--max-body-size", "3m")
    level = site.level()
    with site.load() as load:
        kept = site.client()
        assert kept.get("/page?n=1").status == 200
        for n in turns(seconds, 0.5):
            fresh = site.authority.pair("localhost", "turn%d.test" % n)
            site.pair.key.write_bytes(fresh.key.read_bytes())
            site.pair.cert.write_bytes(fresh.cert.read_bytes())
            done = site.command("reload")
            assert done.returncode == 0, done.stderr
            c = site.client(tls=site.authority.context(), name="turn%d.test" % n)
            assert c.get("/page?n=1").status == 200
            c.close()
        assert kept.get("/page?n=2").status == 200
    assert not load.report.reopened
    site.ask_level(level)


def test_hup_again_and_again(ground, seconds):
    """Signals that come faster than a reload is done become one reload after the other."""
    site = ground()
    with site.load() as load:
        for n in turns(seconds / 2, 0.1):
            site.release("signal %d" % n)
            site.signal(signal.SIGHUP)
        until(lambda: site.status()["reload"] == "idle" and released(site) == "signal %d" % n, "the last release", 20)
    assert not load.report.reopened


def test_a_rollback_every_half_second(ground, seconds):
    """There and back, with what runs on either side finished where it is, and nobody started for it."""
    site = ground("--keep-generation", "60s")
    site.more_descriptors += 4  # of the edge, for the one that is kept: pool, eventfd, two channels
    site.release("2")
    assert site.command("reload").returncode == 0
    level, workers = site.level(), processes.descendants(site.pid)
    with site.load() as load:
        for n in turns(seconds, 0.5):
            done = site.command("rollback")
            assert done.returncode == 0, done.stderr
            assert released(site) == ("1", "2")[n % 2]
    assert not load.report.reopened
    assert processes.descendants(site.pid) == workers
    site.ask_level(level)


def test_rolling_reloads(ground, seconds):
    """Worker after worker in the same pool; every second one does not boot in its second worker, and goes back."""
    site = ground("--reload-strategy", "rolling")
    site.expected += ["reload failed"]
    level, good = site.level(), "1"
    with site.load() as load:
        for n in turns(seconds):
            text = release("roll %d" % n)
            if n % 2:
                text = ONCE % str(site.folder / ("boots%d" % n)) + text + "\nif n > 1:\n    RELEASE = %r\n" % good
            site.write("app.py", text)
            done = site.command("reload")
            assert done.returncode == n % 2, done
            if n % 2:
                assert "wrong release" in done.stderr
            else:
                good = "roll %d" % n
            assert released(site) == good
    assert not load.report.reopened
    site.ask_level(level)


# The sanitizers' build is started by a script, whose loader settings a replaced program does not have.
@pytest.mark.skipif(instance.SANITIZED, reason="the program that is replaced is started by a script")
def test_binary_upgrades(ground, tmp_path, seconds):
    """The program on disk is replaced and takes over, again and again; who is connected to the old edge is served there to the end."""
    binary = tmp_path / "quintet"

    def put():
        aside = tmp_path / "aside"
        aside.write_bytes(instance.BINARY.read_bytes())
        aside.chmod(0o755)
        aside.rename(binary)

    put()
    site = ground(binary=binary, env={"QUINTET_PACKAGE_DIR": str(instance.BINARY.parent / "python")})
    with site.load() as load:
        for _ in turns(seconds):
            put()
            pid, edge = site.pid, site.edge_pid
            site.signal(signal.SIGUSR2)

            def taken_over():
                now = site.try_status()
                return now and now["reload"] == "idle" and len(now["generations"]) == 1 and now["edge"]["pid"] not in (0, edge)

            until(taken_over, lambda: "the takeover\n" + site.said(), 30)
            assert site.pid == pid
            load.more(2)
