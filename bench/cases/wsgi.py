"""The smallest application there can be: what is measured is the server. 64 kept connections, two workers each."""
from harness.load import wrk
from harness.rounds import Case
from harness.site import APPS

SITE = {"chdir": APPS / "plain", "app": "hello:app"}
PEERS = ("gunicorn", "nginx + gunicorn", "nginx + uwsgi", "bjoern", "TCP alone")
OTHERS = ("apache + mod_wsgi", "haproxy + gunicorn", "varnish + gunicorn", "h2o + gunicorn", "caddy + gunicorn")
MUST = {
    "nginx + gunicorn": {"rate": 8, "cpu": 8},
    "gunicorn": {"rate": 5, "cpu": 5},
    "nginx + uwsgi": {"rate": 3, "cpu": 3},
    "bjoern": {"rate": 1, "cpu": 1},
}


def get(server, seconds):
    return wrk(server.url(server.path), seconds)


CASES = [
    Case("hello", "hello world, 10 bytes", PEERS + OTHERS, get, SITE, must=MUST),
    Case("hello-10k", "hello world, 10 KB", PEERS, get, SITE, path="/10k", must=MUST),
]
