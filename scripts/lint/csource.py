"""Reads C just deeply enough for the lints: files, code without comments and strings, functions.

The layout that .clang-format enforces makes it exact enough: a function's opening brace, and its closing
one, stand alone in column 0.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""", re.DOTALL
)
SKIP = {".git", "__pycache__"}


def files(root, folders, suffixes):
    """Paths below root, relative to it and sorted, of the sources in the folders that exist."""
    found = []
    for folder in folders:
        for directory, inner, names in os.walk(Path(root) / folder):
            inner[:] = [d for d in inner if d not in SKIP]
            found += [Path(directory, n).relative_to(root) for n in names if n.endswith(suffixes)]
    return sorted(found)


def code(text, keep_strings=False):
    """The text with comments (and the insides of strings) blanked, every line still in its place."""
    def blank(match):
        part = match.group(0)
        if match.lastgroup == "comment":
            return re.sub(r"[^\n]", " ", part)
        if keep_strings:
            return part
        return part[0] + " " * (len(part) - 2) + part[-1]
    return TOKEN.sub(blank, text)


class Function(NamedTuple):
    name: str
    line: int  # of its name
    length: int  # lines from its name to the closing brace
    parameters: int


def count_parameters(inside):
    """How many parameters the text between the parentheses of a signature declares."""
    if inside.strip() in ("", "void"):
        return 0
    depth = 0
    commas = 0
    for c in inside:
        depth += (c in "([{") - (c in ")]}")
        commas += c == "," and depth == 0
    return commas + 1


def closing(text, start):
    """Index of the parenthesis that closes the one at start."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    return len(text)


def functions(text):
    """The functions that a C file defines."""
    lines = code(text).split("\n")
    found = []
    for at, line in enumerate(lines):
        if line.rstrip() != "{":
            continue
        start = at
        while start > 0 and lines[start - 1].strip() and not re.search(r"[;}#]\s*$|^#", lines[start - 1]):
            start -= 1
        signature = "\n".join(lines[start:at])
        name = next((m for m in re.finditer(r"\b(\w+)\s*\(", signature) if m[1] != "__attribute__"), None)
        end = next((i for i in range(at, len(lines)) if lines[i].startswith("}")), len(lines) - 1)
        if name is None:
            continue
        inside = signature[name.end():closing(signature, name.end() - 1)]
        first = start + signature[:name.start()].count("\n")
        found.append(Function(name[1], first + 1, end - first + 1, count_parameters(inside)))
    return found
