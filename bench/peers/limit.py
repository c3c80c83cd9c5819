"""Python's own limit: the application called in a loop with no server (apps/limit.py), in as many processes as the others have workers."""
import json
import os
import subprocess

from harness.site import APPS, PYTHON
from peers.base import Peer


class Limit(Peer):
    name = "Python alone"
    settings = "the application called in a loop in as many processes, with no server; collections as CPython does them by itself"

    def start(self, site):
        return []

    def load(self, server, seconds):
        site = server.site
        done = subprocess.run([PYTHON, APPS / "limit.py", "--chdir", site.chdir, "--path", server.path, "--workers", str(site.workers),
                               "--seconds", str(seconds), site.app], env={**os.environ, **site.env}, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        return {"requests": found["calls"], "rate": found["calls_per_second"], "cpu": found["cpu_us"]}
