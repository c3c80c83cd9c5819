"""Plays supervisor and edge for one real worker process: pool and channels through fake_edge, in the tests' own interpreter."""

import ctypes
import os
import select
import shutil
import signal
import struct
import sys
import threading
import time
from pathlib import Path

BUILD = Path(os.environ.get("QUINTET_BUILD", Path(__file__).parents[2] / "build"))
APPS = Path(__file__).parent / "apps"
WORKER = BUILD / "python" / "quintet" / "worker.py"

VARS = (
    "method target path query protocol scheme remote_addr remote_port server_name server_port request_id "
    "tls_protocol tls_cipher client_verify client_subject client_issuer client_serial remote_user"
).split()
HEAD, DATA, FILE, END, FAIL = range(1, 6)
FREE, READY, RUNNING, DONE = range(4)
PATIENCE = 20  # seconds after which something that should happen has not

lib = ctypes.CDLL(str(BUILD / "tests" / "worker" / "libfake_edge.so"))
assert lib.fake_var_count() == len(VARS), "enum pool_var has changed"
lib.fake_open.restype = ctypes.c_void_p
lib.fake_serial.restype = ctypes.c_uint32


def message_types():
    """Numbers of the messages, from their one list."""
    text = (Path(__file__).parents[2] / "src" / "wire" / "message.h").read_text()
    names = [line.split("X(")[1].split(",")[0] for line in text.splitlines() if line.strip().startswith("X(")]
    return {name: i + 1 for i, name in enumerate(names)}


TYPES = message_types()
NAMES = {number: name for name, number in TYPES.items()}


def packed(text):
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return struct.pack("=I", len(data)) + data


class Response:
    """What came back for one request, piece by piece."""

    def __init__(self, slot):
        self.slot = slot
        self.status = None
        self.reason = None
        self.headers = []
        self.pieces = []  # (kind, bytes or (offset, length))
        self.end = None  # END or FAIL
        self.files = []  # contents of FILE frames

    @property
    def body(self):
        return b"".join(data for kind, data in self.pieces if kind == DATA)

    def header(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]


