#!/usr/bin/env python3
"""Quintet beside others, on this machine, in one run.

    run.py [CASE...]             the cases of those names, else all
    run.py --list                what cases there are, and whom they compare
    run.py hello --only bjoern   beside these peers alone (repeatable)
    run.py hello --binary old=/tmp/old/quintet      beside another binary of Quintet, too (repeatable)
    run.py hello --quintet "--threads 4"            Quintet with these options

Each case starts its servers, warms them up and loads them in turn, in several rounds; the tables show medians, their spread (half the distance of the
extremes) and by how much Quintet was better. CPU is what all processes of a server used, user and system, per request: unlike requests per second it does
not count the load generator, which shares the cores. The figures of each round are written to bench/results/, a file a case; those of runs
with --quick, --only, --binary or --quintet to build/bench/.
"""
import argparse
import os
import signal
import subprocess
import sys

from cases import CASES
from harness import pages, report
from harness.rounds import measure
from harness.serve import lift_limit
from harness.site import ROOT
from peers import PEERS, add_binary, of_case

RESULTS = ROOT / "bench" / "results"  # of runs that stand for themselves
TRIALS = ROOT / "build" / "bench"  # of all others


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", action="append", metavar="PEER")
    parser.add_argument("--binary", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--quintet", metavar="OPTIONS")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--write", action="store_true", help="write the tables into README.md and docs/user/performance.md, and the plots")
    parser.add_argument("--pages", action="store_true", help="measure nothing, write them from the results that are there")
    parser.add_argument("--quick", action="store_true", help="one short round: that it works, not how fast it is")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = options.rounds or 1, options.seconds or 1
    options.trial = bool(options.quick or options.only or options.binary or options.quintet)
    unknown = [name for name in options.case if name not in CASES]
    if unknown:
        parser.error(f"no case named {unknown[0]}; there are: {' '.join(CASES)}")
    return options


def chosen(case, options):
    """(peers of a case that are here, what the others lack)."""
    names = ["quintet", *options.binary_names, *(p for p in of_case(case.peers) if not options.only or p in options.only)]
    lacks = {name: PEERS[name].missing() for name in names}
    return [PEERS[name] for name in names if not lacks[name]], {name: lack for name, lack in lacks.items() if lack}


def one(case, options):
    """Measures a case, prints and saves it; whether Quintet has answered all of it. A peer's failures stand in the table."""
    peers, missing = chosen(case, options)
    for name, lack in missing.items():
        print(f"bench: {case.name}: {name} is not here: {lack}", file=sys.stderr)
    try:
        found = measure(case, peers, options)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"\nbench: {case.name} could not be measured: {error}\n", file=sys.stderr)
        return False
    print(f"\n{report.table(case, found)}\n", flush=True)
    report.save(TRIALS if options.trial else RESULTS, case, found, missing)
    return not any(row.get("failures") for row in found["quintet"])


def main():
    options = arguments()
    if options.list:
        for case in CASES.values():
            print(f"{case.name:16} {case.title}: {', '.join(case.peers)}")
        return
    if options.pages:
        return pages.write(RESULTS, CASES, PEERS)
    lift_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    options.binary_names = [add_binary(text) for text in options.binary]
    good = [one(CASES[name], options) for name in options.case or CASES]
    if options.write:
        pages.write(RESULTS, CASES, PEERS)
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # servers start as on a site that has run before
    main()
