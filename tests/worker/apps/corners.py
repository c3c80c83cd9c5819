"""Every corner of PEP 3333, right ones and wrong ones: the path names the function."""

import io
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

PLAIN = [("Content-Type", "text/plain")]
closed = []  # what close() calls and generators have noted, fetched by /closed


class Body:
    """An iterable with close(); `items` may hold callables, which are called when their turn comes."""

    def __init__(self, *items, name="body", at_close=None):
        self.items = items
        self.name = name
        self.at_close = at_close

    def __iter__(self):
        for item in self.items:
            yield item() if callable(item) else item

    def close(self):
        closed.append(self.name)
        if self.at_close:
            self.at_close()


def wait_for_file(environ, name="until"):
    path = environ["HTTP_X_" + name.upper()]
    until = time.monotonic() + 20
    while not os.path.exists(path) and time.monotonic() < until:
        time.sleep(0.002)


def fail(kind=ValueError):
    raise kind("deliberate")


# ---- right ----


def take_closed(environ, start_response):
    start_response("200 OK", PLAIN)
    body = json.dumps(closed).encode()
    closed.clear()
    return [body]


def environ_json(environ, start_response):
    start_response("200 OK", PLAIN)
    return [json.dumps({k: v if isinstance(v, (str, int, float, tuple)) else repr(v) for k, v in environ.items()}).encode()]


def environ_changed(environ, start_response):
    found = {"host": environ["HTTP_HOST"], "mine": environ.get("mine")}
    environ["HTTP_HOST"], environ["mine"] = "spoilt", "yes"
    environ.pop("REQUEST_METHOD")
    start_response("200 OK", PLAIN)
    return [json.dumps(found).encode()]


