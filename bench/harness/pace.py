"""An open load: requests begin at set moments, whatever has become of those before, over kept connections. For what a closed load hides: who waits behind whom."""
import asyncio
import random
import time

from harness import stats

CONNECTIONS = 64


class Lane:
    """A kept connection; one request at a time."""

    def __init__(self, server):
        self.server, self.reader, self.writer = server, None, None

    async def ask(self, path):
        """The status of a GET."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.server.site.port)
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
        await self.reader.readexactly(int(fields.get(b"content-length", b"0")))
        if fields.get(b"connection", b"").strip() == b"close":
            self.drop()
        return int(head.split()[1])

    def drop(self):
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None


def arrivals(paths, rate, seconds):
    """(moment, path) of each request: as they come from many visitors who do not know of each other, the same in every run."""
    chance, moment, found = random.Random(rate), 0.0, []
    while True:
        moment += chance.expovariate(rate)
        if moment > seconds:
            return found
        found.append((moment, chance.choice(paths)))


async def _paced(server, plan):
    """(path, seconds from when it was due to its answer, well or not) of each request. A request takes an idle connection, and waits for one if all are busy."""
    seen, lanes, tasks = [], asyncio.LifoQueue(), []
    for _ in range(CONNECTIONS):
        lanes.put_nowait(Lane(server))

    async def one(path, due):
        lane = await lanes.get()
        try:
            good = await asyncio.wait_for(lane.ask(path), 10) == 200
        except (OSError, EOFError, asyncio.TimeoutError):
            good = False
            lane.drop()
        seen.append((path, time.monotonic() - due, good))
        lanes.put_nowait(lane)
    start = time.monotonic()
    for moment, path in plan:
        await asyncio.sleep(max(0, start + moment - time.monotonic()))
        tasks.append(asyncio.ensure_future(one(path, start + moment)))
    await asyncio.gather(*tasks)
    while not lanes.empty():
        lanes.get_nowait().drop()
    return seen


def paced(server, paths, rate, seconds):
    """Asks for the paths as they fall, so many a second. The percentiles are those of the first path;
    `others` is the 99th of the rest: what those pay who are made to wait."""
    start = time.monotonic()
    seen = asyncio.run(_paced(server, arrivals(paths, rate, seconds)))
    times = [took for path, took, good in seen if path == paths[0] and good]
    others = [took for path, took, good in seen if path != paths[0] and good]
    return {"requests": len(seen), "seconds": time.monotonic() - start, "failures": sum(not good for _, _, good in seen),
            "p50": stats.percentile(times, 0.5), "p99": stats.percentile(times, 0.99), "p999": stats.percentile(times, 0.999),
            "others": stats.percentile(others, 0.99)}