class Worker:
    """One worker process under test. Use as a context manager: leaving it checks a clean end."""

    def __init__(self, app, threads=1, workers=1, environ=None, boots=True, directory=APPS, python="/usr/bin/python3", options=(), wrapper=()):
        self.threads = threads
        self.fake = ctypes.c_void_p(lib.fake_open(workers, threads))
        assert self.fake.value
        self.supervisor, mine = self._pair()
        self.edge, edges = self._pair()
        self.output, writer = os.pipe()
        argv = [*wrapper, python, str(WORKER), "--worker", "0", "--workers", str(workers), "--threads", str(threads)]
        argv += ["--lanes", "1", "--generation", "7", *options, app, " " * 60]
        env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
        env.update({k: v for k, v in os.environ.items() if k.startswith(("LD_PRELOAD", "ASAN_", "UBSAN_", "LSAN_"))})
        # An interpreter keeps much to its end; what a worker loses while it runs is found by test_process.py.
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0:quarantine_size_mb=1"
        env.update(environ or {})
        fds = (ctypes.c_int * 5)(writer, mine, edges, lib.fake_memfd(self.fake), lib.fake_eventfd(self.fake))
        self.pid = lib.fake_spawn(
            (shutil.which(argv[0]) or argv[0]).encode(), self._strings(argv), self._strings([f"{k}={v}" for k, v in env.items()]),
            str(directory).encode(), fds,
        )
        assert self.pid > 0, os.strerror(-self.pid)
        for fd in (writer, mine, edges):
            os.close(fd)
        self.raw = b""
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.status = None
        self.request_number = 0
        if boots:
            name, self.boot_ns, text, _ = self.message()
            assert name == "READY", (text.decode(), self.raw.decode())

    @staticmethod
    def _pair():
        fds = (ctypes.c_int * 2)()
        assert lib.fake_pair(fds) == 0
        return fds[0], fds[1]

    @staticmethod
    def _strings(texts):
        return (ctypes.c_char_p * (len(texts) + 1))(*[t.encode() for t in texts], None)

    def _read(self):
        while True:
            data = os.read(self.output, 65536)
            if not data:
                return
            self.raw += data

    # ---- lines ----

    def lines(self):
        """(request id, text) of each line so far; id None for raw output."""
        out = []
        for line in self.raw.decode("utf-8", "replace").split("\n")[:-1]:
            if line.startswith("\x1e"):
                mark, _, text = line[1:].partition("\x1f")
                out.append((mark, text))
            else:
                out.append((None, line))
        return out

    def await_line(self, part, request=None):
        """Waits for a line (of that request, if one is given) that contains part; returns (id, text)."""
        def find():
            return [line for line in self.lines() if part in line[1] and request in (None, line[0])]

        return self.wait_for(find, f"line with {part!r} of {request or 'any request'}")[0]

    @property
    def last_request(self):
        return f"request-{self.request_number}"

    def wait_for(self, condition, what):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            value = condition()
            if value:
                return value
            lib.fake_wait(self.fake, 5)
        raise AssertionError(f"no {what}; the worker said:\n{self.raw.decode('utf-8', 'replace')}")

    def take_when_told(self, response, condition):
        """As the real edge does it: looks for pieces only when the slot has attention."""
        until = time.monotonic() + PATIENCE
        while not condition():
            told = lib.fake_wait(self.fake, 100)
            while told and self.next(response):
                pass
            assert time.monotonic() < until, f"nothing told; the worker said:\n{self.raw.decode('utf-8', 'replace')}"

    # ---- channels ----

    def message(self, fd=None, route=b"WS", timeout=PATIENCE):
        """(name, number, text, descriptor or None) of the next message; None when the worker has closed the channel."""
        fd = self.supervisor if fd is None else fd
        ready, _, _ = select.select([fd], [], [], timeout)
        assert ready, f"no message; the worker said:\n{self.raw.decode('utf-8', 'replace')}"
        text = ctypes.create_string_buffer(32 << 10)
        numbers = (ctypes.c_uint64 * 4)()
        if lib.fake_receive(fd, route, text, numbers) != 1:
            return None
        passed = None if numbers[3] == 2**64 - 1 else numbers[3]
        return NAMES[numbers[0]], numbers[1], text.raw[: numbers[2]], passed

    def says_something(self):
        """Has it a message for the supervisor? What it has done before its last answer has been sent by then."""
        return bool(select.select([self.supervisor], [], [], 0)[0])

    def send(self, name, number=0, passed=-1, fd=None):
        assert lib.fake_send(self.supervisor if fd is None else fd, TYPES[name], ctypes.c_uint64(number), passed) == 0

    def send_body(self, slot, fd):
        self.send("BODY", slot << 32 | lib.fake_serial(self.fake, slot), fd, self.edge)

    # ---- requests ----

    def submit(self, path="/", method="GET", headers=(), body=None, as_fd=False, **names):
        """Hands a request over; the slot it is in."""
        self.request_number += 1
        values = dict(
            method=method, target=path, path=path.partition("?")[0], query=path.partition("?")[2], protocol="HTTP/1.1",
            scheme="http", remote_addr="192.0.2.7", remote_port="54321", server_name="example.org", server_port="80",
            request_id=f"request-{self.request_number}", tls_protocol="", tls_cipher="", client_verify="", client_subject="", client_issuer="",
            client_serial="", remote_user="",
        )
        values.update(names)
        size = len(body or b"")
        blob = b"".join(packed(values[name]) for name in VARS) + struct.pack("=I", len(headers))
        blob += b"".join(packed(name) + packed(value) for name, value in headers)
        blob += packed(b"" if as_fd else body or b"")
        flags = (method == "HEAD") | (body is not None) << 1 | as_fd << 2
        slot = lib.fake_submit(self.fake, blob, ctypes.c_uint64(size), flags)
        assert slot >= 0, os.strerror(-slot)
        return slot

    def next(self, response):
        """Takes one more piece into the response. False: there is none yet."""
        out = ctypes.create_string_buffer(64 << 10)
        numbers = (ctypes.c_uint64 * 3)()
        kind = lib.fake_next(self.fake, response.slot, out, numbers)
        assert kind >= 0, f"not a frame: {os.strerror(-kind)}"
        if kind == HEAD:
            parts = out.raw[: numbers[0]].split(b"\0")[:-1]
            texts = [part.decode("latin-1") for part in parts]
            response.status, response.reason = numbers[1], texts[0]
            response.headers = list(zip(texts[1::2], texts[2::2]))
        elif kind == DATA:
            response.pieces.append((DATA, out.raw[: numbers[0]]))
        elif kind == FILE:
            response.pieces.append((FILE, (numbers[1], numbers[2])))
            response.files.append(self._file(response.slot, numbers[1], numbers[2]))
        elif kind:
            response.end = kind
        return kind != 0

    def _file(self, slot, offset, length):
        """The descriptor was sent before the frame: it must be there without waiting."""
        name, number, _, fd = self.message(self.edge, b"WE", timeout=0)
        assert name == "FILE_BODY" and number == slot << 32 | lib.fake_serial(self.fake, slot)
        try:
            return os.pread(fd, length, offset)
        finally:
            os.close(fd)

    def finish(self, slot, release=True):
        """The whole response and DONE."""
        response = Response(slot)
        # DONE is looked at first: whatever was written before it is then there to read.
        self.wait_for(lambda: self._drained(response), "end of the response")
        if release:
            assert lib.fake_release(self.fake, slot) == 0
        return response

    def _drained(self, response):
        done = self.phase(response.slot) == DONE
        while self.next(response):
            pass
        return done

    def phase(self, slot):
        return lib.fake_phase(self.fake, slot)

    def get(self, path="/", **how):
        return self.finish(self.submit(path, **how))

    def post(self, path, body, **how):
        return self.get(path, method="POST", body=body, **how)

    def cancel(self, slot):
        lib.fake_cancel(self.fake, slot)

    # ---- the end ----

    def stop(self):
        self.send("STOP")
        return self.wait()

    def wait(self):
        """Exit status, or the negative signal."""
        if self.status is None:
            until = time.monotonic() + PATIENCE
            while True:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > until:
                    os.kill(self.pid, signal.SIGABRT)
                    os.waitpid(self.pid, 0)
                    self.status = -signal.SIGABRT
                    raise AssertionError(f"the worker does not end; it said:\n{self.raw.decode('utf-8', 'replace')}")
                time.sleep(0.005)
            self.status = os.waitstatus_to_exitcode(status)
            self.reader.join(PATIENCE)
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.reader.join(PATIENCE)
        for fd in (self.supervisor, self.edge, self.output):
            os.close(fd)
        lib.fake_close(self.fake)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None and self.status is None:
                assert self.stop() == 0, self.raw.decode("utf-8", "replace")
            if kind is not None:
                print(self.raw.decode("utf-8", "replace"), file=sys.stderr)
            for sign in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "Fatal Python error", "must("):
                assert sign not in self.raw.decode("utf-8", "replace")
        finally:
            self.close()
