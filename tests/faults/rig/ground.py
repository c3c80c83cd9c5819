"""A running site that is loaded, hurt and asked."""
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from kit import processes
from kit.instance import SANITIZED, Instance
from kit.waiting import until
from rig import content, driver
from rig.clients import LARGE, STATIC

HERE = Path(__file__).resolve().parents[1]
APP = (HERE / "apps" / "site.py").read_text()
MIB = 1 << 20


def release(name):
    return APP.replace('RELEASE = "1"', "RELEASE = %r" % name)


class Ground(Instance):
    """An Instance that serves apps/site.py on http and https, with files, and its rows in the table."""

    def __init__(self, folder, table, authority, options, env=None, wrapper=(), binary=None, **more):
        self.table, self.authority, self.pair = table, authority, authority.pair("localhost")
        options = ["--static", "/static/=static", *options]
        super().__init__(folder, "app:application", {"app.py": APP, "content.py": HERE / "rig" / "content.py"}, options,
                         {"FAULTS_DATABASE": dsn(table.url), **(env or {})}, [self.pair], **more)
        self.write("static/style.css", content.whole(*STATIC))
        self.write("files/large.bin", content.whole(*LARGE))
        self.wrapper, self.binary = list(wrapper), binary or self.binary
        self.start()
        self.addresses = {scheme: self.address(scheme) for scheme in ("http", "https")}
        self.addresses["h2"] = self.addresses["https"]
        self.more_descriptors = 1  # of the file that is sent again and again

    @contextmanager
    def load(self, *allowed, **more):
        """A load for as long as the block takes; then the questions. allowed: rules of driver.py for what may fail."""
        allowed = list(allowed)
        with driver.Load(self.addresses, self.authority.ca, **more) as load:
            load.allow = allowed.append
            yield load
            load.more(2)  # everything is served again
        driver.ask(load.report, self.table.rows(load.run), *allowed)

    def level(self):
        """Memory of supervisor and edge, in bytes: {title: PSS}."""
        return {"supervisor": pss(self.pid), "edge": pss(self.edge_pid)}

    def ask_level(self, before, edge=4 * MIB, supervisor=MIB):
        """They have not grown beyond what one fault may cost."""
        if SANITIZED:  # its allocator keeps what was freed; `make soak` looks at long runs
            return
        after = self.level()
        assert after["supervisor"] - before["supervisor"] < supervisor, (before, after)
        assert after["edge"] - before["edge"] < edge, (before, after)

    def release(self, name):
        self.write("app.py", release(name))

    def wait_workers(self, number, without=(), seconds=20.0):
        """Waits for so many ready workers, none of those named."""
        def there():
            pids = self.try_worker_pids()
            return pids if len(pids) == number and not set(pids) & set(without) else None
        return until(there, lambda: "%d workers\n%s" % (number, self.said()), seconds)

    def try_worker_pids(self):
        now = self.try_status()
        return [w["pid"] for g in (now or {}).get("generations", []) if g["state"] == "serving"
                for w in g["workers"] if w["state"] == "up"]


def dsn(url):
    """What libpq takes, of a URL with the socket's folder as host."""
    name, folder = re.fullmatch(r"postgres://shop@/(\w+)\?host=(.*)", url).groups()
    return "host=%s dbname=%s user=shop" % (folder, name)


def pss(pid):
    match = re.search(r"^Pss:\s+(\d+)", processes._text("/proc/%d/smaps_rollup" % pid), re.M)
    return int(match[1]) * 1024 if match else 0


@contextmanager
def small_disk(size="1m"):
    """A file system of its own that is soon full, where the edge (another user) may write."""
    folder = Path(tempfile.mkdtemp(prefix="qfaults"))
    folder.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%s,mode=1777" % size, "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def turns(seconds, pause=0.0):
    """Again and again for so long; the pause is part of the fault, not a wait for anything."""
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        yield n
        n += 1
        time.sleep(pause)


