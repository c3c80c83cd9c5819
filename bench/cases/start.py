"""From the start of the server to its first answer of a Django page, and from the word to reload to the first answer of the new code."""
import signal
import time

from harness.rounds import Case
from harness.serve import fetch, serving, unserved
from harness.site import APPS

SITE = {"chdir": APPS / "pages", "app": "pages.wsgi:application"}
PATH = "/booted/"
PAUSE = 0.002  # between two looks


def await_booted(server, since):
    """Asks again and again until somebody answers who has imported the code after a moment (ns); how many were not answered on the way."""
    failures, deadline = 0, time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if int(fetch(server.url(PATH))) > since:
                return failures
        except OSError:
            failures += 1
        time.sleep(PAUSE)
    raise RuntimeError(f"{server.peer.name}: no answer of the new code within 30 s")


def start(peer, site, _seconds):
    with unserved(peer, PATH, **site) as server:
        begun = time.monotonic()
        server.start()
        await_booted(server, 0)  # refused connections on the way are no failures
        return {"took": time.monotonic() - begun, "cpu_ms": server.costs()[0] * 1e3, "failures": 0}


def tell(server):
    """Says that it is to reload, as its documentation has it."""
    if hasattr(server.peer, "reload"):
        server.peer.reload(server)
    else:
        server.children[0].send_signal(signal.SIGHUP)


def reload(peer, site, _seconds):
    with serving(peer, PATH, **site) as server:
        time.sleep(0.5)  # all its workers are there
        before, begun, since = server.costs()[0], time.monotonic(), time.time_ns()
        tell(server)
        failures = await_booted(server, since)
        return {"took": time.monotonic() - begun, "cpu_ms": (server.costs()[0] - before) * 1e3, "failures": failures}


MUST = {"gunicorn": {"took": 1}}
CASES = [
    Case("start", "start to the first answer", ("gunicorn", "nginx + gunicorn", "nginx + uwsgi"), start, SITE, must=MUST, shows=("took", "cpu_ms"), alone=True),
    Case("reload", "reload to the first answer of the new code", ("gunicorn", "nginx + gunicorn"), reload, SITE, must=MUST, shows=("took", "cpu_ms"), alone=True),
]
