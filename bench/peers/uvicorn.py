"""uvicorn: for Django through ASGI, which it takes alone."""
from harness.site import PYTHON, spawn
from peers.base import Peer


class Uvicorn(Peer):
    name = "uvicorn"
    programs = ("uvicorn",)
    settings = "Django's ASGI application, as many workers as the others; its loop and parser are those of Debian's package; access log to a file"

    def start(self, site):
        asgi = site.app.replace(".wsgi:", ".asgi:")
        return [spawn(site, "uvicorn", [PYTHON, "-m", "uvicorn", "--host", "127.0.0.1", "--port", site.port, "--workers", site.workers,
                                        "--timeout-keep-alive", 75, "--backlog", 2048, asgi])]
