"""One running Quintet, from its project's files to the questions asked at its end.

Logs go to files as JSON, addresses have port 0, the control socket lies beside the project: any number of instances
run at once. finish() is what makes a test fail for what it left behind (see the questions there).
"""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

from kit import client, control, processes
from kit.waiting import SLOW, TimedOut, until

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("QUINTET_BINARY") or ROOT / "build" / "quintet").resolve()
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
APPS = ROOT / "tests" / "e2e" / "apps"
SANITIZED = SLOW > 1

SANITIZER = re.compile(r"quintet\[\d+\]: panic|ERROR: \w*Sanitizer|runtime error:|WARNING: \w*Sanitizer|SUMMARY: \w*Sanitizer")
EDGE_MEMORY_MAX = 96 << 20  # the high-water mark of an edge that did nothing out of the ordinary
STOP_SECONDS = 20.0


def environment(marker=None, **more):
    """Ours, without what would configure Quintet, Django or Python behind a test's back."""
    skip = re.compile(r"QUINTET_|PYTEST|DJANGO_|PYTHON|PORT$|WEB_CONCURRENCY|FORWARDED_ALLOW_IPS|VIRTUAL_ENV|DATABASE_URL|REDIS_URL")
    env = {k: v for k, v in os.environ.items() if not skip.match(k)}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    if marker:
        env["E2E_MARKER"] = marker
    return {**env, **more}


def json_lines(path):
    """Every whole line of a log; a line that is not JSON fails the test."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    try:
        return [json.loads(line) for line in lines]
    except ValueError as error:
        raise AssertionError("not JSON (%s): %r" % (error, lines[-20:])) from None


def for_other_users(folder):
    """Makes the folder reachable for everybody, and the environment in which another user can run the workers: the tree may lie in a home
    that only its owner may enter."""
    for above in [folder, *folder.parents][:3]:
        above.chmod(0o755)
    package = folder / "package"
    shutil.copytree(BINARY.parent / "python", package)
    return {"QUINTET_PACKAGE_DIR": str(package)}


def finish_all(made):
    """The end of each, that of the others too where one fails; the first failure is the test's."""
    failures = []
    for one in made:
        try:
            one.finish()
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


