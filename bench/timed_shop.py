"""The shop, with the CPU time of each request taken: /_times gives the numbers since the last look, for bench/garbage.py."""

import gc
import json
import time

from shop.wsgi import application as shop

times, inside, outside = [], [], []
state = {"request": False, "since": 0}


def note(phase, info):
    """The time of each collection, apart by whether a request waited for it."""
    if phase == "start":
        state["since"] = time.thread_time_ns()
    else:
        (inside if state["request"] else outside).append(time.thread_time_ns() - state["since"])


def report():
    taken = sorted(times)
    times.clear()
    body = {
        "requests": len(taken),
        "p50_us": taken[len(taken) // 2] / 1e3 if taken else 0,
        "p99_us": taken[len(taken) * 99 // 100] / 1e3 if taken else 0,
        "max_us": taken[-1] / 1e3 if taken else 0,
        "inside_us": sum(inside) / max(len(taken), 1) / 1e3,
        "outside_us": sum(outside) / max(len(taken), 1) / 1e3,
        "pause_us": max(inside, default=0) / 1e3,
    }
    inside.clear()
    outside.clear()
    with open("/proc/self/statm") as file:
        body["rss_mb"] = int(file.read().split()[1]) * 4 / 1024
    return json.dumps(body).encode()


def application(environ, start_response):
    if environ["PATH_INFO"] == "/_times":
        start_response("200 OK", [("Content-Type", "application/json")])
        return [report()]
    state["request"], start = True, time.thread_time_ns()
    result = shop(environ, start_response)
    times.append(time.thread_time_ns() - start)
    state["request"] = False
    return result


gc.callbacks.append(note)
