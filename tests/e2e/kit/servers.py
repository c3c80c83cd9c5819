"""Real PostgreSQL and Redis, one of each for the whole session, in folders of their own and reached over sockets."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from kit.processes import end_with_us
from kit.waiting import until


def _bin(name):
    """Debian keeps PostgreSQL's programs below /usr/lib/postgresql/VERSION/bin."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/" + name), key=lambda p: int(p.parts[-3].split(".")[0]))
    return str(versions[-1]) if versions else shutil.which(name)


class Server:
    """A foreground process in a short-named folder of its own."""

    def __init__(self, name):
        self.folder = Path(tempfile.mkdtemp(prefix="qe2e-" + name))
        self.log = open(self.folder / "log", "wb")
        self.process = None

    def run(self, words, **more):
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        cwd=self.folder, start_new_session=True, preexec_fn=end_with_us, **more)

    def wait(self, ready, what):
        def answered():
            assert self.process.poll() is None, (self.folder / "log").read_text(errors="replace")
            return ready()
        until(answered, what, 30)

    def stop(self, number=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(number)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Redis(Server):
    def __init__(self):
        super().__init__("redis")
        self.socket = self.folder / "redis.sock"
        self.url = "unix://%s?db=0" % self.socket
        self.run(["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no",
                  "--dir", str(self.folder)])
        self.wait(lambda: self.command("PING") == "PONG", "redis to answer")

    def command(self, *words):
        return subprocess.run(["redis-cli", "-s", str(self.socket), *words], capture_output=True, text=True).stdout.strip()


class Postgres(Server):
    """Trusts everybody who reaches its socket; run as `postgres`, since it refuses to run as root."""

    def __init__(self):
        super().__init__("postgres")
        self._as = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data = self.folder / "data"
        subprocess.run([_bin("initdb"), "-D", data, "-U", "shop", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
                       check=True, capture_output=True, cwd=self.folder, timeout=120, **self._as)
        self.run([_bin("postgres"), "-D", str(data), "-k", str(self.folder), "-c", "listen_addresses=", "-c", "fsync=off"],
                 **self._as)
        self.wait(lambda: self.sql("select 1", "postgres") == "1", "postgres to answer")
        self._n = 0

    def sql(self, text, database):
        done = subprocess.run(["psql", "-h", str(self.folder), "-U", "shop", "-d", database, "-Atc", text],
                              capture_output=True, text=True, cwd="/")
        return done.stdout.strip() if done.returncode == 0 else None

    def database(self, template="template1"):
        """The URL of a new database like `template`, which is empty by default."""
        self._n += 1
        name = "shop%d" % self._n
        assert self.sql("create database %s template %s" % (name, template), "postgres") is not None
        return "postgres://shop@/%s?host=%s" % (name, self.folder)

    def stop(self, number=signal.SIGINT):  # fast: it does not wait for clients
        super().stop(number)
