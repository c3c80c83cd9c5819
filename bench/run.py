#!/usr/bin/env python3
"""Measures Quintet beside gunicorn and nginx + gunicorn, on this machine, in one run.

Each page is loaded by wrk for some seconds from every server in turn, in several rounds, so that a slow minute of
the machine meets all of them; the table shows medians. CPU is what the server's processes used, user and
system, per request: unlike requests per second it does not count the load generator, which shares the cores.
usage: run.py [--seconds 5] [--rounds 3] [--connections 64] [--only PEER] [--json FILE]
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import peers

SHOP = peers.ROOT / "examples" / "shop"
TICKS = os.sysconf("SC_CLK_TCK")

# name → (folder, application, path)
PAGES = {
    "hello world": (peers.ROOT / "bench", "hello:app", "/"),
    "shop: JSON of the products": (SHOP, "shop.wsgi:application", "/api/products/"),
    "shop: front page": (SHOP, "shop.wsgi:application", "/"),
}


def processes():
    """pid → (parent, CPU seconds of it and of its ended children, command) of every process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        fields = stat[stat.rindex(")") + 2:].split()
        found[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / TICKS, title)
    return found


def cpu_of(roots):
    """CPU seconds of the trees below the roots: (all, those whose title names the edge)."""
    table = processes()
    inside = set(roots)
    grown = True
    while grown:
        more = {pid for pid, (parent, _, _) in table.items() if parent in inside} - inside
        grown = bool(more)
        inside |= more
    rows = [table[pid] for pid in inside if pid in table]
    return sum(r[1] for r in rows), sum(r[1] for r in rows if "quintet: edge" in r[2])


def seconds_of(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[unit]


def load(url, seconds, connections):
    """One run of wrk: requests, duration, p99 latency in seconds, failures."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s", url],
        capture_output=True, text=True, check=True,
    )
    requests, duration = re.search(r"(\d+) requests in ([\d.]+\w+),", done.stdout).groups()
    p99 = re.search(r"99%\s+(\S+)", done.stdout)[1]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", done.stdout)
    failures = (int(bad[1]) if bad else 0) + (sum(map(int, errors.groups())) if errors else 0)
    return int(requests), seconds_of(duration), seconds_of(p99), failures


def wait_for(url, started, log_folder):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read()
        except OSError:
            if any(child.poll() is not None for child in started):
                break
            time.sleep(0.05)
    logs = "".join(log.read_text(errors="replace")[-2000:] for log in log_folder.glob("*.log"))
    raise SystemExit(f"bench: {url} does not answer\n{logs}")


@contextmanager
def serving(peer, page, workers):
    """Starts a peer for a page; gives (url, roots of its process trees) and ends it afterwards."""
    folder, app, path = PAGES[page]
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as scratch:
        site = peers.Site(folder, app, workers, Path(scratch), peers.free_port())
        started = peers.PEERS[peer](site)
        try:
            url = f"http://127.0.0.1:{site.port}{path}"
            wait_for(url, started, site.dir)
            yield url, [child.pid for child in started]
        finally:
            for child in reversed(started):
                child.send_signal(signal.SIGTERM)
            for child in started:
                try:
                    child.wait(timeout=40)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)


def measure(peer, page, options):
    with serving(peer, page, options.workers) as (url, roots):
        load(url, 1, options.connections)  # caches, first imports, connections
        before = cpu_of(roots)
        requests, duration, p99, failures = load(url, options.seconds, options.connections)
        after = cpu_of(roots)
    each = 1e6 / max(requests, 1)
    return {
        "requests_per_second": requests / duration,
        "p99_ms": p99 * 1e3,
        "cpu_us": (after[0] - before[0]) * each,
        "edge_cpu_us": (after[1] - before[1]) * each,
        "failures": failures,
    }


def median(rows):
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def report(results):
    print(f"\n| {'page':26} | {'server':16} | requests/s | p99 ms | CPU µs/request | of it edge | failures |")
    print("|---|---|--:|--:|--:|--:|--:|")
    for page, table in results.items():
        for peer, row in table.items():
            edge = f"{row['edge_cpu_us']:.1f}" if row["edge_cpu_us"] else ""
            print(f"| {page:26} | {peer:16} | {row['requests_per_second']:10.0f} | {row['p99_ms']:6.1f} "
                  f"| {row['cpu_us']:14.1f} | {edge:>10} | {row['failures']:8.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=peers.PEERS, action="append", help="this server alone (repeatable)")
    parser.add_argument("--json", type=Path, help="also write the medians to this file")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("bench: wrk is missing: make bench installs it")

    os.environ["SHOP_DEMO"] = "1"
    subprocess.run([peers.PYTHON, "manage.py", "prepare"], cwd=SHOP, check=True, stdout=subprocess.DEVNULL)
    names = options.only or list(peers.PEERS)
    rows = {page: {peer: [] for peer in names} for page in PAGES}
    for number in range(options.rounds):
        for page in PAGES:
            for peer in names:
                print(f"bench: round {number + 1} of {options.rounds}: {page}: {peer}", file=sys.stderr)
                rows[page][peer].append(measure(peer, page, options))
    results = {page: {peer: median(found) for peer, found in table.items()} for page, table in rows.items()}
    report(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
