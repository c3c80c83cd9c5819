"""Bad clients, many at a time: connections that say nothing or next to nothing, and slowhttptest."""
import errno
import re
import resource
import selectors
import socket
import subprocess
import threading

from kit.waiting import until


def allow_descriptors(wanted):
    """For this process; the tests' own side of thousands of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= wanted


class Crowd:
    """`n` connections at once; what each says first is `first`."""

    def __init__(self, address, n, first=b""):
        self.socks, self._over, self._thread = [], threading.Event(), None
        waiting = selectors.DefaultSelector()
        for _ in range(n):
            s = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
            s.setblocking(False)
            self.socks.append(s)
            if s.connect_ex(address) not in (0, errno.EINPROGRESS):
                raise OSError("cannot connect")
            waiting.register(s, selectors.EVENT_WRITE)
        while waiting.get_map():
            ready = waiting.select(timeout=30)
            if not ready:
                break  # in nobody's queue yet: the kernel tries again for them
            for key, _ in ready:
                waiting.unregister(key.fileobj)
                _say(key.fileobj, first)
        waiting.close()

    def trickle(self, piece=b"x", every=0.5):
        """Each says `piece` again and again, until close()."""
        def run():
            while not self._over.wait(every):
                self.say(piece)
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        return self

    def say(self, data):
        for s in self.socks:
            _say(s, data)

    def closed(self):
        """How many the server has closed."""
        n = 0
        for s in self.socks:
            try:
                n += s.recv(65536) == b""
            except BlockingIOError:
                pass
            except OSError:
                n += 1
        return n

    def close(self):
        self._over.set()
        if self._thread:
            self._thread.join()
        for s in self.socks:
            s.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _say(s, data):
    try:
        if data:
            s.send(data)
    except OSError:
        pass


def proportional_memory(pid):
    """Bytes of its own, and its part of what it shares."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.MULTILINE)[1]) * 1024


def wait_connections(site, n, seconds=30.0):
    return until(lambda: sum(site.status()["edge"]["open"]) >= n, lambda: "%d connections: %r" % (n, site.status()["edge"]), seconds)


MODES = {
    "headers": ["-H", "-i", "1", "-x", "10"],
    "body": ["-B", "-i", "1", "-x", "10", "-s", "100000"],
    "range": ["-R", "-a", "1", "-b", "3000"],
    "read": ["-X", "-w", "16", "-y", "64", "-n", "1", "-z", "1"],
}


def slowhttptest(url, mode, connections, seconds):
    """The attack as a process; wait for it. -p: how long it waits for an answer before it calls the server down. It comes from another machine, so to
    speak: what it needs of this one's processors it gets last."""
    words = ["nice", "-n", "19", "slowhttptest", *MODES[mode], "-c", str(connections), "-r", "500", "-l", str(seconds), "-p", "3", "-u", url]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
