#!/usr/bin/env python3
"""Refuses a C file that no meson.build names: it would be neither built nor run, and nobody would notice.

usage: listed.py [ROOT]
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import csource  # noqa: E402


def named(root, path):
    """Whether a meson.build above names the file: whole, or a test by what follows its prefix."""
    for folder in path.parents:
        build = Path(root) / folder / "meson.build"
        words = set(re.findall(r"'([^']*)'", build.read_text())) if build.exists() else set()
        inside = str(path.relative_to(folder))
        if inside in words or re.sub(r"^(test|fuzz)_(\w+)\.c$", r"\2", inside) in words:
            return True
    return False


def check(root):
    paths = csource.files(root, ["src", "tests"], (".c",))
    return [f"{path}: no meson.build names it" for path in paths if not named(root, path)]


if __name__ == "__main__":
    bad = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print(*bad, sep="\n", end="\n" if bad else "")
    sys.exit(1 if bad else 0)
