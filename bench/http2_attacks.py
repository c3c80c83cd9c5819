#!/usr/bin/env python3
"""Attacks an instance over HTTP/2, with each attack of tests/e2e/kit/h2_attacks.py in turn, and prints what it cost and what other clients noticed.

usage: http2_attacks.py [--seconds 10] [--connections 16] [--only NAME]
"""
import argparse
import sys
import tempfile
from pathlib import Path

from peers import ROOT

sys.path.insert(0, str(ROOT / "tests" / "e2e"))
from kit import h2_attacks, instance  # noqa: E402
from kit.steady import steady_for  # noqa: E402


def row(name, what, figures, good):
    attack = figures.get("attack", {})
    print("| %s | %s | %.0f %% | %.1f MiB | %s | %d | %d | %.1f ms |" % (
        name, what, figures["cpu"] * 100, figures["memory"] / 2**20, attack.get("closed", ""), good["requests"] / figures["seconds"],
        len(good["failed"]), good["p99"] * 1e3), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--only", choices=h2_attacks.ATTACKS, action="append")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quintet-bench-") as scratch:
        static = Path(scratch, "static")
        static.mkdir()
        (static / "big.bin").write_bytes(bytes(1 << 20))
        site = instance.Instance(scratch, files={"app.py": instance.APPS / "plain.py"}, options=["--static", "/static/=%s" % static, "--threads", "2"])
        site.memory_max = 1 << 30
        site.start()
        try:
            print("| attack | kind | edge CPU | edge grew by | ended | others: requests/s | failed | p99 |\n|---|---|--:|--:|--:|--:|--:|--:|")
            cpu = h2_attacks.cpu_seconds(site.edge_pid)
            calm = steady_for(site.address(), given.seconds)
            cpu = (h2_attacks.cpu_seconds(site.edge_pid) - cpu) / given.seconds
            row("none", "", {"cpu": cpu, "memory": 0, "seconds": given.seconds}, calm)
            for name in given.only or h2_attacks.ATTACKS:
                figures = h2_attacks.measure(name, site.address(), site.address(), site.edge_pid, given.seconds, given.connections)
                row(name, h2_attacks.ATTACKS[name].what, figures, figures["good"])
        finally:
            site.finish()


if __name__ == "__main__":
    main()
