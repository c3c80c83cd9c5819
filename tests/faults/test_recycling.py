"""Workers that have served or grown enough are replaced, the replacement ready first."""
from kit.waiting import until


def ask_order(site):
    """No two at once: each replacement is ready before the next worker is told to go."""
    said = [m["message"] for m in site.errors() if m["message"] in ("a worker is replaced", "worker is ready")][2:]
    assert len(said) >= 4 and said[:-1:2] == ["a worker is replaced"] * len(said[:-1:2]) and \
        said[1::2] == ["worker is ready"] * len(said[1::2]), said


def watch(site, seen):
    """Workers that serve, looked at again and again; there are two, and while one hands over to its successor there is the other."""
    up = site.try_worker_pids()
    assert up, "nobody serves while one is replaced\n" + site.said()
    seen.update(up)
    return seen


def test_by_count(ground):
    site = ground("--max-requests", "150", "--max-requests-jitter", "50")
    level, seen = site.level(), set()
    with site.load() as load:
        until(lambda: len(watch(site, seen)) >= 6, "workers to be replaced", 30)
    assert not load.report.reopened
    ask_order(site)
    site.ask_level(level)


def test_by_memory(ground):
    """A view that keeps 8 MiB each time it is asked."""
    site = ground("--max-worker-memory", "80m")
    level, seen = site.level(), set()
    with site.load() as load:
        def grown():
            assert site.get("/leak?kib=8192", host="localhost").status == 200
            return len(watch(site, seen)) >= 5
        until(grown, "workers to be replaced", 40)
    assert not load.report.reopened
    ask_order(site)
    site.ask_level(level)