def generator(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"one "
    yield b""
    yield b"two"


def empty_first(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b""
    start_response("404 Not Found", PLAIN, (ValueError, ValueError("late"), None))
    yield b"changed"


def late_start(environ, start_response):
    """The first next() calls start_response, as generators do."""
    start_response("201 Created", PLAIN)
    yield b"x"


def no_body(environ, start_response):
    start_response("200 OK", PLAIN)
    return []


def several(environ, start_response):
    start_response("200 OK", PLAIN)
    return (b"a", b"", b"bc")


def not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"x"')])
    return []


def no_content(environ, start_response):
    start_response("204 No Content", [("Content-Length", "0")])
    return [b"not sent"]


def writes(environ, start_response):
    write = start_response("200 OK", PLAIN)
    write(b"first ")
    write(b"")
    write(b"second ")
    return [b"third"]


def writes_with_length(environ, start_response):
    write = start_response("200 OK", [("Content-Length", "6")])
    write(b"abc")
    return [b"def"]


def closes(environ, start_response):
    start_response("200 OK", PLAIN)
    return Body(b"x", name="closes")


def slow_close(environ, start_response):
    start_response("200 OK", PLAIN)
    return Body(
        b"answer", lambda: wait_for_file(environ, "first") or b"", name="slow", at_close=lambda: wait_for_file(environ)
    )


def slow_after_the_last(environ, start_response):
    start_response("200 OK", [("Content-Length", "6")])
    yield b"answer"
    wait_for_file(environ)
    closed.append("slow")


def after_last(environ, start_response):
    """Runs on after the yield that completes the length."""
    start_response("200 OK", [("Content-Length", "1")])
    yield b"x"
    closed.append("ran on")


def big(environ, start_response):
    start_response("200 OK", PLAIN)
    return Body(*(bytes([i]) * 100_000 for i in range(20)), name="big")


def big_list(environ, start_response):
    start_response("200 OK", PLAIN)
    return [b"q" * 1_000_000]


def endless(environ, start_response, status="200 OK"):
    def items():
        try:
            while True:
                yield b"." * 1000
        finally:
            closed.append("generator")

    start_response(status, PLAIN)
    return items()


def endless_304(environ, start_response):
    return endless(environ, start_response, "304 Not Modified")


def endless_write(environ, start_response):
    write = start_response("200 OK", PLAIN)
    try:
        while True:
            write(b"." * 1000)
    except OSError as error:
        closed.append(type(error).__name__)
        raise


def steps(environ, start_response):
    """Each item waits for a file, to see that the one before was not held back."""
    start_response("200 OK", PLAIN)
    yield b"1"
    wait_for_file(environ)
    yield b"2"


def write_steps(environ, start_response):
    start_response("200 OK", PLAIN)(b"1")
    wait_for_file(environ)
    return [b"2"]


def latin(environ, start_response):
    start_response("200 Très bien", [("X-Name", "déjà ÿ"), ("X-Path", environ["PATH_INFO"])])
    return [b"x"]


def cookies(environ, start_response):
    start_response("200 OK", PLAIN + [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("x-case", "a b"), ("X-Empty", "")])
    return [b"x"]


def changed_list(environ, start_response):
    headers = [("X-A", "1")]
    start_response("200 OK", headers)
    headers.append(("Bad\n", "2"))
    return [b"x"]


def exc_info_before(environ, start_response):
    start_response("200 OK", PLAIN + [("X-Old", "1")])
    try:
        fail()
    except ValueError:
        start_response("500 Oops", PLAIN + [("X-New", "1")], sys.exc_info())
    return [b"sorry"]


def keyword(environ, start_response):
    start_response("200 OK", PLAIN, exc_info=None)
    return [b"x"]


class Factory:
    def __call__(self, environ, start_response):
        start_response("200 OK", PLAIN)
        return [b"factory"]


# ---- input ----


def reads(environ, start_response):
    """The query says how: read, read:N, readline, readline:N, readlines, readlines:N, iter; joined by +."""
    stream = environ["wsgi.input"]
    parts = []
    for how in environ["QUERY_STRING"].split("+"):
        name, _, size = how.partition(":")
        if name == "iter":
            parts += list(stream)
        elif name == "none":
            parts.append(stream.read(None))
        else:
            part = getattr(stream, name)(*([int(size)] if size else []))
            parts += part if isinstance(part, list) else [part]
    start_response("200 OK", PLAIN + [("X-Length", environ.get("CONTENT_LENGTH", "none"))])
    return [json.dumps([part.decode("latin-1") for part in parts]).encode()]


def reads_in_two_threads(environ, start_response):
    found = []

    def read():
        try:
            found.append(environ["wsgi.input"].read().decode())
        except RuntimeError as error:
            found.append(str(error))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open("/dev/null") as file:  # has the descriptor of the body if that has been closed
        file.fileno()
    start_response("200 OK", PLAIN)
    return [json.dumps(sorted(found)).encode()]


def keeps_reading(environ, start_response):
    """A thread that waits for the body of a request that ends without it."""

    def read():
        try:
            environ["wsgi.input"].read()
        except (OSError, ValueError) as error:
            print("late reader:", type(error).__name__)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join(0.05)
    start_response("200 OK", PLAIN)
    return [b"over"]


def rings(environ, start_response):
    """A handler in Python that notes when it ran, while nothing else does."""
    import signal

    left = [1, 2, 3, 4]

    def ring(*_):
        print("rang", time.monotonic())
        left.pop()
        if not left:  # Python's end would find the default for the signal, which is death
            signal.setitimer(signal.ITIMER_REAL, 0)

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    start_response("200 OK", PLAIN)
    return [b"soon"]


def reads_badly(environ, start_response):
    errors = []
    for arguments in (("x",), (1.5,), (1, 2)):
        for name in ("read", "readline", "readlines"):
            try:
                getattr(environ["wsgi.input"], name)(*arguments)
            except TypeError as error:
                errors.append(str(error))
    start_response("200 OK", PLAIN)
    return [str(len(errors)).encode()]


def digest(environ, start_response):
    import hashlib

    found = hashlib.sha256()
    while True:
        data = environ["wsgi.input"].read(50_001)
        if not data:
            break
        found.update(data)
    start_response("200 OK", PLAIN)
    return [found.hexdigest().encode()]


kept = {}


def keep(environ, start_response):
    write = start_response("200 OK", PLAIN)
    kept.update(environ=environ, start_response=start_response, write=write)
    environ["wsgi.input"].read(1)
    return [b"kept"]


def use_kept(environ, start_response):
    start_response("200 OK", PLAIN)
    found = []
    for act in (
        lambda: kept["environ"]["wsgi.input"].read(),
        lambda: kept["start_response"]("200 OK", []),
        lambda: kept["write"](b"x"),
    ):
        try:
            act()
            found.append("nothing")
        except Exception as error:
            found.append(type(error).__name__)
    kept.clear()
    return [json.dumps(found).encode()]


# ---- files ----

folder = tempfile.mkdtemp()


def _file(data=b"0123456789" * 1000):
    path = os.path.join(folder, "file")
    with open(path, "wb") as file:
        file.write(data)
    return path


class Tracked(io.FileIO):
    pass


def file_plain(environ, start_response):
    file = open(_file(), "rb")
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](file, 8192)


def file_from_middle(environ, start_response):
    file = open(_file(), "rb")
    file.read(3)
    start_response("200 OK", [("Content-Length", "10")])
    return environ["wsgi.file_wrapper"](file)


def file_empty(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](open(_file(b""), "rb"))


def file_too_short(environ, start_response):
    start_response("200 OK", [("Content-Length", "20000")])
    return environ["wsgi.file_wrapper"](open(_file(), "rb"))


def file_named(environ, start_response):
    file = tempfile.NamedTemporaryFile()
    file.write(b"temporary")
    file.flush()
    file.seek(0)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](file)


