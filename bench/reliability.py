#!/usr/bin/env python3
"""Five faults under the same load for Quintet and for others: how many requests are lost, and how long the slowest wait.

The load is that of tests/faults (each client checks every byte), the application too. Servers take turns within each fault, so that a slow
minute of the machine meets several of them. With --write the table goes into docs/user/reliability.md, between its markers.
usage: reliability.py [--seconds 12] [--only NAME] [--write]
"""
import argparse
import datetime
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import rivals

FAULTS = rivals.ROOT / "tests" / "faults"
PAGE = rivals.ROOT / "docs" / "user" / "reliability.md"
sys.path.insert(0, str(FAULTS))

from kit.waiting import until  # noqa: E402
from rig import content, driver, pace  # noqa: E402
from rig.clients import LARGE  # noqa: E402
from rig.tally import percentile  # noqa: E402

MIX = [("page", "http", True)] * 4 + [("page", "http", False)] * 2 + [
    ("download", "http", True), ("download", "http", False), ("file", "http", True), ("upload", "http", True), ("upload", "http", False)]
PATIENCE = 5.0  # seconds after which a client of the overload has left
SERVICE = 0.1
CAPACITY = rivals.WORKERS * rivals.THREADS / SERVICE


@contextmanager
def serving(kind):
    folder = Path(tempfile.mkdtemp(prefix="quintet-reliability-"))
    folder.chmod(0o755)
    shutil.copy(FAULTS / "apps" / "site.py", folder / "app.py")
    shutil.copy(FAULTS / "rig" / "content.py", folder)
    (folder / "files").mkdir()
    (folder / "files" / "large.bin").write_bytes(content.whole(*LARGE))
    rival = kind(rivals.site(folder, "app:application"))
    rival.start()
    try:
        wait(rival, ("127.0.0.1", rival.site.port))
        yield rival, ("127.0.0.1", rival.site.port)
    finally:
        rival.stop()
        shutil.rmtree(folder, ignore_errors=True)


