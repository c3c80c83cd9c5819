"""Makes garbage in cycles, and notes every collection: its generation, and whether a request was under way."""

import gc
import json
import os
import threading

SETUP = os.environ.get("GARBAGE_SETUP", "")
exec(SETUP)

PLAIN = [("Content-Type", "text/plain")]
inside = threading.local()
notes, kept = [], []


class Node:
    def __init__(self):
        self.me = self


class Loud(Node):
    def __del__(self):
        print("freed")


class Raising(Node):
    def __del__(self):
        raise ValueError("in a finalizer")


def note(phase, info):
    if phase == "start":
        notes.append((info["generation"], getattr(inside, "request", False)))


def rss_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4


def state():
    return {"notes": notes[:], "threshold": gc.get_threshold(), "enabled": gc.isenabled(), "frozen": gc.get_freeze_count(),
            "rss": rss_kib(), "nodes": sum(type(x) is Node for x in gc.get_objects())}


def application(environ, start_response):
    inside.request = True
    try:
        return answer(environ, start_response)
    finally:
        inside.request = False


def answer(environ, start_response):
    path, n = environ["PATH_INFO"], int(environ["QUERY_STRING"] or 0)
    body = b""
    if path == "/garbage":
        for _ in range(n):
            Node()
    elif path == "/tree":
        root = Node()
        root.children = [Node() for _ in range(n)]
    elif path == "/keep":
        kept.extend(Node() for _ in range(n))
    elif path == "/loud":
        Loud()
        for _ in range(n):
            Node()
    elif path == "/raising":
        Raising()
        for _ in range(n):
            Node()
    elif path == "/state":
        body = json.dumps(state()).encode()
    start_response("200 OK", PLAIN)
    return [body]


gc.callbacks.append(note)
