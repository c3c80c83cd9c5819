"""Processes as /proc shows them, and how ours are made to end with us."""
import ctypes
import os
import re
import signal
from pathlib import Path

_libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def end_with_us():
    """preexec_fn: when the tests are killed, the servers they started are not left behind."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _text(path):
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _bytes(path):
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def stat(pid):
    """(parent, state, start time) or None when it is gone."""
    text = _text("/proc/%d/stat" % pid)
    if not text:
        return None
    fields = text.rpartition(")")[2].split()
    return int(fields[1]), fields[0], int(fields[19])


def alive(pid):
    """It runs: neither gone nor a zombie."""
    now = stat(pid)
    return now is not None and now[1] not in "ZX"


def descendants(pid):
    """Every living descendant as {pid: start time}."""
    parents = {}
    for other in pids():
        now = stat(other)
        if now and now[1] not in "ZX":
            parents[other] = (now[0], now[2])
    found, grown = {}, {pid}
    while grown:
        grown = {p for p, (parent, _) in parents.items() if parent in grown and p not in found}
        found.update((p, parents[p][1]) for p in grown)
    return found


def marked(marker):
    """Living processes that have `marker` in their environment."""
    return [pid for pid in pids() if marker.encode() in _bytes("/proc/%d/environ" % pid) and alive(pid)]


def title(pid):
    return _bytes("/proc/%d/cmdline" % pid).replace(b"\0", b" ").decode(errors="replace").strip()


def status(pid):
    """/proc/PID/status as a dict."""
    return dict(re.findall(r"^(\w+):\s*(.*)$", _text("/proc/%d/status" % pid), re.MULTILINE))


def memory(pid, key="VmRSS"):
    """In bytes; 0 when it is gone."""
    return int(status(pid).get(key, "0 kB").split()[0]) * 1024


def descriptors(pid):
    """What each open descriptor points to."""
    links = []
    try:
        names = os.listdir("/proc/%d/fd" % pid)
    except OSError:
        return links
    for name in names:
        try:
            links.append(os.readlink("/proc/%d/fd/%s" % (pid, name)))
        except OSError:
            pass
    return links
