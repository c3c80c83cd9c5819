#!/usr/bin/env python3
"""Refuses a relative link in a Markdown file that leads to no file or to no heading.

usage: links.py [ROOT]
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import csource  # noqa: E402

LINK = re.compile(r"\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
FOLDERS = ["docs", "examples", "bench", "python", "tests", "src", "scripts"]


def anchors(text):
    """The anchors that a reader's Markdown makes of the headings."""
    names = set()
    for heading in re.findall(r"^#+\s+(.*?)\s*#*$", text, re.MULTILINE):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        count = 0
        while name + (f"-{count}" if count else "") in names:
            count += 1
        names.add(name + (f"-{count}" if count else ""))
    return names


def judge(root, path, target):
    """What is wrong with one link, or None."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    name, _, anchor = target.partition("#")
    base = Path(root) if name.startswith("/") else (Path(root) / path).parent
    file = base / name.lstrip("/") if name else Path(root) / path
    if not file.exists():
        return f"{target} leads nowhere"
    if anchor and file.suffix == ".md" and anchor not in anchors(FENCE.sub("", file.read_text())):
        return f"{target}: no such heading"
    return None


def check(root):
    problems = []
    top = [p.relative_to(root) for p in sorted(Path(root).glob("*.md"))]
    for path in top + csource.files(root, FOLDERS, (".md",)):
        text = FENCE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), (Path(root) / path).read_text())
        text = re.sub(r"`[^`\n]*`", lambda m: " " * len(m[0]), text)
        for match in LINK.finditer(text):
            wrong = judge(root, path, match[1])
            if wrong:
                problems.append(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {wrong}")
    return problems


if __name__ == "__main__":
    bad = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print(*bad, sep="\n", end="\n" if bad else "")
    sys.exit(1 if bad else 0)
