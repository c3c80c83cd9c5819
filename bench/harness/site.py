"""What a peer is to serve, and how one of its processes is started."""
import ctypes
import os
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ROOT / "bench" / "apps"
PR_SET_PDEATHSIG = 1
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
QUINTET = Path(os.environ.get("QUINTET_BINARY", ROOT / "build" / "quintet"))


@dataclass
class Site:
    chdir: Path  # the application's folder
    app: str  # MODULE:CALLABLE
    workers: int
    dir: Path  # scratch: logs, sockets, configurations
    port: int  # to serve on, of 127.0.0.1
    threads: int = 0  # of each worker; 0: as the peer is best used
    static: Path = None  # its files are served below /static/
    files_only: bool = False  # there is no application
    cert: Path = None  # a folder with cert.pem and key.pem: serve TLS
    env: dict = field(default_factory=dict)
    options: tuple = ()  # more words for quintet, to try something

    def url(self, path):
        return f"{'https' if self.cert else 'http'}://127.0.0.1:{self.port}{path}"

    @property
    def socket(self):
        """Where an application server listens that stands behind another."""
        return self.dir / "app.sock"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def end_with_us():
    """The kernel ends the child when we end, however that was."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def spawn(site, name, command):
    """Starts a process of a peer; its output goes to a log in the site's folder.

    A process group of its own, not a session: where the kernel shares the processors among sessions (autogroups), a peer of two programs
    would get twice the share of a peer of one.
    """
    with open(site.dir / f"{name}.log", "wb") as log:
        return subprocess.Popen(list(map(str, command)), cwd=site.chdir, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0,
                                preexec_fn=end_with_us, env={**os.environ, **site.env})
