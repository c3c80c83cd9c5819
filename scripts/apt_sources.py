#!/usr/bin/env python3
"""Tells where this machine gets Debian from, for a chroot of another suite.

Reads the machine's apt sources (both formats), takes those of its own Debian suite and swaps the suite's name,
so no address of a mirror stands in the tree.
usage: apt_sources.py mirror           prints the address of the archive
       apt_sources.py list SUITE       prints one-line sources for SUITE
"""

import re
import sys
from pathlib import Path

APT = Path("/etc/apt")


def codename(os_release):
    match = re.search(r"^VERSION_CODENAME=\"?([\w-]+)", os_release, re.MULTILINE)
    if not match:
        raise SystemExit("apt_sources: /etc/os-release names no suite")
    return match[1]


def from_deb822(text):
    """(address, suite, components) of each binary source of a .sources file."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {k.lower(): v.split() for k, v in re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, re.MULTILINE)}
        if "deb" in fields.get("types", []) and fields.get("enabled", ["yes"]) != ["no"]:
            for uri in fields.get("uris", []):
                for suite in fields.get("suites", []):
                    yield uri, suite, fields.get("components", [])


def from_list(text):
    """The same of a sources.list."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if match:
            yield match[1], match[2], match[3].split()


def debian_sources(apt, suite):
    """(address, suffix of the suite's name) of the sources that are Debian's own suite."""
    found = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if not path.is_file() or path.suffix not in (".list", ".sources"):
            continue
        reader = from_deb822 if path.suffix == ".sources" else from_list
        for uri, name, components in reader(path.read_text()):
            match = re.fullmatch(re.escape(suite) + r"(|-updates|-security)", name.rstrip("/"))
            if match and "main" in components and (uri, match[1]) not in found:
                found.append((uri, match[1]))
    if not any(suffix == "" for _, suffix in found):
        raise SystemExit(f"apt_sources: no source of {suite} in {apt}")
    return found


def main(words):
    sources = debian_sources(APT, codename(Path("/etc/os-release").read_text()))
    if words[:1] == ["mirror"]:
        print(next(uri for uri, suffix in sources if suffix == ""))
    elif words[:1] == ["list"] and len(words) == 2:
        for uri, suffix in sources:
            print(f"deb {uri} {words[1]}{suffix} main")
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
