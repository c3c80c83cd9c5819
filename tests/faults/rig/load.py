#!/usr/bin/env python3
"""The process that makes the load. Its first line on standard input says what to do (JSON), the second one ends it; it prints its progress
five times a second and at last everything that its clients saw, each a line of JSON. See driver.py for the other side.

A process of its own so that its threads neither wait for the test's nor make it wait.
"""
import json
import ssl
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "e2e")]

from rig.clients import Client  # noqa: E402
from rig.clients2 import Client2  # noqa: E402
from rig.tally import Tally  # noqa: E402


class Load:
    def __init__(self, plan):
        self.run, self.think, self.limit = plan["run"], plan["think"], plan["limit"]
        self.addresses = {scheme: tuple(address) for scheme, address in plan["addresses"].items()}
        self.tls, self.tls2 = [ssl.create_default_context(cafile=plan["ca"]) if plan.get("ca") else None for _ in range(2)]
        if self.tls2:
            self.tls2.set_alpn_protocols(["h2", "http/1.1"])
        self.tally, self.stop = Tally(), threading.Event()
        self.clients = [(Client2 if words[1] == "h2" else Client)(self, n, *words) for n, words in enumerate(plan["clients"])]

    def go(self):
        for one in self.clients:
            one.start()
        while not self.stop.wait(0.2):
            say(self.tally.progress())
        for one in self.clients:
            one.join(self.limit * 2 + 5)
        report = self.tally.report()
        report["stuck"] = sum(one.is_alive() for one in self.clients)
        say({"report": report})


def say(what):
    print(json.dumps(what), flush=True)


def main():
    load = Load(json.loads(sys.stdin.readline()))

    def until_told():
        sys.stdin.readline()
        load.stop.set()

    threading.Thread(target=until_told, daemon=True).start()
    load.go()


if __name__ == "__main__":
    main()
