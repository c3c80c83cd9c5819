"""Ten thousand kept connections that say nothing, and what others notice of them: the memory of the server's processes, not of the kernel's sockets."""
from harness.crowd import crowd, gone
from harness.load import wrk
from harness.material import plain, with_tls
from harness.rounds import LONG, Case
from harness.serve import serving
from harness.site import APPS

NUMBER = 10_000
ACTIVE = 16
PATH = "/static/1k.txt"
SITE = {"chdir": APPS / "plain", "app": "hello:app", "files_only": True}
SHOWS = ("each", "pss", "calm", "p99")


def idle(peer, site, seconds):
    with serving(peer, PATH, **site) as server:
        calm = wrk(server.url(PATH), seconds, ACTIVE)
        before = server.pss()
        with crowd(server, PATH, NUMBER) as socks:
            after = server.pss()
            busy = wrk(server.url(PATH), seconds, ACTIVE)
            lost = sum(map(gone, socks))
    return {"each": (after - before) / NUMBER, "pss": after, "calm": calm["p99"], "p99": busy["p99"], "p50": busy["p50"],
            "failures": lost + calm["failures"] + busy["failures"]}


def case(name, title, prepare):
    return Case(name, title, ("nginx",), idle, SITE, shows=SHOWS, must={"nginx": {"each": 1}}, prepare=prepare, alone=True, **LONG)


CASES = [
    case("idle", "10,000 idle connections", plain),
    case("idle-tls", "10,000 idle connections over TLS", with_tls),
]
