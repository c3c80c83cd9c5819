#!/usr/bin/env python3
"""Runs clang-tidy over every C file of the build, several at a time, and remembers what was clean.

A file is looked at again when it, a header of ours that it includes, the checks or its compiler flags
changed: a second run costs nothing. Exit 77: the pinned clang-tidy (Debian 12's; others know other checks) is not here.
usage: tidy.py BUILD_DIRECTORY [JOBS]
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

MAJOR = 14
ROOT = Path(__file__).resolve().parent.parent.parent


def find_tool():
    for name in (f"clang-tidy-{MAJOR}", "clang-tidy"):
        path = shutil.which(name)
        if path and f"version {MAJOR}." in subprocess.run([path, "--version"], capture_output=True, text=True).stdout:
            return path
    return None


def entries(build):
    """(file, compiler command) of our C files, each file once."""
    seen = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = (Path(entry["directory"]) / entry["file"]).resolve()
        if file.suffix == ".c" and ROOT in file.parents and build not in file.parents:
            seen.setdefault(file, entry["command"])
    return sorted(seen.items())


def text_of(file, seen):
    """The file's text with that of every header of ours that it includes, directly or not."""
    if file in seen or not file.exists():
        return ""
    seen.add(file)
    text = file.read_text()
    found = re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE)
    places = (ROOT / "src", ROOT / "tests" / "unit", file.parent)
    return text + "".join(text_of((place / name).resolve(), seen) for name in found for place in places)


def digest(*parts):
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def examine(tool, build, file):
    """What clang-tidy has to say of one file: nothing when it is clean."""
    done = subprocess.run(
        [tool, "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-ignored-optimization-argument", str(file)],
        capture_output=True, text=True, cwd=ROOT,
    )
    if done.returncode == 0:
        return ""
    return done.stdout + re.sub(r"^\d+ warnings.*\n", "", done.stderr, flags=re.MULTILINE)


def main(build, jobs):
    tool = find_tool()
    if tool is None:
        print(f"clang-tidy {MAJOR} is not here (it comes with Debian 12)")
        return 77
    stamps = build / "lint-tidy"
    stamps.mkdir(exist_ok=True)
    checks = (ROOT / ".clang-tidy").read_text()

    work = []
    for file, command in entries(build):
        stamp = stamps / digest(str(file), command, checks, text_of(file, set()))
        if not stamp.exists():
            work.append((file, stamp))
    failed = False
    with ThreadPoolExecutor(jobs) as threads:
        for (_, stamp), output in zip(work, threads.map(lambda w: examine(tool, build, w[0]), work)):
            if output:
                failed = True
                print(output, end="", flush=True)
            else:
                stamp.touch()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 2))