def file_unbuffered(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](open(_file(b"raw"), "rb", buffering=0))


def file_gzip(environ, start_response):
    import gzip

    path = _file(gzip.compress(b"unpacked"))
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](gzip.open(path))


def file_memory(environ, start_response):
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](io.BytesIO(b"m" * 20_000), 7000)


def file_pipe(environ, start_response):
    r, w = os.pipe()
    os.write(w, b"piped")
    os.close(w)
    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](os.fdopen(r, "rb"))


def file_closes(environ, start_response):
    class Closing:
        def __init__(self):
            self.rest = [b"c", b""]

        def read(self, size):
            return self.rest.pop(0)

        def close(self):
            closed.append("file")

    start_response("200 OK", PLAIN)
    return environ["wsgi.file_wrapper"](Closing())


def file_wrapped(environ, start_response):
    """A middleware's iteration over the wrapper."""
    start_response("200 OK", PLAIN)
    return (block.upper() for block in environ["wsgi.file_wrapper"](io.BytesIO(b"abc")))


# ---- output ----

log = logging.getLogger("corners")
log.addHandler(logging.StreamHandler())


def prints(environ, start_response):
    print("printed", "twice")
    print("two\nlines", file=sys.stderr)
    environ["wsgi.errors"].write("to wsgi.errors\n")
    environ["wsgi.errors"].writelines(["from ", "lines\n"])
    environ["wsgi.errors"].flush()
    log.warning("logged: %s", "ünïcödé")
    sys.stdout.buffer.write(bytearray(b"bin"))
    sys.stdout.buffer.write(memoryview(b"ary\n"))
    print("unfinished", end="")
    start_response("200 OK", PLAIN)
    return [b"x"]


def prints_long(environ, start_response):
    print("L" * 20_000)
    start_response("200 OK", PLAIN)
    return [b"x"]


def prints_raw(environ, start_response):
    os.write(1, b"raw line\n")
    subprocess.run(["sh", "-c", "echo from a child >&2"], check=True)
    start_response("200 OK", PLAIN)
    return [b"x"]


