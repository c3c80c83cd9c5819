"""Why the application did not boot, as text for the supervisor's log and for `quintet reload`."""

import os
import sys
import traceback

from quintet.application import ApplicationError
from quintet.warm_up import WarmUpError

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 30_000  # bytes: a message between processes carries 32 KiB


def describe(error):
    """The traceback without our own frames and importlib's, and a hint; for errors of naming just the message."""
    if isinstance(error, ApplicationError):
        return str(error)
    if isinstance(error, WarmUpError):
        return _cut_text((describe(error.cause) if error.cause else "") + f"{error}\n")
    report = traceback.TracebackException.from_exception(error)
    _drop_frames(report, set())
    text = "".join(report.format())
    if isinstance(error, SystemExit):
        text += f"The application called sys.exit({error.code!r}) before it could serve.\n"
    if isinstance(error, ModuleNotFoundError):
        text += f"The interpreter is {sys.executable}: install what is missing for it, or name another with --python.\n"
    return _cut_text(text)


def _drop_frames(report, seen):
    """Through the chain of causes, which may loop."""
    if report is None or id(report) in seen:
        return
    seen.add(id(report))
    report.stack[:] = [frame for frame in report.stack if not _is_ours(frame.filename)]
    _drop_frames(report.__cause__, seen)
    _drop_frames(report.__context__, seen)


def _is_ours(filename):
    # (Also importlib's, which shows under its real name only there.)
    return filename.startswith((HERE + os.sep, "<frozen importlib")) or filename.endswith("importlib/__init__.py")


def _cut_text(text):
    return _cut(text.encode("utf-8", "backslashreplace")).decode("utf-8", "ignore")


def _cut(text):
    """The beginning says where, the end says what: the middle goes."""
    if len(text) <= LIMIT:
        return text
    return text[: LIMIT // 4] + b"\n  ...\n" + text[-LIMIT * 3 // 4 :]
