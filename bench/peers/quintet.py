"""Quintet itself: its defaults, with an access log to a file."""
import subprocess

from harness.site import PYTHON, QUINTET, spawn
from peers.base import Peer


class Quintet(Peer):
    name = "quintet"
    settings = "its defaults: one thread a worker, as many edge threads as it takes by itself, access log to a file"

    def __init__(self, name=None, binary=None):
        self.name, self.binary = name or self.name, binary or QUINTET

    def missing(self):
        return "" if self.binary.exists() else str(self.binary)

    def words(self, site):
        words = [self.binary, "run", "--chdir", site.chdir, "--python", PYTHON, "--workers", site.workers,
                 "--access-log", site.dir / "access.log", "--control", site.dir / "control.sock"]
        if site.cert:
            words += ["--bind", "", "--tls-bind", f"127.0.0.1:{site.port}", "--certfile", site.cert / "cert.pem", "--keyfile", site.cert / "key.pem"]
        else:
            words += ["--bind", f"127.0.0.1:{site.port}"]
        if site.threads:
            words += ["--threads", site.threads]
        if site.static:
            words += ["--static", f"/static/={site.static}"]
        return [*words, *site.options, site.app]

    def start(self, site):
        return [spawn(site, "quintet", self.words(site))]

    def reload(self, server):
        subprocess.run([self.binary, "reload", "--control", server.site.dir / "control.sock"], check=True, stdout=subprocess.DEVNULL)
