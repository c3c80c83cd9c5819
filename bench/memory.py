#!/usr/bin/env python3
"""What --preload saves: the memory of the shop's workers with and without it, before and after some requests.

Taken is the proportional set size of the workers and of the preloader: a page that n processes share counts as 1/n in each.
usage: memory.py [--workers 4] [--seconds 5]
"""

import argparse
import os
import subprocess
from pathlib import Path

import peers
import run


def pss(roots):
    """MB of all worker and preloader processes below the roots."""
    table = run.processes()
    total = 0
    for pid, (_, _, title) in table.items():
        if not title.startswith(("quintet: worker", "quintet: preloader")) or not is_below(pid, roots, table):
            continue
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) / 1024
    return total


def is_below(pid, roots, table):
    while pid in table:
        if pid in roots:
            return True
        pid = table[pid][0]
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    os.environ["SHOP_DEMO"] = "1"
    subprocess.run([peers.PYTHON, "manage.py", "prepare"], cwd=run.SHOP, check=True, stdout=subprocess.DEVNULL)
    print("| | MB at the start | MB after the load |")
    print("|---|--:|--:|")
    for name, preload in (("each imports", "no"), ("--preload", "yes")):
        os.environ["QUINTET_PRELOAD"] = preload
        with run.serving("quintet", "shop: front page", options.workers) as (url, roots):
            first = pss(roots)
            run.load(url, options.seconds, 16)
            print(f"| {name} | {first:.0f} | {pss(roots):.0f} |")


if __name__ == "__main__":
    main()
