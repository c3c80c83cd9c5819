"""Requests that are held for a while, and the end of it all, under load."""
import signal

from kit.waiting import until
from rig import driver
from rig.ground import turns


def test_pause_and_resume(ground, seconds):
    """The application is asked nothing meanwhile; files are served; then everything that waited is answered."""
    site = ground()
    level = site.level()
    with site.load() as load:
        for _ in turns(seconds, 0.2):
            done = site.command("pause", "--max", "20s")
            assert done.returncode == 0, done.stderr
            before = site.status()["edge"]["handed"]
            load.more(5, kinds=["static"])
            assert site.status()["edge"]["handed"] == before, "the application was asked"
            assert site.command("resume").returncode == 0
            load.more(2)
    assert not load.report.reopened
    site.ask_level(level)


def test_pause_ends_by_itself(ground):
    site = ground()
    with site.load() as load:
        assert site.command("pause", "--max", "1s").returncode == 0
        load.more(3)


def test_term_under_load(ground):
    """Nothing fails before the end but a connection that finds nobody; --shutdown-delay long nobody is even told to go."""
    site = ground("--shutdown-delay", "1s")
    rows, addresses = site.table.rows, site.addresses
    with driver.Load(addresses, site.authority.ca) as load:
        site.signal(signal.SIGTERM)
        until(lambda: (site.try_status() or {}).get("state") == "draining", "the drain")
        load.more(1)  # within the delay
        assert site.wait_exit() == 0
    refused = [f for f in load.report.failures if f.what == "refused"]
    assert refused, "the clients go on until the sockets are closed"
    end = min(f.began for f in refused)

    def after_the_end(failure):
        return failure.what == "refused" and failure.ended >= end

    driver.ask(load.report, rows(load.run), after_the_end)
