"""Instructions of a request's way through the edge, counted by callgrind, against budgets: a slowdown is seen on the noisiest machine.

usage: budgets.py PATHS COMPILER VERSION BUILDTYPE      (PATHS: the program of paths.c; meson says them)

The budgets hold for Debian 12's compiler and libraries in the build that users get; elsewhere the counts are reported only.
What a change makes dearer by more than MARGIN fails. Where it is worth it, the new count goes into BUDGETS, with the reason in the commit's
message; what has become cheaper by more is said, so that the budget follows.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REQUESTS = 200
MARGIN = 0.05
MEASURED_WITH = ("gcc", "12", "debugoptimized", "12")  # compiler, its major version, build type, major version of Debian

# (case of paths.c, function): instructions a request, of all that runs below the function
BUDGETS = {
    ("hello", "measured"): 19598,  # all of the edge's: two wake-ups of the loop, the access log with it
    ("hello", "h1_head_parse"): 4401,  # a browser's head of seven fields
    ("hello", "route"): 470,  # hosts, gates, the table of routes
    ("hello", "app_start"): 2939,  # hand-over: fields for the application, queue, slot
    ("hello", "take_attention"): 7959,  # the response: out of the slot, head made, sent
    ("file", "measured"): 15464,  # 1 KB, out of the cache of open files
}


def annotated(program, case, folder):
    """Text of callgrind_annotate, inclusive. The C library is held to its plainest functions, so that the processor does not matter."""
    out = Path(folder, case)
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--toggle-collect=measured", program, case, str(REQUESTS)]
    plain = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-SSSE3,-Fast_Unaligned_Copy"}
    done = subprocess.run(command, env={**os.environ, **plain}, capture_output=True, text=True, timeout=110)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", out], capture_output=True, text=True, check=True).stdout


def count(text, function):
    """Instructions a request; 0: it has not run."""
    found = re.search(rf"^\s*([\d,]+) \([ \d.]+%\)\s+\S+:{function}(?: |$)", text, re.M)
    return int(found[1].replace(",", "")) / REQUESTS if found else 0


def verdict(used, budget):
    """(what to say, whether it is good)"""
    change = used / budget - 1 if budget else 1
    if not used:
        return "has not run: was it renamed?", False
    if change > MARGIN:
        return f"{change:+.1%}: dearer than its budget; worth it? then BUDGETS says {used:.0f}", False
    if change < -MARGIN:
        return f"{change:+.1%}: cheaper: BUDGETS may say {used:.0f}", True
    return f"{change:+.1%}", True


def here(arguments):
    release = Path("/etc/os-release").read_text()
    debian = re.search(r'^VERSION_ID="?(\d+)', release, re.M) if re.search(r"^ID=debian", release, re.M) else None
    compiler, version, build = arguments
    return (compiler, version.partition(".")[0], build, debian[1] if debian else "")


def main():
    binding = here(sys.argv[2:]) == MEASURED_WITH
    good = True
    with tempfile.TemporaryDirectory(prefix="quintet-budgets-") as folder:
        texts = {case: annotated(sys.argv[1], case, folder) for case in sorted({case for case, _ in BUDGETS})}
    for (case, function), budget in BUDGETS.items():
        used = count(texts[case], function)
        text, fine = verdict(used, budget)
        good = good and fine
        print(f"{case:6} {function:16} {used:8.0f} of {budget:6}  {text}")
    if not binding:
        print("reported only: the budgets are for Debian 12 and its gcc")
    return 0 if good or not binding else 1


if __name__ == "__main__":
    sys.exit(main())
