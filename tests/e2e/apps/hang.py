"""A WSGI application that crashes and hangs in every way there is: a function a path."""
import ctypes
import faulthandler
import os
import re
import signal
import threading
import time
from urllib.parse import parse_qs

lock = threading.Lock()


def query(environ):
    return {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}


def answer(start, body):
    body = body if isinstance(body, bytes) else body.encode()
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def hello(environ, start):
    return answer(start, "hello\n")


def pid(environ, start):
    return answer(start, str(os.getpid()))


# ---- crashes ----

def segfault(environ, start):
    ctypes.string_at(0)


def abort(environ, start):
    os.abort()


def fpe(environ, start):
    os.kill(os.getpid(), signal.SIGFPE)


def overflow(environ, start):
    """Uses up the stack in C, where no interpreter looks after it."""
    ctypes.CDLL(None).regcomp(ctypes.create_string_buffer(1024), b"(" * 1000000, 1)


def leave(environ, start):
    os._exit(7)


def kill(environ, start):
    os.kill(os.getpid(), signal.SIGKILL)


def segfault_quietly(environ, start):
    faulthandler.disable()
    ctypes.string_at(0)


def fork(environ, start):
    """The child crashes; the worker does not."""
    child = os.fork()
    if child == 0:
        ctypes.string_at(0)
    return answer(start, str(os.waitpid(child, 0)[1]))


# ---- hangs ----

def mark(environ):
    at = query(environ).get("at")
    if at:
        with open(at + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(at + ".new", at)


def in_sleep(environ, start):
    mark(environ)
    time.sleep(float(query(environ).get("s", 1000)))
    return answer(start, "awake\n")


def in_regex(environ, start):
    """Catastrophic backtracking, with the GIL held throughout."""
    mark(environ)
    re.match(r"(a+)+$", "a" * 64 + "b")


def in_c_code(environ, start):
    """Asleep in C with the GIL held."""
    mark(environ)
    for _ in range(1000):  # a signal ends it early
        ctypes.PyDLL(None).sleep(1)


def in_loop(environ, start):
    mark(environ)
    while True:
        pass


def in_lock(environ, start):
    mark(environ)
    lock.acquire()
    lock.acquire()


def in_close(environ, start):
    class Body:
        def __iter__(self):
            yield b"body\n"

        def close(self):
            mark(environ)
            time.sleep(1000)

    start("200 OK", [("Content-Length", "5")])
    return Body()


def masked(environ, start):
    """No signal reaches this thread."""
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
    mark(environ)
    time.sleep(1000)


def gate(environ, start):
    """Says by a file that it is here (`at`), then waits for another (`until`)."""
    mark(environ)
    while not os.path.exists(query(environ)["until"]):
        time.sleep(0.005)
    return answer(start, "through %d\n" % os.getpid())


def application(environ, start):
    return globals()[environ["PATH_INFO"].strip("/") or "hello"](environ, start)
