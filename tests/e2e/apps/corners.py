"""Odd corners of PEP 3333, right and wrong ones. What happened to an answer's close() is noted in the file $NOTES."""
import io
import os
import sys
import tempfile
import time
from urllib.parse import parse_qs
from wsgiref.validate import validator

HERE = os.path.dirname(os.path.abspath(__file__))
TEXT = [("Content-Type", "text/plain")]


def _note(text):
    fd = os.open(os.environ["NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(fd, (text + "\n").encode())
    os.close(fd)


class Closing:
    """An iterable that notes how it ended."""

    def __init__(self, name, items):
        self._name, self._items = name, iter(items)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._items)

    def close(self):
        _note("closed " + self._name)


# ---- right ----

def empty_first(environ, start):
    start("200 OK", TEXT)
    return Closing("empty_first", [b"", b"", b"text", b"", b" and more", b""])


def no_items(environ, start):
    start("200 OK", TEXT)
    return Closing("no_items", [])


def late_start(environ, start):
    """start_response is called by the generator's first step."""
    start("200 OK", TEXT)
    yield b"late"


def changed_mind(environ, start):
    """Headers may be replaced with exc_info while nothing was sent."""
    start("200 OK", [("Content-Type", "text/plain"), ("X-First", "1")])
    try:
        raise ValueError("changed mind")
    except ValueError:
        start("503 Sorry", TEXT, sys.exc_info())
    return [b"sorry"]


def written(environ, start):
    write = start("200 OK", TEXT)
    write(b"one ")
    write(b"two ")
    return [b"three"]


def counted(environ, start):
    start("200 OK", TEXT + [("Content-Length", "10")])
    return Closing("counted", [b"01234", b"56789"])


def too_long(environ, start):
    """More than announced: the rest is dropped, the connection stays usable."""
    start("200 OK", TEXT + [("Content-Length", "5")])
    return [b"01234", b"56789"]


def endless(environ, start):
    start("200 OK", TEXT)

    def items():
        while True:
            yield b"x" * 65536
    return Closing("endless", items())


def patient(environ, start):
    """Sends a piece every few milliseconds until its client is gone."""
    start("200 OK", TEXT)

    def items():
        end = time.monotonic() + 20
        while time.monotonic() < end:
            yield b"tick\n"
            time.sleep(0.005)
        _note("patient was never told")
    return Closing("patient", items())


def raising_close(environ, start):
    class Raising(Closing):
        def close(self):
            super().close()
            raise RuntimeError("close() failed on purpose")
    start("200 OK", TEXT)
    return Raising("raising_close", [b"fine"])


def slow_close(environ, start):
    """The client has the whole answer while close() still runs."""
    class Slow(Closing):
        def close(self):
            while not os.path.exists(os.path.join(os.path.dirname(os.environ["NOTES"]), "go")):
                time.sleep(0.005)
            super().close()
    start("200 OK", TEXT)
    return Slow("slow_close", [b"all of it"])


def _file():
    file = tempfile.TemporaryFile()
    file.write(bytes(range(256)) * 1024)
    file.seek(0)
    return file


def file(environ, start):
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return environ["wsgi.file_wrapper"](_file(), 8192)


def file_from_the_middle(environ, start):
    handle = _file()
    handle.seek(1000)
    start("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", "500")])
    return environ["wsgi.file_wrapper"](handle)


def file_that_is_none(environ, start):
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return environ["wsgi.file_wrapper"](io.BytesIO(b"memory" * 1000), 100)


def file_iterated(environ, start):
    start("200 OK", [("Content-Type", "application/octet-stream")])
    return (piece.upper() for piece in environ["wsgi.file_wrapper"](io.BytesIO(b"abc" * 10), 7))


def input_ways(environ, start):
    """The body read in odd sizes and every way, put together again."""
    stream, got = environ["wsgi.input"], []
    got += [stream.read(0), stream.read(1), stream.readline(), stream.readline(3), stream.read(7)]
    got += stream.readlines(10)
    for line in stream:
        got.append(line)
        if len(got) > 40:
            break
    got += [stream.read(1000), stream.read(), stream.read(), stream.read(5), stream.readline()]
    start("200 OK", TEXT)
    return got


# ---- wrong ----

def never_started(environ, start):
    return [b"body"]


def never_started_empty(environ, start):
    return []


def returns_none(environ, start):
    start("200 OK", TEXT)


def str_body(environ, start):
    start("200 OK", TEXT)
    return Closing("str_body", ["text"])


def str_body_late(environ, start):
    start("200 OK", TEXT)
    return Closing("str_body_late", [b"first ", "text"])


def bytes_status(environ, start):
    start(b"200 OK", TEXT)
    return [b""]


def bare_status(environ, start):
    start("200", TEXT)
    return [b""]


def headers_tuple(environ, start):
    start("200 OK", (("Content-Type", "text/plain"),))
    return [b""]


def header_newline(environ, start):
    start("200 OK", [("X-A", "1\r\nX-Injected: 2")])
    return [b""]


def header_name(environ, start):
    start("200 OK", [("X A", "1")])
    return [b""]


def header_int(environ, start):
    start("200 OK", [("Content-Length", 3)])
    return [b"abc"]


def hop_by_hop(environ, start):
    start("200 OK", [("Connection", "close")])
    return [b""]


def twice(environ, start):
    start("200 OK", TEXT)
    start("200 OK", TEXT)
    return [b""]


def too_short(environ, start):
    start("200 OK", TEXT + [("Content-Length", "10")])
    return Closing("too_short", [b"01234"])


def raises(environ, start):
    raise LookupError("raised on purpose")


def raises_late(environ, start):
    start("200 OK", TEXT)

    def items():
        yield b"first "
        raise LookupError("raised late on purpose")
    return Closing("raises_late", items())


def exc_info_late(environ, start):
    start("200 OK", TEXT)
    yield b"first "
    try:
        raise LookupError("too late to change")
    except LookupError:
        start("500 Sorry", TEXT, sys.exc_info())
    yield b"never"


def exits(environ, start):
    sys.exit("left on purpose")


def application(environ, start):
    name = environ["PATH_INFO"].strip("/")
    return globals()[name](environ, start)


# ---- the validator around what is right ----

def _validated(environ, start):
    name = parse_qs(environ.get("QUERY_STRING", "")).get("name", ["valid"])[0]
    return globals()[name](environ, start)


def valid(environ, start):
    stream = environ["wsgi.input"]
    parts = [stream.read(3), stream.readline(), stream.readline(), *stream.readlines(), *iter(stream)]
    environ["wsgi.errors"].write("valid\n")
    environ["wsgi.errors"].writelines(["lines\n"])
    environ["wsgi.errors"].flush()
    start("200 OK", TEXT)
    return [b"".join(parts)]


validated = validator(_validated)
