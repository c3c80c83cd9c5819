#!/usr/bin/env python3
"""Keeps functions and files small: the limits of CONTRIBUTING.md.

Over SOFT lines a function is listed, over HARD it is refused; so are a longer file and more parameters than
a reader can keep apart. scripts/lint/sizes.allow names exceptions as `PATH NAME REASON`, where NAME is a function or
`-` for the file; one that is no longer needed is refused too. usage: sizes.py [ROOT]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import csource  # noqa: E402

SOFT_FUNCTION = 60
HARD_FUNCTION = 100
HARD_FILE = 800
PARAMETERS = 5
ALLOW = "scripts/lint/sizes.allow"


def allowed(root):
    """The exceptions as {(path, name)} and what is wrong with the list."""
    exceptions, problems = set(), []
    path = Path(root) / ALLOW
    for line in path.read_text().splitlines() if path.exists() else []:
        words = line.split(None, 2)
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 3:
            problems.append(f"{ALLOW}: '{line}' gives no reason")
        exceptions.add(tuple(words[:2]))
    return exceptions, problems


def measure(path, text):
    """(name, problem, refused) of everything in one file that is over a limit."""
    lines = text.count("\n")
    if lines > HARD_FILE:
        yield "-", f"{path}: {lines} lines, at most {HARD_FILE}: split it", True
    for function in csource.functions(text):
        where = f"{path}:{function.line}: {function.name}"
        if function.length > SOFT_FUNCTION:
            yield function.name, f"{where} has {function.length} lines", function.length > HARD_FUNCTION
        # a unit test of cmocka has one; the limit is for what people call
        if function.parameters > PARAMETERS:
            yield function.name, f"{where} has {function.parameters} parameters, at most {PARAMETERS}", True


def check(root):
    """The problems that refuse, and the functions worth another look."""
    exceptions, problems = allowed(root)
    used, notes = set(), []
    for path in csource.files(root, ["src", "tests"], (".c", ".h")):
        for name, problem, refused in measure(path, (Path(root) / path).read_text()):
            if refused and (str(path), name) in exceptions:
                used.add((str(path), name))
            else:
                (problems if refused else notes).append(problem)
    problems += [f"{ALLOW}: {' '.join(e)} is not needed any more" for e in sorted(exceptions - used)]
    return problems, notes


if __name__ == "__main__":
    bad, long = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    for note in long:
        print(f"look again: {note}")
    print(*bad, sep="\n", end="\n" if bad else "")
    sys.exit(1 if bad else 0)
