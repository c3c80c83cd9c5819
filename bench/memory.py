#!/usr/bin/env python3
"""What --preload saves: the memory of the shop's workers with and without it, before and after some requests.

Taken is the proportional set size of the workers and of the preloader: a page that n processes share counts as 1/n in each.
usage: memory.py [--workers 4] [--seconds 5]
"""

import argparse
import os
import subprocess

from harness import costs, load
from harness.serve import serving
from harness.site import PYTHON, ROOT
from peers import PEERS

SHOP = ROOT / "examples" / "shop"


def pss(server):
    """MB of all worker and preloader processes."""
    workers = [pid for pid, row in costs.tree(server.roots()).items() if row[2].startswith(("quintet: worker", "quintet: preloader"))]
    return costs.pss(workers, below=False) / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    os.environ["SHOP_DEMO"] = "1"
    subprocess.run([PYTHON, "manage.py", "prepare"], cwd=SHOP, check=True, stdout=subprocess.DEVNULL)
    print("| | MB at the start | MB after the load |")
    print("|---|--:|--:|")
    for name, preload in (("each imports", "no"), ("--preload", "yes")):
        os.environ["QUINTET_PRELOAD"] = preload
        with serving(PEERS["quintet"], chdir=SHOP, app="shop.wsgi:application", workers=options.workers) as server:
            first = pss(server)
            load.wrk(server.url("/"), options.seconds, 16)
            print(f"| {name} | {first:.0f} | {pss(server):.0f} |")


if __name__ == "__main__":
    main()
