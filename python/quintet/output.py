"""sys.stdout and sys.stderr of a worker: every line arrives in the log with the request it belongs to.

Lines are collected per thread and marked in C (src/worker/output.h). What writes to descriptors 1 and 2 directly, such
as a child process, arrives as well, without the mark.
"""

import atexit
import io
import sys


class Output(io.RawIOBase):
    """The binary stream below sys.stdout or sys.stderr."""

    def __init__(self, module, fd, name):
        self._write = module.write
        self._fd = fd
        self.name = name
        self.mode = "wb"

    def writable(self):
        return True

    def fileno(self):
        return self._fd

    def write(self, data):
        return self._write(self._fd, data if type(data) is bytes else memoryview(data).tobytes())

    def close(self):
        """The streams of a process stay open: libraries that close sys.stderr must not silence the log."""


def _stream(module, fd, name, errors):
    return io.TextIOWrapper(Output(module, fd, name), encoding="utf-8", errors=errors, newline="\n", write_through=True)


def install(module):
    """Before the application is imported: logging handlers keep the sys.stderr they find."""
    sys.stdout = sys.__stdout__ = _stream(module, 1, "<stdout>", "backslashreplace")
    sys.stderr = sys.__stderr__ = _stream(module, 2, "<stderr>", "backslashreplace")
    atexit.register(module.flush)  # before the application's own, so it runs after them
