"""The rarely used parts of the WSGI bridge: constants of environ, wsgi.file_wrapper, and what is logged of exceptions."""

import io
import sys
import traceback

# The wrapper that tempfile.NamedTemporaryFile returns hides the file's methods in functions of its own.
from tempfile import _TemporaryFileWrapper


class FileWrapper:
    """wsgi.file_wrapper: blocks of a file-like object. Returned by the application itself, a real file is sent by descriptor."""

    def __init__(self, filelike, blksize=65536):
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        data = self.filelike.read(self.blksize)
        if data:
            return data
        raise StopIteration


def plain_file(wrapper):
    """(descriptor, offset) when reading the wrapped object is nothing but reading a file; else None.

    That a fileno() exists is not enough: gzip, encrypted storages and their like have the descriptor of something else
    than what read() gives. So we look whose read() it is: only the interpreter's own file objects will do.
    """
    filelike = wrapper.filelike
    try:
        if type(filelike) is _TemporaryFileWrapper:
            filelike = filelike.file
        owner = getattr(filelike.read, "__self__", None)
        if type(owner) in (io.BufferedReader, io.BufferedRandom):
            if type(owner.raw) is not io.FileIO:
                return None
            if type(owner) is io.BufferedRandom:
                owner.flush()
        elif type(owner) is not io.FileIO:
            return None
        return owner.fileno(), owner.tell()
    except (AttributeError, OSError, ValueError):
        return None


def report(line, error):
    """An exception that reached the server: the request line, and the traceback if there is one."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    if error.__traceback__ is None:
        # The line says a broken rule already.
        text = "" if _is_broken_rule(error) else f"{type(error).__name__}: {error}\n"
    sys.__stderr__.write(f"{line}: {_what(error)}\n{text}")


def _is_broken_rule(error):
    return type(error).__name__ == "BrokenRule"


def _what(error):
    if _is_broken_rule(error):
        return f"the application broke a rule of WSGI (PEP 3333): {error}"
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        return f"{type(error).__name__} in the application: the worker ends"
    return f"{type(error).__name__} in the application"


def constants(multithread, multiprocess):
    """What the environ of every request has in common."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_SOFTWARE": "quintet",
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }


def configure(module, shared):
    """Gives the extension what every request shares; `shared` from constants()."""
    module.configure(shared, FileWrapper, plain_file, report)
