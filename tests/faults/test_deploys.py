"""Releases under load: nobody notices but by the new text."""
import signal

from kit import processes
from kit.waiting import until
from rig.ground import turns


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
