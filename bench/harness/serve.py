"""A peer that runs, with what it has cost so far."""
import functools
import os
import resource
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from harness import costs
from harness.site import Site, free_port


def lift_limit():
    """As many descriptors as may be had, for us and for what we start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@functools.cache  # to read the authorities of the system takes longer than a server needs to answer
def anybody():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def fetch(url, fields=None, timeout=5):
    """Body of a GET; the certificate is not looked at."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=fields or {}), timeout=timeout, context=anybody()) as answer:
        return answer.read()


class Server:
    """What is started for a site, and the path of it that is asked for."""

    def __init__(self, peer, site, path):
        self.peer, self.site, self.path, self.children = peer, site, path, []

    def url(self, path):
        return self.site.url(path)

    def roots(self):
        return [child.pid for child in self.children]

    def costs(self):
        """(CPU seconds, of them the edge's, wake-ups) until now."""
        return (*costs.cpu(self.roots()), costs.wakeups(self.roots()))

    def pss(self):
        return costs.pss(self.roots())

    def start(self):
        self.children = self.peer.start(self.site)

    def await_answer(self, seconds=30):
        deadline = time.monotonic() + seconds
        last = None
        while self.children and time.monotonic() < deadline:
            try:
                return fetch(self.url(self.path))
            except urllib.error.HTTPError as error:
                last = error  # a front whose application is not there yet says 502
            except OSError as error:
                last = error
            if any(child.poll() is not None for child in self.children):
                break
            time.sleep(0.05)
        if not self.children:
            return b""
        logs = "".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in self.site.dir.glob("*.log"))
        raise RuntimeError(f"{self.peer.name}: {self.url(self.path)} does not answer: {last}\n{logs}")

    def stop(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
        for child in self.children:
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


@contextmanager
def unserved(peer, path="/", **site):
    """A server that is not started yet; it is ended here."""
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as scratch:
        os.chmod(scratch, 0o755)  # some of its servers are another user
        server = Server(peer, Site(dir=Path(scratch), port=free_port(), **site), path)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def serving(peer, path="/", **site):
    """A peer that serves a site (fields of Site) and has answered a path."""
    with unserved(peer, path, **site) as server:
        server.start()
        server.await_answer()
        yield server