# ---- wrong, but for tab_value ----


def no_start(environ, start_response):
    return [b"x"]


def no_start_empty(environ, start_response):
    return []


def no_start_generator(environ, start_response):
    yield b""


def str_item(environ, start_response):
    start_response("200 OK", PLAIN)
    return ["text"]


def str_item_later(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"first"
    yield "second"


def str_body(environ, start_response):
    start_response("200 OK", PLAIN)
    return "text"


def bytes_body(environ, start_response):
    start_response("200 OK", PLAIN)
    return b"text"


def none_body(environ, start_response):
    start_response("200 OK", PLAIN)


def int_body(environ, start_response):
    start_response("200 OK", PLAIN)
    return 7


def _start(*arguments):
    def application(environ, start_response):
        start_response(*arguments)
        return [b"x"]

    return application


int_status = _start(200, PLAIN)
bytes_status = _start(b"200 OK", PLAIN)
bare_status = _start("200", PLAIN)
word_status = _start("OK 200", PLAIN)
early_status = _start("100 Continue", PLAIN)
line_status = _start("200 OK\r\nX: y", PLAIN)
greek_status = _start("200 \u03a9", PLAIN)
surrogate_status = _start("200 \ud800", PLAIN)
tuple_headers = _start("200 OK", (("A", "b"),))
dict_headers = _start("200 OK", {"A": "b"})
list_header = _start("200 OK", [["A", "b"]])
triple_header = _start("200 OK", [("A", "b", "c")])
bytes_name = _start("200 OK", [(b"A", "b")])
int_value = _start("200 OK", [("Content-Length", 1)])
space_name = _start("200 OK", [("A B", "c")])
empty_name = _start("200 OK", [("", "c")])
colon_name = _start("200 OK", [("A:", "c")])
tab_value = _start("200 OK", [("A", "b\tc")])
lf_value = _start("200 OK", [("A", "b\nSet-Cookie: c")])
cr_value = _start("200 OK", [("A", "b\rc")])
nul_value = _start("200 OK", [("A", "b\0c")])
greek_value = _start("200 OK", [("A", "\u03a9")])
hop_header = _start("200 OK", [("Connection", "close")])
chunked_header = _start("200 OK", [("Transfer-Encoding", "chunked")])
bad_length = _start("200 OK", [("Content-Length", "-1")])
two_lengths = _start("200 OK", [("Content-Length", "1"), ("content-length", "1")])
many_headers = _start("200 OK", [("X", "y")] * 257)
huge_header = _start("200 OK", [("X", "y" * 33_000)])
three_arguments = _start("200 OK", PLAIN, None, None)
one_argument = _start("200 OK")
bad_exc_info = _start("200 OK", PLAIN, "error")


def start_twice(environ, start_response):
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)
    return [b"x"]


def exc_info_after(environ, start_response):
    start_response("200 OK", PLAIN)
    yield b"sent"
    try:
        fail()
    except ValueError:
        start_response("500 Oops", PLAIN, sys.exc_info())
    yield b"never"


def too_long(environ, start_response):
    start_response("200 OK", [("Content-Length", "3")])
    return Body(b"ab", b"cdef", b"never", name="too long")


def too_long_write(environ, start_response):
    write = start_response("200 OK", [("Content-Length", "3")])
    write(b"abc")
    write(b"d")
    return []


def too_short(environ, start_response):
    start_response("200 OK", [("Content-Length", "9")])
    return [b"short"]


def too_short_empty(environ, start_response):
    start_response("200 OK", [("Content-Length", "9")])
    return []


def names_a_file(environ, start_response):
    """The length is the file's, which the edge sends."""
    start_response("200 OK", [("X-Sendfile", "/a"), ("Content-Length", "9"), ("X-A", "b")])
    return [b"dropped", b"and more than that"]


def write_str(environ, start_response):
    start_response("200 OK", PLAIN)("text")
    return []


