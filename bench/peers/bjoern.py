"""bjoern, from its public sources: it is in no Debian. BENCH_PEERS=DIR tells where it was built: DIR/bjoern/ has bjoern.py and _bjoern*.so."""
import os
from pathlib import Path

from harness.site import PYTHON, spawn
from peers.base import Peer

# Workers are forked behind the listening socket, as its own example does. It writes no access log, and knows no way to.
PREFORK = """
import importlib, os, signal, sys
place, app, port, workers = sys.argv[1:]
sys.path[:0] = [place, os.getcwd()]
import bjoern
module, _, name = app.partition(":")
bjoern.listen(getattr(importlib.import_module(module), name), "127.0.0.1", int(port))
children = []
for _ in range(int(workers)):
    pid = os.fork()
    if pid == 0:
        bjoern.run()
        os._exit(0)
    children.append(pid)
def end(*_):
    for pid in children:
        os.kill(pid, signal.SIGKILL)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
os.wait()
end()
"""


class Bjoern(Peer):
    name = "bjoern"
    settings = "workers forked behind one listening socket, as its example does; no access log, for it has none"

    def __init__(self):
        self.place = Path(os.environ.get("BENCH_PEERS", "/nonexistent")) / "bjoern"

    def missing(self):
        return "" if any(self.place.glob("_bjoern*.so")) else "no bjoern below BENCH_PEERS"

    def start(self, site):
        return [spawn(site, "bjoern", [PYTHON, "-c", PREFORK, self.place, site.app, site.port, site.workers])]
