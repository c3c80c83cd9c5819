"""Bodies: 10 KB echoed, 100 MB taken in, 100 MB given out by Django's FileResponse."""
import os
import tempfile
from contextlib import contextmanager

from harness.load import wrk_post
from harness.rounds import LONG, Case
from harness.site import APPS
from harness.transfers import download, upload

PEERS = ("gunicorn", "nginx + gunicorn", "nginx + uwsgi")
PLAIN = {"chdir": APPS / "plain", "app": "hello:app"}
DJANGO = {"chdir": APPS / "pages", "app": "pages.wsgi:application"}
LARGE = 100_000_000
SMALL = b"0123456789abcdef" * 640
SHOWS = ("bandwidth", "p50", "cpu", "edge", "wakeups", "pss")


def echo(server, seconds):
    return wrk_post(server.url("/echo"), seconds, server.site.dir, SMALL)


@contextmanager
def large_file():
    """A file of 100 MB for the application, in the page cache."""
    with tempfile.TemporaryDirectory(prefix="quintet-bench-large-") as folder:
        os.chmod(folder, 0o755)
        with open(f"{folder}/large.bin", "wb") as file:
            for _ in range(LARGE // 1_000_000):
                file.write(os.urandom(1_000_000))
        yield {"env": {"BENCH_FILE": f"{folder}/large.bin"}}


def against(least):
    return {"nginx + gunicorn": {"rate": least, "cpu": least}}


CASES = [
    Case("post", "POST of 10 KB, echoed", PEERS, echo, PLAIN, must=against(2)),
    Case("upload", "upload of 100 MB, two at a time", PEERS, lambda server, seconds: upload(server, "/upload", LARGE, seconds), PLAIN, must=against(1), shows=SHOWS,
         **LONG),
    Case("download", "FileResponse of 100 MB, two at a time", PEERS, lambda server, seconds: download(server, "/download/", LARGE, seconds), DJANGO,
         path="/plain/", must=against(1), shows=SHOWS, prepare=large_file, **LONG),
]
