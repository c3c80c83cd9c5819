"""An open-loop load: requests come at their times whether or not those before have been answered, as they do from many people.

Times are measured from when a request was due, so that a generator that is late does not flatter the server.
"""
import asyncio
import time


class Answer:
    __slots__ = ("due", "took", "status", "retry_after")

    def __init__(self, due, took, status, retry_after=None):
        self.due, self.took, self.status, self.retry_after = due, took, status, retry_after


async def _receive(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
    await reader.readexactly(int(fields.get(b"content-length", 0)))
    return int(head[9:12]), int(fields.get(b"retry-after", 0)), fields.get(b"connection") == b"close"


async def _one(address, request, due, idle, answers, keep):
    status, retry, close, writer = None, None, True, None
    try:
        reader, writer = idle.pop() if idle else await asyncio.open_connection(*address)
        writer.write(request)
        status, retry, close = await _receive(reader)
    except (OSError, asyncio.IncompleteReadError):
        pass  # status None: a broken connection is a failure, not a refusal
    answers.append(Answer(due, time.monotonic() - due, status, retry))
    if writer is not None and keep and not close:
        idle.append((reader, writer))
    elif writer is not None:
        writer.close()


async def _run(address, target, rate, seconds, keep):
    request = b"GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n" % (target.encode(), b"" if keep else b"Connection: close\r\n")
    begin, answers, idle, tasks = time.monotonic() + 0.05, [], [], set()
    for i in range(int(rate * seconds)):
        due = begin + i / rate
        late = due - time.monotonic()
        if late > 0.0005:
            await asyncio.sleep(late)
        task = asyncio.ensure_future(_one(address, request, due, idle, answers, keep))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    while tasks:
        await asyncio.wait(tasks)
    for _, writer in idle:
        writer.close()
    return answers


def run(address, target="/", rate=100, seconds=5, keep=True):
    """Every answer, in the order they came."""
    return asyncio.run(_run(address, target, rate, seconds, keep))


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
