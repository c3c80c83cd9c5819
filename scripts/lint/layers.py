#!/usr/bin/env python3
"""Refuses an #include that breaks the arrows between layers, or uses a library outside its owner.

A layer is a folder of src/. What it may include is the table LAYERS, which ARCHITECTURE.md draws; a unit test
may include what its layer may. A library's headers are included by its owners (OWNERS) alone, so that it
can be replaced in one place. usage: layers.py [ROOT]
"""

import re
import sys
from fnmatch import fnmatch
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import csource  # noqa: E402

LAYERS = {
    "base": {},
    "os": {"base"},
    "http": {"base"},
    "conf": {"base"},
    "pack": {"base"},
    "wire": {"base", "os"},
    "pool": {"base", "os"},
    "edge": {"base", "os", "conf", "http", "pack", "wire", "pool"},
    "worker": {"base", "os", "wire", "pool"},
    "super": {"base", "os", "conf", "pack", "wire"},
    "courier": {"base", "os", "conf", "wire"},
}

# header pattern → the files that may include it (patterns below src/)
OWNERS = {
    "openssl/*": ["os/tls*", "os/hmac*"],
    "crypt.h": ["os/passwords*"],
    "Python.h": ["worker/*"],
    "nghttp2/*": ["http/h2*"],
    "yaml.h": ["conf/*"],
    "jansson.h": ["conf/*", "super/*", "courier/*", "edge/manifest.c"],
    "zlib.h": ["pack/encoder*"],
    "brotli/*": ["pack/encoder*"],
    "zstd.h": ["pack/encoder*"],
    "ares.h": ["os/*"],
    "curl/*": ["courier/*"],
    "hiredis/*": ["courier/*"],
    "libpq-fe.h": ["courier/*"],
    "cmocka.h": [],
    # http is bytes in, events out: it knows neither descriptors nor a loop
    "sys/epoll.h": ["os/*"],
    "sys/eventfd.h": ["os/*"],
    "linux/futex.h": ["os/*", "pool/*"],
    "sys/socket.h": ["[!h]*/*"],
    "sys/uio.h": ["[!h]*/*"],
    "poll.h": ["[!h]*/*"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


def layer_of(path):
    """The layer whose rules hold for a file, or None where all is allowed (main.c, e2e helpers)."""
    parts = path.parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("tests", "unit") and len(parts) > 3:
        return parts[2]
    return None


def judge(path, quote, header):
    """What is wrong with one include, or None."""
    layer = layer_of(path)
    in_src = path.parts[0] == "src"
    if ".." in header.split("/"):
        return "an include starts from src/, never with ../"
    if quote == "<":
        for pattern, owners in OWNERS.items():
            if in_src and fnmatch(header, pattern):
                inside = str(Path(*path.parts[1:]))
                if not any(fnmatch(inside, owner) for owner in owners):
                    return f"<{header}> belongs to {', '.join(owners) or 'the tests'}"
        return None
    target = header.split("/")[0]
    if in_src and ("/" not in header or target not in LAYERS) and not header.startswith("quintet_"):
        return f'"{header}": write it from src/, as "layer/module.h"'
    if layer in LAYERS and target in LAYERS and target != layer and target not in LAYERS[layer]:
        return f"{layer} may include only {', '.join(sorted(LAYERS[layer])) or 'libc'}, not {target}"
    return None


def check(root):
    problems = []
    for path in csource.files(root, ["src", "tests/unit", "tests/fuzz"], (".c", ".h")):
        if layer_of(path) is not None and layer_of(path) not in LAYERS:
            problems.append(f"{path}: '{layer_of(path)}' is no layer; the table is in scripts/lint/layers.py")
        text = csource.code((Path(root) / path).read_text(), keep_strings=True)
        for match in INCLUDE.finditer(text):
            wrong = judge(path, match[1], match[2])
            if wrong:
                problems.append(f"{path}:{text.count(chr(10), 0, match.start(2)) + 1}: {wrong}")
    return problems


if __name__ == "__main__":
    bad = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print(*bad, sep="\n", end="\n" if bad else "")
    sys.exit(1 if bad else 0)
