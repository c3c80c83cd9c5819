#!/usr/bin/env python3
"""Refuses C functions that are unsafe by their shape, and says what to use instead.

usage: banned.py [ROOT]
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import csource  # noqa: E402

BANNED = {
    "strcpy|strcat|stpcpy|wcscpy|wcscat": "knows no size: use base/str or memcpy with a checked length",
    "strncpy": "may leave out the terminator: use base/str or memcpy with a checked length",
    "sprintf|vsprintf": "knows no size: use snprintf and look at its result",
    "gets": "knows no size",
    "scanf|sscanf|fscanf|vsscanf": "overflows without telling: parse by hand",
    "strtok|strtok_r": "keeps hidden state or changes its input: use base/str",
    "atoi|atol|atoll|atof": "cannot tell an error: use a parser that can",
    "alloca": "may pass the end of the stack",
    "tmpnam|tempnam|mktemp": "races: use memfd_create or mkstemp",
    "rand|srand|random|drand48": "can be guessed: use getrandom",
    "gethostbyname|gethostbyaddr|inet_ntoa|inet_addr": "knows no IPv6: use getaddrinfo, inet_ntop, inet_pton",
    "ctime|asctime|localtime|gmtime": "keeps a static buffer: use the _r function",
    "system|popen": "runs a shell: use os/proc",
    r"signal(?!\s*\([^,]*,\s*SIG_(?:DFL|IGN)\))": "differs between systems: use sigaction",
    "sleep": "blocks the loop, and a test waits for a condition, not for time",
    "setjmp|longjmp": "hides the flow of control",
}

# A test may poll what another thread writes to memory: nobody would wake it.
BANNED_IN_SRC = {"usleep|nanosleep": "blocks the loop: use a timer"}


def compiled(table):
    return [(re.compile(rf"(?<![\w.>])({names})\s*\("), why) for names, why in table.items()]


RULES = {"src": compiled(BANNED | BANNED_IN_SRC), "tests": compiled(BANNED)}


def check(root):
    problems = []
    for path in csource.files(root, ["src", "tests"], (".c", ".h")):
        for number, line in enumerate(csource.code((Path(root) / path).read_text()).split("\n"), 1):
            for pattern, why in RULES[path.parts[0]]:
                match = pattern.search(line)
                if match:
                    problems.append(f"{path}:{number}: {match[1]}() {why}")
    return problems


if __name__ == "__main__":
    bad = check(sys.argv[1] if len(sys.argv) > 1 else ".")
    print(*bad, sep="\n", end="\n" if bad else "")
    sys.exit(1 if bad else 0)
