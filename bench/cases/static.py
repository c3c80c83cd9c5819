"""Files, over kept connections and over a new one for each request, plain and by TLS 1.3."""
from harness.load import wrk
from harness.handshakes import handshakes
from harness.material import plain, with_tls
from harness.rounds import Case
from harness.site import APPS

SITE = {"chdir": APPS / "plain", "app": "hello:app", "files_only": True}
CLOSE = ("Connection: close",)


def kept(server, seconds):
    return wrk(server.url(server.path), seconds)


def new(server, seconds):
    return wrk(server.url(server.path), seconds, fields=CLOSE)


def better(least):
    return {"nginx": {"rate": least, "cpu": least}}


def case(name, title, path, load, least, prepare=plain, peers=("nginx", "h2o")):
    return Case(name, title, peers, load, SITE, path=path, must=better(least), prepare=prepare)


CASES = [
    case("static-1k", "file of 1 KB", "/static/1k.txt", kept, 1.2),
    case("static-100k", "file of 100 KB", "/static/100k.bin", kept, 1),
    case("static-1k-new", "file of 1 KB, a new connection each", "/static/1k.txt", new, 1),
    case("static-100k-new", "file of 100 KB, a new connection each", "/static/100k.bin", new, 1),
    case("tls-1k", "file of 1 KB over TLS", "/static/1k.txt", kept, 1.1, with_tls),
    case("tls-100k", "file of 100 KB over TLS", "/static/100k.bin", kept, 1, with_tls),
    case("tls-full", "full handshakes", "/static/1k.txt", lambda server, seconds: handshakes(server, seconds, False), 1, with_tls),
    case("tls-resumed", "resumed handshakes", "/static/1k.txt", lambda server, seconds: handshakes(server, seconds, True), 1, with_tls),
]
