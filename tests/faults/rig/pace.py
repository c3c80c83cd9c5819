#!/usr/bin/env python3
"""Requests at a fixed rate, whether or not the answers come (`open`), or by so many clients that wait for theirs (`closed`).

Only a fixed rate shows what overload does: a client that waits for its answer slows down with the server. Latency counts from the moment when
the request was due, so that a stall of the server is seen by all who came meanwhile.
A process of its own; the plan is JSON on standard input, the answers are JSON on standard output: [began, seconds, status or what failed].
"""
import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path


class Connections:
    """Kept connections, as many as are needed at once."""

    def __init__(self, address, limit):
        self.address, self.limit, self.idle = address, limit, []

    async def request(self, target):
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection(*self.address)
        writer.write(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % target)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        await reader.readexactly(int(fields[b"content-length"]))
        if fields.get(b"connection") == b"close":
            writer.close()
        else:
            self.idle.append((reader, writer))
        return int(head.split(b" ", 2)[1])


async def one(connections, target, due, seen):
    try:
        what = await asyncio.wait_for(connections.request(target), connections.limit)
    except asyncio.TimeoutError:
        what = "hung"
    except (OSError, EOFError, KeyError, ValueError) as error:
        what = repr(error)
    seen.append((due, time.monotonic() - due, what))


async def open_loop(plan, connections, seen):
    begin, gap, tasks = time.monotonic(), 1 / plan["rate"], []
    for n in range(int(plan["rate"] * plan["seconds"])):
        due = begin + n * gap
        await asyncio.sleep(max(0, due - time.monotonic()))
        tasks.append(asyncio.create_task(one(connections, plan["target"].encode(), due, seen)))
    await asyncio.gather(*tasks)


async def closed_loop(plan, connections, seen):
    end = time.monotonic() + plan["seconds"]

    async def client():
        while time.monotonic() < end:
            await one(connections, plan["target"].encode(), time.monotonic(), seen)

    await asyncio.gather(*(client() for _ in range(plan["clients"])))


async def main():
    plan, seen = json.load(sys.stdin), []
    connections = Connections(plan["address"], plan.get("limit", 30.0))
    await (open_loop if "rate" in plan else closed_loop)(plan, connections, seen)
    for _, writer in connections.idle:
        writer.close()
    json.dump(seen, sys.stdout)


def start(address, target, seconds, **how):
    """rate=… or clients=…; a process whose answers `answers` waits for."""
    child = subprocess.Popen([sys.executable, str(Path(__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    json.dump({"address": address, "target": target, "seconds": seconds, **how}, child.stdin)
    child.stdin.close()
    return child


def answers(child):
    with child:
        text = child.stdout.read()
    return [tuple(row) for row in json.loads(text)]


def run(*words, **how):
    return answers(start(*words, **how))


if __name__ == "__main__":
    asyncio.run(main())
