"""A WSGI application for the tests of HTTP, processes and logs: a function a path."""
import hashlib
import json
import logging
import os
import sys
import time
from urllib.parse import parse_qs


def query(environ):
    return {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}


def answer(start, body, status="200 OK", *fields):
    body = body if isinstance(body, bytes) else body.encode()
    start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *fields])
    return [body]


def hello(environ, start):
    return answer(start, "hello\n")


def environ(environ, start):
    """Every text of the environ, as JSON."""
    return answer(start, json.dumps({k: v for k, v in environ.items() if isinstance(v, (str, int, float, bool))}))


def body(environ, start):
    """The body back."""
    return answer(start, environ["wsgi.input"].read())


def digest(environ, start):
    """Length and SHA-256 of the body, read in pieces."""
    sha, n = hashlib.sha256(), 0
    while True:
        piece = environ["wsgi.input"].read(65536)
        if not piece:
            break
        sha.update(piece)
        n += len(piece)
    return answer(start, "%d %s" % (n, sha.hexdigest()))


def unread(environ, start):
    return answer(start, "did not look\n")


def stream(environ, start):
    """`n` pieces of `size` bytes without a length."""
    q = query(environ)
    start("200 OK", [("Content-Type", "application/octet-stream")])
    for i in range(int(q.get("n", 3))):
        yield bytes([97 + i % 26]) * int(q.get("size", 5))


def pid(environ, start):
    return answer(start, str(os.getpid()))


def _mark(name):
    with open(name + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(name + ".new", name)


def gate(environ, start):
    """Says by a file that it is here (`at`), then waits for another (`until`)."""
    q = query(environ)
    _mark(q["at"])
    while not os.path.exists(q["until"]):
        time.sleep(0.005)
    return answer(start, "through %d\n" % os.getpid())


def slow(environ, start):
    time.sleep(0.02)
    return answer(start, "slow\n")


def stream_gate(environ, start):
    """Like gate, with the first piece sent before."""
    q = query(environ)
    start("200 OK", [("Content-Type", "text/plain")])
    yield b"first\n"
    _mark(q["at"])
    while not os.path.exists(q["until"]):
        time.sleep(0.005)
    yield b"last\n"


def die_once(environ, start):
    """Kills its own worker unless the file `at` is there already."""
    q = query(environ)
    if not os.path.exists(q["at"]):
        _mark(q["at"])
        os.kill(os.getpid(), 9)
    return answer(start, "alive\n")


def die(environ, start):
    os.kill(os.getpid(), 9)


def say(environ, start):
    """Prints to every output there is."""
    text = query(environ).get("text", "text")
    print("stdout " + text)
    print("stderr " + text, file=sys.stderr)
    environ["wsgi.errors"].write("errors " + text + "\n")
    logging.getLogger("shop").warning("logging " + text)
    return answer(start, environ["HTTP_X_REQUEST_ID"])


def shout(environ, start):
    """Prints `n` lines."""
    for i in range(int(query(environ)["n"])):
        print("line %d of many, with some text that makes it as long as lines of a log are" % i)
    return answer(start, "said\n")


def fields(environ, start):
    """Answers with fields that are the edge's business, and some of its own."""
    return answer(start, "ok", "200 OK", ("X-Own", "a"), ("X-Own", "b"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))


def status(environ, start):
    return answer(start, "made up\n", query(environ)["line"])


def empty(environ, start):
    start(query(environ)["line"], [])
    return []


def fail(environ, start):
    raise RuntimeError("failed on purpose: " + query(environ).get("text", ""))


def application(environ, start):
    name = environ["PATH_INFO"].strip("/") or "hello"
    view = globals().get(name)
    if view is None or name.startswith("_"):
        return answer(start, "no such path\n", "404 Not Found")
    return view(environ, start)
