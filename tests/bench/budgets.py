"""Instructions of a request's way through the edge, against budgets: a slowdown is seen on the noisiest machine. The rules are counted.py's.

usage: budgets.py PATHS COMPILER VERSION BUILDTYPE      (PATHS: the program of paths.c; meson says them)
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import counted

REQUESTS = 200

# (case of paths.c, function): instructions a request, of all that runs below the function
BUDGETS = {
    ("hello", "measured"): 19179,  # all of the edge's: two wake-ups of the loop, the access log with it
    ("hello", "h1_head_parse"): 4042,  # a browser's head of seven fields
    ("hello", "route"): 470,  # hosts, gates, the table of routes
    ("hello", "app_start"): 2939,  # hand-over: fields for the application, queue, slot
    ("hello", "take_attention"): 7900,  # the response: out of the slot, head made, sent
    ("file", "measured"): 14932,  # 1 KB, out of the cache of open files
}


def run(program, case, folder):
    out = Path(folder, case)
    command = [*counted.valgrind(out, "--toggle-collect=measured"), program, case, str(REQUESTS)]
    done = subprocess.run(command, env={**os.environ, **counted.PLAIN}, capture_output=True, text=True, timeout=110)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return counted.annotated(out)


def main():
    with tempfile.TemporaryDirectory(prefix="quintet-budgets-") as folder:
        texts = {case: run(sys.argv[1], case, folder) for case in sorted({case for case, _ in BUDGETS})}
    return counted.judged(BUDGETS, texts, REQUESTS, sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
