"""The application under load: a page, two downloads, an upload and a numbered row, and the ways in which it can go wrong.

Rows go to a table without any constraint: what is written twice is there twice. They are committed before they are answered.
"""
import ctypes
import hashlib
import os
import signal
import threading
import time
from urllib.parse import parse_qs

import content

RELEASE = "1"
HERE = os.path.dirname(os.path.abspath(__file__))
local = threading.local()
hoard = []


def answer(start, body, status="200 OK"):
    start(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("X-Release", RELEASE)])
    return [body]


def page(environ, start, q):
    return answer(start, content.page(int(q["n"])))


def download(environ, start, q):
    """Made while it is sent, without a length."""
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return content.pieces(q["seed"], int(q["size"]))


def file(environ, start, q):
    """What FileResponse makes of an open file."""
    path = os.path.join(HERE, "files", "large.bin")
    start("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", str(os.path.getsize(path)))])
    return environ["wsgi.file_wrapper"](open(path, "rb"), 65536)


def upload(environ, start, q):
    sha, n = hashlib.sha256(), 0
    while True:
        piece = environ["wsgi.input"].read(65536)
        if not piece:
            return answer(start, b"%d %s" % (n, sha.hexdigest().encode()))
        sha.update(piece)
        n += len(piece)


def row(environ, start, q):
    import psycopg2
    run, client, number = environ["wsgi.input"].read().decode().split()
    if getattr(local, "connection", None) is None:
        local.connection = psycopg2.connect(os.environ["FAULTS_DATABASE"])
    with local.connection, local.connection.cursor() as cursor:
        cursor.execute("insert into written values (%s, %s, %s)", (run, int(client), int(number)))
    time.sleep(0.01)  # written and not answered yet: who repeats it now writes it twice
    return answer(start, b"%s %s %s" % (run.encode(), client.encode(), number.encode()))


def work(environ, start, q):
    """Takes its time without the processor, so that the capacity is known: workers divided by ms."""
    time.sleep(float(q["ms"]) / 1000)
    return answer(start, b"worked\n")


def leak(environ, start, q):
    hoard.append(os.urandom(1024) * (int(q["kib"])))
    return answer(start, b"%d" % os.getpid())


def pid(environ, start, q):
    return answer(start, b"%d" % os.getpid())


def hang(environ, start, q):
    """Never ends by itself (but after ten minutes, should everything fail)."""
    if q["how"] == "sleep":
        time.sleep(600)
    elif q["how"] == "c":  # PyDLL keeps the interpreter's lock: nothing of Python runs in this process any more
        ctypes.PyDLL(None).sleep(600)
    elif q["how"] == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        end = time.monotonic() + 600
        while time.monotonic() < end:
            pass
    return answer(start, b"awake\n")


PATHS = {"/" + f.__name__: f for f in (page, download, file, upload, row, work, leak, pid, hang)}


def application(environ, start):
    view = PATHS.get(environ["PATH_INFO"])
    if view is None:
        return answer(start, b"no such path\n", "404 Not Found")
    return view(environ, start, {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()})
