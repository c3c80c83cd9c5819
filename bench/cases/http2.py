"""HTTP/2 over TLS: 16 clients with 16 requests each in flight; a file, and pages that are compressed on the way."""
from harness.load import h2load
from harness.material import with_tls
from harness.rounds import Case
from harness.serve import fetch
from harness.site import APPS

SHOWS = ("rate", "mean", "longest", "cpu", "edge", "wakeups", "pss")
FILES = {"chdir": APPS / "plain", "app": "hello:app", "files_only": True}
PAGES = {"chdir": APPS / "plain", "app": "hello:app"}
FRONTS = ("nginx + gunicorn", "h2o + gunicorn", "caddy + gunicorn", "haproxy + gunicorn")


def asking(coding):
    def load(server, seconds):
        size = len(fetch(server.url(server.path), {"Accept-Encoding": coding}))
        return {**h2load(server.url(server.path), seconds, fields=["accept-encoding: " + coding]), "size": size}
    return load


def case(name, title, peers, site, path, coding="identity", must=None, shows=SHOWS):
    return Case(name, title, peers, asking(coding), site, path=path, must=must or {}, shows=shows, prepare=with_tls)


CASES = [
    case("http2", "HTTP/2, file of 1 KB", ("nginx", "h2o", "caddy"), FILES, "/static/1k.txt",
         must={"nginx": {"rate": 2, "cpu": 2}, "h2o": {"rate": 1, "cpu": 1}}),
    case("http2-gzip-file", "HTTP/2, file of 80 KB, compressed before", ("nginx", "h2o", "caddy"), FILES, "/static/site.css", "gzip"),
    case("http2-page", "HTTP/2, page of 20 KB", FRONTS, PAGES, "/page"),
    case("http2-gzip", "HTTP/2, page of 20 KB, gzip", FRONTS, PAGES, "/page", "gzip", shows=(*SHOWS, "size")),
    case("http2-br", "HTTP/2, page of 20 KB, brotli", ("h2o + gunicorn",), PAGES, "/page", "br", shows=(*SHOWS, "size")),
]