def raises(environ, start_response):
    fail()


def raises_started(environ, start_response):
    start_response("200 OK", PLAIN)
    fail()


def raises_iterating(environ, start_response):
    start_response("200 OK", PLAIN)
    return Body(b"x", fail, name="iterating")


def raises_first(environ, start_response):
    start_response("200 OK", PLAIN)
    return Body(fail, name="first")


def raises_closing(environ, start_response):
    start_response("200 OK", PLAIN)
    return Body(b"x", name="closing", at_close=fail)


def caught(environ, start_response):
    try:
        start_response("bad", PLAIN)
    except AssertionError:
        start_response("200 OK", PLAIN)
    return [b"caught"]


def exits(environ, start_response):
    sys.exit("enough")


def interrupts(environ, start_response):
    raise KeyboardInterrupt


# ---- processes and threads ----


def forks(environ, start_response):
    pid = os.fork()
    if pid == 0:
        os._exit(5)
    start_response("200 OK", PLAIN)
    return [str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode()]


def forks_and_returns(environ, start_response):
    pid = os.fork()
    if pid == 0:
        try:
            start_response("200 OK", PLAIN)
        except Exception as error:
            print("child:", error)
        return [b"from the child"]
    start_response("200 OK", PLAIN)
    return [str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode()]


def forks_midway(environ, start_response):
    """A generator whose child goes on as if it were the worker, in the way that the query says."""
    start_response("200 OK", PLAIN)
    yield b"1"
    pid = os.fork()
    if pid == 0:
        if environ["QUERY_STRING"] == "raises":
            fail()
        if environ["QUERY_STRING"] == "exits":
            sys.exit(0)
        if environ["QUERY_STRING"] == "ends":
            return
        yield b"from the child"
    yield str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode()


def double(n):
    return 2 * n


def forked_term(environ, start_response):
    """How a child that waits ends when it is told to, as a pool's are."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    start_response("200 OK", PLAIN)
    return [str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode()]


def multiprocess(environ, start_response):
    import multiprocessing

    with multiprocessing.get_context(environ["QUERY_STRING"]).Pool(2) as pool:
        body = str(pool.map(double, [1, 2, 3])).encode()
    start_response("200 OK", PLAIN)
    return [body]


def descriptors(environ, start_response):
    """What a program started by the application inherits."""
    listing = subprocess.run(["ls", "/proc/self/fd"], stdout=subprocess.PIPE, close_fds=False, check=True).stdout
    start_response("200 OK", PLAIN)
    return [b" ".join(listing.split())]


def forked_descriptors(environ, start_response):
    """What a child that is only forked, not exec'd, has open of ours."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        links = [os.readlink(f"/proc/self/fd/{n}") for n in range(3, 50) if os.path.lexists(f"/proc/self/fd/{n}")]
        os.write(w, json.dumps([link for link in links if "socket" in link or "eventfd" in link]).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    start_response("200 OK", PLAIN)
    try:
        return [os.read(r, 10_000)]
    finally:
        os.close(r)
        os.close(w)


def thread(environ, start_response):
    start_response("200 OK", PLAIN)
    wait_for_file(environ)
    return [threading.current_thread().name.encode()]


def thread_prints(environ, start_response):
    helper = threading.Thread(target=print, args=("from a helper",), kwargs={"end": ""})
    helper.start()
    helper.join()
    start_response("200 OK", PLAIN)
    return [b"x"]


def memory(environ, start_response):
    import gc

    gc.collect()
    start_response("200 OK", PLAIN)
    pages = int(open("/proc/self/statm").read().split()[1])
    return [f"{len(gc.get_objects())} {pages} {sys.getrefcount(None)} {len(os.listdir('/proc/self/fd'))}".encode()]


def application(environ, start_response):
    name = environ["PATH_INFO"].strip("/").split("/")[0]
    return globals()[name](environ, start_response)
