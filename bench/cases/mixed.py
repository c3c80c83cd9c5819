"""Fast pages beside slow ones: one request in twenty takes 200 ms. The load comes at half of what the slots can bear, the same for all."""
from harness.pace import paced
from harness.rounds import Case
from harness.site import APPS

WORKERS = 4
SLOW = 0.2  # seconds
SHARE = 20  # one in so many is slow
PATHS = ["/"] * (SHARE - 1) + ["/slow"]
SHOWS = ("p50", "p99", "p999", "others", "cpu", "wakeups")


def half(threads):
    """Requests a second that keep half of the slots busy."""
    return WORKERS * threads / SLOW * SHARE / 2


def case(name, title, threads):
    return Case(name, title, ("gunicorn", "nginx + gunicorn", "nginx + uwsgi"), lambda server, seconds: paced(server, PATHS, half(threads), seconds),
                {"chdir": APPS / "plain", "app": "hello:app", "workers": WORKERS, "threads": threads}, shows=SHOWS,
                must={"nginx + gunicorn": {"p99": 2}, "nginx + uwsgi": {"p99": 2}}, seconds=4, rounds=5)


CASES = [
    case("mixed", "latency of fast pages beside slow ones, 4 workers of one thread", 1),
    case("mixed-threads", "latency of fast pages beside slow ones, 4 workers of two threads", 2),
]
