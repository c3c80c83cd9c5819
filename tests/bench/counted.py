"""Instructions by function, counted by callgrind, against budgets: what budgets.py (the edge) and worker_budgets.py share.

The budgets hold for Debian 12's compiler, Python and libraries in the build that users get; elsewhere the counts are reported only.
What a change makes dearer by more than MARGIN fails. Where it is worth it, the new count goes into BUDGETS, with the reason in the commit's
message; what has become cheaper by more is said, so that the budget follows.
"""

import re
import subprocess
from pathlib import Path

MARGIN = 0.05
MEASURED_WITH = ("gcc", "12", "debugoptimized", "12")  # compiler, its major version, build type, major version of Debian

# The C library is held to its plainest functions, so that the processor does not matter.
PLAIN = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-SSSE3,-Fast_Unaligned_Copy"}


def valgrind(out, *options):
    """The start of a command whose counts go to `out`."""
    return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *options]


def annotated(out):
    """Text of callgrind_annotate, inclusive."""
    return subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", out], capture_output=True, text=True, check=True).stdout


def count(text, function, requests):
    """Instructions a request; 0: it has not run."""
    found = re.search(rf"^\s*([\d,]+) \([ \d.]+%\)\s+\S+:{function}(?: |$)", text, re.M)
    return int(found[1].replace(",", "")) / requests if found else 0


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


def judged(budgets, texts, requests, built_with):
    """Prints a line for each budget; the exit status. budgets: (case, function): instructions; texts: what annotated() says of each case."""
    binding = here(built_with) == MEASURED_WITH
    good = True
    for (case, function), budget in budgets.items():
        used = count(texts[case], function, requests)
        text, fine = verdict(used, budget)
        good = good and fine
        print(f"{case:6} {function:20} {used:8.0f} of {budget:6}  {text}")
    if not binding:
        print("reported only: the budgets are for Debian 12 and its gcc")
    return 0 if good or not binding else 1
