"""What the clients saw: every answer counted, every failure kept with what is known of it."""
import dataclasses
import threading
import time
from typing import Optional

SAFE = {"page", "static", "download", "file", "work"}


@dataclasses.dataclass
class Failure:
    """what: wrong (not HTTP, or not the right bytes), status, refused, reset (before the first byte), broken (after it), hung."""
    what: str
    kind: str
    began: float  # CLOCK_MONOTONIC, the same in all processes
    ended: float
    connected: float  # when the connection was asked for
    fresh: bool  # the first request of its connection
    status: Optional[int] = None
    request_id: Optional[str] = None
    detail: str = ""

    @property
    def safe(self):
        return self.kind in SAFE


def percentile(values, share):
    """0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Tally:
    """Filled by all threads of the load."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answered, self.failures, self.latencies = {}, [], []
        self.rows, self.unsure = [], []  # (client, number) answered with 200, and those without a clear answer
        self.reopened = 0  # connections that the server had closed while they were idle, or HTTP/2 that it leaves
        self.retried = 0   # requests of HTTP/2 that it had not begun

    def good(self, kind, seconds):
        with self.lock:
            self.answered[kind] = self.answered.get(kind, 0) + 1
            self.latencies.append(seconds)

    def bad(self, failure):
        with self.lock:
            self.failures.append(failure)

    def close_seen(self):
        with self.lock:
            self.reopened += 1

    def again(self, number):
        with self.lock:
            self.retried += number

    def progress(self):
        with self.lock:
            return {"answered": dict(self.answered), "failed": len(self.failures), "time": time.monotonic()}

    def report(self):
        return {"answered": self.answered, "failures": [dataclasses.asdict(f) for f in self.failures], "rows": self.rows,
                "unsure": self.unsure, "reopened": self.reopened, "retried": self.retried, "p50": percentile(self.latencies, 0.5),
                "p99": percentile(self.latencies, 0.99), "longest": max(self.latencies, default=0.0)}
