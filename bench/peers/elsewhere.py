"""WSGI servers that were put below BENCH_PEERS=DIR: DIR/NAME/start is a program that is called with the application's folder, MODULE:CALLABLE, the
address, the port and the number of workers, and serves in the foreground until SIGTERM. They join the cases in which bjoern is."""
import os
from pathlib import Path

from harness.site import spawn
from peers.base import Peer


class Elsewhere(Peer):
    settings = "as its start program below BENCH_PEERS has it"

    def __init__(self, program):
        self.program, self.name = program, program.parent.name

    def start(self, site):
        return [spawn(site, self.name, [self.program, site.chdir, site.app, "127.0.0.1", site.port, site.workers])]


def found():
    """The peers of BENCH_PEERS."""
    place = os.environ.get("BENCH_PEERS")
    return [Elsewhere(program) for program in sorted(Path(place).glob("*/start")) if os.access(program, os.X_OK)] if place else []