class Instance:
    def __init__(self, folder, app="app:application", files=None, options=(), env=None, tls=None, project=None, limits=None):
        """files: {path below the project: text, bytes or Path to copy}. tls: a list of certificates.
        limits: {resource.RLIMIT_…: what all its processes may have}."""
        self.folder = Path(folder)
        self.project = Path(project) if project else self.folder / "project"
        self.project.mkdir(exist_ok=True)
        self.run_folder = self.folder / "run"
        self.run_folder.mkdir()
        # A socket's path holds 107 bytes, pytest's folders can be longer.
        self.short = Path(tempfile.mkdtemp(prefix="qe2e"))
        self.control = self.short / "control.sock"
        self.log, self.access = self.run_folder / "error.log", self.run_folder / "access.log"
        self.stdout, self.stderr = self.run_folder / "stdout", self.run_folder / "stderr"
        self.marker = uuid.uuid4().hex
        self.env = environment(self.marker, **(env or {}))
        self.binary, self.wrapper = BINARY, []  # wrapper: words before the binary's, a program that executes it
        self.limits = limits or {}
        self.process = None
        self.expected = []  # patterns of error lines that this test provokes
        self.exit_code = 0
        self.memory_max = EDGE_MEMORY_MAX
        self.more_descriptors = 0  # that this test gives the edge for good
        self._clients, self._seen, self._level, self._finished = [], {}, None, False
        for path, content in (files or {}).items():
            self.write(path, content)
        self.arguments = self._arguments(app, list(options), tls or [])

    def _arguments(self, app, options, tls):
        words = ["run", "--chdir", str(self.project), "--python", PYTHON, "--control", str(self.control)]
        for option, value in (("--log", self.log), ("--access-log", self.access), ("--log-format", "json"),
                              ("--bind", "127.0.0.1:0"), ("--workers", "2")):
            if option not in options:
                words += [option, str(value)]
        if SANITIZED:  # an interpreter does not free all it has at its end; what our extension keeps shows in its memory
            words += ["--env", "ASAN_OPTIONS=%s:detect_leaks=0" % os.environ.get("ASAN_OPTIONS", "")]
        if tls:
            words += ["--tls-bind", "127.0.0.1:0"]
        for pair in tls:
            words += ["--certfile", str(pair.cert), "--keyfile", str(pair.key)]
        return words + [str(o) for o in options] + ([app] if app else [])

    def write(self, path, content):
        """Writes a file of the project as a whole: nobody ever sees half of it."""
        target = self.project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path):
            shutil.copy(content, target)
            return
        aside = target.with_name(target.name + ".new")
        aside.write_bytes(content.encode() if isinstance(content, str) else content)
        aside.rename(target)

    # ---- life ----

    def start(self, wait=True):
        with open(self.stdout, "ab") as out, open(self.stderr, "ab") as err:
            self.process = subprocess.Popen([*self.wrapper, str(self.binary), *self.arguments], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=err, env=self.env, cwd=self.run_folder, start_new_session=True,
                                            preexec_fn=self._before_exec)
        if wait:
            self.wait_ready()
        return self

    def _before_exec(self):
        processes.end_with_us()
        for what, most in self.limits.items():
            resource.setrlimit(what, (most, most))

    def wait_ready(self, seconds=20.0):
        def serving():
            if self.process.poll() is not None:
                raise AssertionError("it ended with %d before it served\n%s" % (self.process.returncode, self.said()))
            now = self.try_status()
            return now and now["state"] == "running" and now["edge"].get("generations") is not None

        until(serving, lambda: "the instance to serve\n" + self.said(), seconds)
        self._level = self._level_of_descriptors()
        self._look()

    def said(self):
        """Everything it said, for a failure's message."""
        texts = [p.read_text(errors="replace")[-6000:] for p in (self.stdout, self.stderr, self.log) if p.exists()]
        return "\n".join(texts)

    def signal(self, number):
        self._look()
        self.process.send_signal(number)

    def wait_exit(self, seconds=STOP_SECONDS):
        try:
            return self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise TimedOut("waited %g s for it to end\n%s" % (seconds * SLOW, self.said())) from None

    def command(self, *words, timeout=60.0):
        """One of the program's commands against this instance."""
        return subprocess.run([str(self.binary), *words, "--control", str(self.control)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout * SLOW, env=self.env, cwd=self.run_folder)

    # ---- looking ----

    def try_status(self):
        try:
            return control.ask(self.control, "status")[-1]["status"]
        except (OSError, IndexError, KeyError, ValueError):
            return None

    def status(self):
        return control.ask(self.control, "status")[-1]["status"]

    @property
    def pid(self):
        return self.process.pid

    @property
    def edge_pid(self):
        return self.status()["edge"]["pid"]

    def worker_pids(self):
        """Of the serving generation, those that are ready."""
        return [w["pid"] for g in self.status()["generations"] if g["state"] == "serving"
                for w in g["workers"] if w["state"] == "up"]

    def workers_without(self, n, *gone):
        """The pids of n ready workers when none of those gone is among them, else None: all from one look, as two may see two states."""
        now = self.worker_pids()
        return now if len(now) == n and not set(now) & set(gone) else None

    def errors(self):
        return json_lines(self.log)

    def messages(self, **wanted):
        """The error log's lines that have all these values (a compiled pattern matches part of the value)."""
        def fits(line):
            return all(v.search(str(line.get(k, ""))) if hasattr(v, "search") else line.get(k) == v
                       for k, v in wanted.items())
        return [line for line in self.errors() if fits(line)]

    def wait_message(self, seconds=10.0, **wanted):
        return until(lambda: self.messages(**wanted), lambda: "%r in the log\n%s" % (wanted, self.said()), seconds)[0]

    def wait_access(self, number=1, seconds=10.0, **wanted):
        def found():
            rows = [r for r in json_lines(self.access) if all(r.get(k) == v for k, v in wanted.items())]
            return rows if len(rows) >= number else None
        return until(found, lambda: "%d of %r in the access log" % (number, wanted), seconds)

    # ---- clients ----

    def address(self, scheme="http"):
        for url in self.status()["addresses"]:
            if url.startswith(scheme + "://"):
                host, _, port = url.split("://")[1].rstrip("/").rpartition(":")
                return host.strip("[]"), int(port)
        raise AssertionError("no %s address in %r" % (scheme, self.status()["addresses"]))

    def client(self, tls=None, name=None, scheme=None, **more):
        scheme = scheme or ("https" if tls else "http")
        c = client.Client(client.connect(self.address(scheme), tls, name, timeout=20.0 * SLOW, **more))
        self._clients.append(c)
        return c

    def get(self, target="/", *fields, **more):
        """One request on a connection of its own."""
        return self.request("GET", target, fields, **more)

    def request(self, method, target, fields=(), body=None, **more):
        c = self.client()
        try:
            return c.request(method, target, fields, body, **more)
        finally:
            c.close()

    # ---- the end ----

    def _look(self):
        """Remembers who belongs to it, to ask for them after the end."""
        if self.process is not None and self.process.poll() is None:
            self._seen.update(processes.descendants(self.process.pid))

    def _level_of_descriptors(self):
        """The edge's open descriptors but those its file cache keeps, which are regular files that have a name."""
        def kept(link):
            return link.startswith("/") and not link.startswith(("/dev", "/memfd")) and not link.endswith("(deleted)") \
                and os.path.isfile(link) and Path(link) not in (self.log, self.access, self.stdout, self.stderr)
        return sum(not kept(link) for link in processes.descriptors(self.edge_pid))

    def ask_nothing_left(self):
        """No connection, slot, queued request or descriptor of what was done is left in the edge."""
        for c in self._clients:
            c.close()

        def settled():
            now = self.status()
            if now["state"] != "running" or now["reload"] != "idle" or "generations" not in now["edge"]:
                return False
            left = [g["slots_used"] for g in now["edge"]["generations"]] + [now["edge"]["queued"]]
            return not any(left) and self._level_of_descriptors() <= self._level + self.more_descriptors

        def told():
            return "the edge to let go: %s\ndescriptors %d, at first %d: %s" % (
                json.dumps(self.status()["edge"]), self._level_of_descriptors(), self._level,
                sorted(processes.descriptors(self.edge_pid)))

        until(settled, told, 10.0)
        if not SANITIZED:
            peak = processes.memory(self.edge_pid, "VmHWM")
            assert peak <= self.memory_max, "the edge had grown to %d bytes" % peak

    def ask_logs(self):
        """No sanitizer line anywhere, no alert or error that the test did not expect, every line whole."""
        for path in (self.stdout, self.stderr, self.log, self.access):
            text = path.read_text(errors="replace") if path.exists() else ""
            assert not SANITIZER.search(text), text[-20000:]
        unexpected = [line for line in self.errors() if line.get("level") in ("alert", "error")
                      and not any(re.search(p, json.dumps(line, ensure_ascii=False)) for p in self.expected)]
        assert not unexpected, "unexpected in the log: %s" % json.dumps(unexpected, indent=1)
        json_lines(self.access)

    def ask_no_process(self):
        def left():
            seen = [p for p, start in self._seen.items()
                    if processes.alive(p) and (processes.stat(p) or (0, 0, 0))[2] == start]
            return set(seen) | set(processes.marked(self.marker))

        until(lambda: not left(), lambda: "no process to be left: %r" % {p: processes.title(p) for p in left()}, 5.0)

    def finish(self):
        """Ends it as TERM would, and asks. What still runs after a failure is killed, by its ids."""
        if self._finished or self.process is None:
            shutil.rmtree(self.short, ignore_errors=True)
            return
        self._finished = True
        try:
            if self.process.poll() is None:
                self.ask_nothing_left()
                self.signal(signal.SIGTERM)
            code = self.wait_exit()
            assert code == self.exit_code, "exit status %d\n%s" % (code, self.said())
            self.ask_no_process()
            self.ask_logs()
            assert not self.control.exists(), "the control socket is left"
        finally:
            self._kill_rest()
            shutil.rmtree(self.short, ignore_errors=True)

    def _kill_rest(self):
        self._look()
        for c in self._clients:
            c.close()
        own = [] if self.process.poll() is not None else [self.process.pid]
        for pid in {*own, *processes.marked(self.marker)}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(10)
