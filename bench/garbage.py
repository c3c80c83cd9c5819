#!/usr/bin/env python3
"""What garbage collection out of the request is worth: the shop with --gc idle and --gc python, in turn, one worker.

Taken are the CPU time of the whole server per request, and of each request inside the application, which a busy machine
does not disturb as it does latencies. usage: garbage.py [--seconds 5] [--rounds 3] [--connections 4] [--threads 1]
"""

import argparse
import json
import os
import statistics
import subprocess
import urllib.parse
import urllib.request

from harness import load
from harness.serve import serving
from harness.site import PYTHON, ROOT
from peers import PEERS

SHOP = ROOT / "examples" / "shop"
PAGES = {"JSON of the products": "/api/products/", "front page": "/"}
FIELDS = ("p50_us", "p99_us", "max_us", "inside_us", "outside_us", "pause_us", "rss_mb")


def times(url):
    with urllib.request.urlopen(urllib.parse.urljoin(url, "/_times")) as answer:
        return json.load(answer)


def measure(way, path, options):
    os.environ["QUINTET_GC"] = way
    with serving(PEERS["quintet"], path, chdir=SHOP, app="timed_shop:application", workers=1) as server:
        url = server.url(path)
        load.wrk(url, 2, options.connections)
        times(url)
        before = server.costs()
        figures = load.wrk(url, options.seconds, options.connections)
        after = server.costs()
        found = times(url)
    assert figures["failures"] == 0
    return {"cpu_us": (after[0] - before[0]) * 1e6 / figures["requests"], **{field: found[field] for field in FIELDS}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    os.environ.update(SHOP_DEMO="1", PYTHONPATH=str(ROOT / "bench"), QUINTET_THREADS=str(options.threads))
    subprocess.run([PYTHON, "manage.py", "prepare"], cwd=SHOP, check=True, stdout=subprocess.DEVNULL)
    print("| page | --gc | CPU µs/request | in the application: median | p99 | most | of it collector, mean | longest | collector outside, mean | MB |")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for page, path in PAGES.items():
        rows = {"idle": [], "python": []}
        for _ in range(options.rounds):
            for way, found in rows.items():
                found.append(measure(way, path, options))
        for way, found in rows.items():
            m = {key: statistics.median(row[key] for row in found) for key in found[0]}
            print(f"| {page} | {way} | {m['cpu_us']:.0f} | {m['p50_us']:.0f} | {m['p99_us']:.0f} | {m['max_us']:.0f} "
                  f"| {m['inside_us']:.1f} | {m['pause_us']:.0f} | {m['outside_us']:.1f} | {m['rss_mb']:.0f} |")


if __name__ == "__main__":
    main()
