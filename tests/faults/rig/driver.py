"""The test's side of the load: starts it, waits for its progress, and asks the questions at its end."""
import json
import subprocess
import threading
import uuid
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

from kit.instance import PYTHON
from kit.processes import end_with_us
from kit.waiting import SLOW, until
from rig.tally import Failure

LIMIT = 15.0  # seconds without a byte after which a connection counts as hung

# kind, scheme, whether the connection is kept; h2: HTTP/2 over TLS, how many streams at a time
MIX = [
    ("page", "http", True), ("page", "h2", 4), ("page", "http", False), ("page", "https", True), ("page", "https", False),
    ("static", "http", True), ("static", "h2", 2),
    ("download", "h2", 2), ("download", "http", True), ("download", "https", False), ("file", "https", True), ("file", "http", False),
    ("upload", "http", True), ("upload", "h2", 1),
    ("row", "http", True), ("row", "http", False), ("row", "h2", 3),
    ("work", "http", True), ("work", "https", False),  # so that a worker has something in its hands when it is hurt
]


class Load:
    """with Load(addresses, ca) as load: … ; then load.report."""

    def __init__(self, addresses, ca=None, mix=None, think=0.03, limit=LIMIT):
        self.run = uuid.uuid4().hex[:12]
        clients = [words for words in (mix or MIX) if words[1] in addresses]
        self._plan = {"run": self.run, "addresses": addresses, "ca": str(ca) if ca else None, "clients": clients,
                      "think": think * SLOW, "limit": limit * SLOW}
        self.kinds = {kind for kind, _, _ in clients}
        self._now, self.report = {"answered": {}, "failed": 0}, None

    def __enter__(self):
        self._process = subprocess.Popen([PYTHON, str(Path(__file__).with_name("load.py"))], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, preexec_fn=end_with_us)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._say(json.dumps(self._plan))
        try:
            self.more(2)  # of every kind: connections, first imports, caches
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(self, kind, *_):
        self._say("stop")
        self._reader.join(self._plan["limit"] * 2 + 30)
        if self.report is None:
            self._process.kill()
        self._process.wait(30)
        self._process.stdin.close()
        assert self.report is not None or kind, "the load has not ended"

    def _say(self, line):
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def _read(self):
        for line in self._process.stdout:
            said = json.loads(line)
            if "report" in said:
                self.report = SimpleNamespace(**said["report"])
                self.report.failures = [Failure(**f) for f in self.report.failures]
            else:
                self._now = said

    @property
    def answered(self):
        return sum(self._now["answered"].values())

    @property
    def failed(self):
        return self._now["failed"]

    def more(self, each=2, seconds=20.0, kinds=None):
        """Waits until every kind (or those named) has been answered so many times more."""
        seen = dict(self._now["answered"])

        def gone_on():
            assert self._process.poll() is None or self.report, "the load has died"
            return all(self._now["answered"].get(k, 0) - seen.get(k, 0) >= each for k in kinds or self.kinds)

        until(gone_on, lambda: "%d more answers of every kind, got %r of %r" % (each, seen, self._now), seconds)


# ---- what may fail, where the fault allows it ----

def unsafe_502(failure):
    """A worker died with it: told at once, with the id that the log has too."""
    return not failure.safe and failure.what == "status" and failure.status == 502 and bool(failure.request_id)


def begun(failure):
    """Its first part had been sent when its worker died: nobody can send the rest, so it breaks off where all can see it."""
    return failure.what == "broken"


def open_between(begin, end):
    """The edge died between these moments with the connection in its hands."""
    return lambda failure: failure.connected <= end and failure.ended >= begin


def timed_out(failure):
    """A stuck worker had it."""
    return failure.what == "status" and failure.status == 504 and bool(failure.request_id)


def ask(report, rows, *allowed):
    """Nothing failed but what the fault allows; what was answered is in the table, once. rows: a Counter of (client, number) from the table."""
    assert not report.stuck, "%d clients hang" % report.stuck
    bad = [f for f in report.failures if not any(rule(f) for rule in allowed)]
    assert not bad, "%d of %d requests failed: %s\n%s" % (
        len(bad), len(bad) + sum(report.answered.values()), Counter((f.what, f.kind, f.status) for f in bad),
        "\n".join(map(str, bad[:10])))
    lost = [r for r in map(tuple, report.rows) if r not in rows]
    assert not lost, "%d rows were answered and are not in the table: %r" % (len(lost), lost[:10])
    doubled = {r: n for r, n in rows.items() if n > 1}
    assert not doubled, "rows were written twice: %r" % list(doubled.items())[:10]
    unknown = set(rows) - set(map(tuple, report.rows)) - set(map(tuple, report.unsure))
    assert not unknown, "rows that nobody has sent: %r" % list(unknown)[:10]
