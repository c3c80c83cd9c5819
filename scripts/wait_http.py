#!/usr/bin/env python3
"""Waits until a page answers 200, and checks what is on it.

usage: wait_http.py [--ca FILE] [--text TEXT] [--seconds N] [--pid PID] URL
With --pid it gives up as soon as that process is gone. Prints how long it took.
"""

import argparse
import os
import ssl
import sys
import time
import urllib.error
import urllib.request


def fetch(url, context):
    """(True, page) of a 200, else (False, what happened)."""
    try:
        with urllib.request.urlopen(url, timeout=5, context=context) as answer:
            return True, answer.read().decode(errors="replace")
    except (OSError, ValueError) as error:
        return False, str(error)


def alive(pid):
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca")
    parser.add_argument("--text", default="")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pid", type=int)
    parser.add_argument("url")
    options = parser.parse_args()

    start = time.monotonic()
    said = "nothing"
    while time.monotonic() - start < options.seconds:
        # anew each time: the file of the authority may not be there yet
        try:
            context = ssl.create_default_context(cafile=options.ca) if options.ca else None
            fine, said = fetch(options.url, context)
        except OSError as error:
            fine, said = False, str(error)
        if fine:
            if options.text not in said:
                sys.exit(f"wait_http: {options.url} has no '{options.text}' on it")
            print(f"wait_http: {options.url} answered after {time.monotonic() - start:.1f} s")
            return
        if options.pid and not alive(options.pid):
            sys.exit(f"wait_http: process {options.pid} ended before {options.url} answered")
        time.sleep(0.05)  # the condition is another process's: there is nothing to be woken by
    sys.exit(f"wait_http: {options.url} did not answer in {options.seconds:.0f} s: {said}")


if __name__ == "__main__":
    main()
