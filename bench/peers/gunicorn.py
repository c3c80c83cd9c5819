"""gunicorn with threaded workers, alone and behind others."""
from harness.site import PYTHON, spawn
from peers.base import Peer

THREADS = 4  # where a case asks for no number


def gunicorn_on(site, bind, log=True):
    """Alone it writes the access log; behind another that one does. /dev/shm for its heart-beat is what its FAQ advises."""
    return spawn(site, "gunicorn", [
        PYTHON, "-m", "gunicorn", "--chdir", site.chdir, "--bind", bind, "--workers", site.workers, "--worker-class", "gthread",
        "--threads", site.threads or THREADS, "--keep-alive", 75, "--worker-tmp-dir", "/dev/shm",
        *(["--access-logfile", site.dir / "gunicorn-access.log"] if log else []), site.app])


class Gunicorn(Peer):
    name = "gunicorn"
    programs = ("gunicorn",)
    settings = "gthread workers of 4 threads, --keep-alive 75, heart-beats in /dev/shm, access log to a file"

    def start(self, site):
        return [gunicorn_on(site, f"127.0.0.1:{site.port}")]


class Behind(Peer):
    """A server in front of gunicorn on a Unix socket: the front is another's to start."""
    programs = ("gunicorn",)

    def front(self, site):
        raise NotImplementedError

    def start(self, site):
        backend = [] if site.files_only else [gunicorn_on(site, f"unix:{site.socket}", log=False)]
        return [*backend, *self.front(site)]