def wait(rival, address):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with socket.create_connection(address, 5) as s:
                s.sendall(b"GET /page?n=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if b" 200 " in s.recv(100):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("%s does not answer:\n%s" % (rival.name, "".join(f.read_text()[-2000:] for f in rival.site.dir.glob("*.log"))))


def loaded(address, fault):
    """Under the load of the mix: (lost, of, p99 in seconds, what was seen)."""
    with driver.Load({"http": address}, mix=MIX, think=0.01, limit=10) as load:
        fault()
        time.sleep(1)
    r = load.report
    seen = Counter("%s %s" % (f.what, f.status or "") for f in r.failures)
    return {"lost": len(r.failures), "of": len(r.failures) + sum(r.answered.values()), "p99": r.p99, "seen": {k.strip(): n for k, n in seen.items()}}


def reloads(rival, address, seconds):
    def fault():
        for _ in range(5):
            rival.reload()
            time.sleep(seconds / 5)
    return loaded(address, fault)


def deaths(rival, address, seconds):
    rng = random.Random(1)

    def fault():
        for _ in range(5):
            os.kill(rng.choice(until(lambda: sorted(rival.workers()), "a worker to kill")), signal.SIGKILL)
            time.sleep(seconds / 5)
    return loaded(address, fault)


def slow_heads(_rival, address, seconds):
    def fault():
        attack = subprocess.Popen(["slowhttptest", "-H", "-c", "1000", "-r", "1000", "-i", "1", "-l", "600", "-v", "0", "-u",
                                   "http://%s:%d/page?n=1" % address],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        attack.kill()
        attack.wait()
    return loaded(address, fault)


def slow_uploads(_rival, address, seconds):
    """Thirty-two phones: 64 KiB in pieces of 1 KiB, twenty a second."""
    stop = threading.Event()

    def phone():
        while not stop.is_set():
            try:
                with socket.create_connection(address, 10) as s:
                    s.sendall(b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 65536\r\n\r\n")
                    for _ in range(64):
                        s.sendall(bytes(1024))
                        stop.wait(0.05)
                    s.recv(4096)
            except OSError:
                stop.wait(0.1)

    def fault():
        phones = [threading.Thread(target=phone) for _ in range(32)]
        for one in phones:
            one.start()
        time.sleep(seconds)
        stop.set()
        for one in phones:
            one.join()
    return loaded(address, fault)


def overload(_rival, address, seconds):
    """Five times what it can do; who has waited for PATIENCE leaves."""
    seen = pace.run(address, "/work?ms=%d" % (SERVICE * 1000), seconds, rate=5 * CAPACITY, limit=PATIENCE)
    first = min(b for b, _, _ in seen)
    steady = [(s, what) for b, s, what in seen if first + 2 <= b + s <= first + seconds]
    served = [s for s, what in steady if what == 200]
    return {"goodput": len(served) / (seconds - 2) / CAPACITY, "p99": percentile(served, 0.99),
            "told": sum(what == 503 for _, what in steady), "of": len(steady),
            "seen": dict(Counter(str(what)[:60] for _, what in steady if what != 200))}


TABLE = {"five reloads": reloads, "five killed workers": deaths, "1,000 slow heads": slow_heads, "32 slow uploads": slow_uploads,
         "five times overload": overload}


def cell(fault, row):
    if fault == "five times overload":
        told = 100 * row["told"] / max(1, row["of"] - row["goodput"] * CAPACITY)
        return "%.0f %%, %.1f s, %s" % (100 * row["goodput"], row["p99"], "told" if told > 50 else "left waiting")
    return "%d of %d, %.0f ms" % (row["lost"], row["of"], 1000 * row["p99"])


def versions():
    def first(*words):
        done = subprocess.run(words, capture_output=True, text=True)
        return re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)[0]
    return "Quintet %s, gunicorn %s, nginx %s, HAProxy %s, uWSGI %s" % (
        first(rivals.ROOT / "build" / "quintet", "version"), first(rivals.PYTHON, "-m", "gunicorn", "--version"), first("/usr/sbin/nginx", "-v"),
        first("/usr/sbin/haproxy", "-v"), first("uwsgi", "--version"))


def markdown(results, seconds):
    names = [kind.name for kind in rivals.RIVALS if kind.name in next(iter(results.values()))]
    lines = ["Measured on %s with %d processors, each cell %d s: `make reliability ARGS=\"--seconds %d\"`. %s, Python %d.%d." % (
        datetime.date.today().isoformat(), os.cpu_count(), seconds, seconds, versions(), *sys.version_info[:2]), "",
        "| | %s |" % " | ".join(names), "|---%s|" % ("|--:" * len(names))]
    lines += ["| %s | %s |" % (fault, " | ".join(cell(fault, rows[n]) for n in names)) for fault, rows in results.items()]
    return "\n".join(lines)


def write(text):
    begin, end = "<!-- table: begin -->\n", "<!-- table: end -->"
    page = PAGE.read_text()
    a, b = page.index(begin) + len(begin), page.index(end)
    PAGE.write_text(page[:a] + "\n" + text + "\n\n" + page[b:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=12)
    parser.add_argument("--only", choices=[k.name for k in rivals.RIVALS], action="append")
    parser.add_argument("--fault", choices=TABLE, action="append")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    results = {}
    for fault in options.fault or TABLE:
        for kind in rivals.RIVALS:
            if options.only and kind.name not in options.only:
                continue
            with serving(kind) as (rival, address):
                row = TABLE[fault](rival, address, options.seconds)
            results.setdefault(fault, {})[kind.name] = row
            print("reliability: %s: %s: %s" % (fault, kind.name, json.dumps(row)), file=sys.stderr, flush=True)
    text = markdown(results, options.seconds)
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
