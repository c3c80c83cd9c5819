#!/usr/bin/env python3
"""Thousands of connections that want nothing: idle ones, kept after one answer, and ones that trickle a head byte by byte.

A process of its own: `crowd.py HOST PORT IDLE TRICKLING`. It says "up" when all are there, tells how many of them the server has closed since
at every line it reads, and ends with its input. A trickling one that is closed comes again at once, as an attacker does.
"""
import json
import resource
import selectors
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

HEAD = b"GET /page?n=1 HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"a" * 4000


def connect(address):
    s = socket.create_connection(address, 10)
    s.setblocking(False)
    return s


class Crowd:
    def __init__(self, address, idle, trickling):
        self.address, self.closed, self.errors, self.sent = address, 0, 0, {}
        self.selector = selectors.DefaultSelector()
        for n in range(idle + trickling):
            self.come(n >= idle)

    def come(self, trickles):
        try:
            s = connect(self.address)
        except OSError:
            self.errors += 1
            return
        if trickles:
            self.sent[s] = 0
        else:
            s.send(b"GET /static/style.css HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-0\r\n\r\n")
        self.selector.register(s, selectors.EVENT_READ)

    def trickle(self):
        for s in list(self.sent):
            try:
                s.send(HEAD[self.sent[s]:self.sent[s] + 1])
                self.sent[s] += 1
            except OSError:
                self.gone(s)

    def gone(self, s):
        self.closed += 1
        self.selector.unregister(s)
        s.close()
        if self.sent.pop(s, None) is not None:
            self.come(True)

    def turn(self):
        """One second: reads what comes, then a byte from everybody who trickles."""
        end = time.monotonic() + 1
        while (left := end - time.monotonic()) > 0:
            for key, _ in self.selector.select(left):
                if key.fileobj is sys.stdin:
                    if not sys.stdin.readline():
                        return False
                    self.tell()
                    continue
                try:
                    if not key.fileobj.recv(65536):
                        self.gone(key.fileobj)
                except BlockingIOError:
                    pass
                except OSError:
                    self.gone(key.fileobj)
        self.trickle()
        return True

    def tell(self):
        print(json.dumps({"closed": self.closed, "errors": self.errors, "open": len(self.selector.get_map()) - 1}), flush=True)


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd((sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), int(sys.argv[4]))
    crowd.selector.register(sys.stdin, selectors.EVENT_READ)
    crowd.tell()
    while crowd.turn():
        pass


@contextmanager
def gathered(address, idle, trickling):
    """In the block they are all there; gives a function that says how many are open and closed."""
    child = subprocess.Popen([sys.executable, str(Path(__file__)), *map(str, (*address, idle, trickling))],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        child.stdout.readline()

        def look():
            child.stdin.write("\n")
            return json.loads(child.stdout.readline())

        yield look
    finally:
        child.stdin.close()
        child.stdout.close()
        child.wait(20)


if __name__ == "__main__":
    main()
