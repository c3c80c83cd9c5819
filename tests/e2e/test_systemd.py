"""Under a service manager: what it is told, the sockets it hands over, and an edge that hangs."""
import os
import re
import signal
import socket

import pytest

from kit import client, processes
from kit.visitors import Visitors
from kit.waiting import holds_for, until

APP = "def app(environ, start):\n    start('200 OK', [])\n    return [b'hello']\n"


class Manager:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, name):
        self.name, self.messages = str(name), []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.name[1:] if self.name.startswith("@") else self.name)
        self._socket.setblocking(False)

    def heard(self, pattern):
        """All messages so far that match."""
        while True:
            try:
                self.messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return [m for m in self.messages if re.search(pattern, m, re.MULTILINE)]

    def wait(self, pattern, number=1):
        return until(lambda: len(self.heard(pattern)) >= number and self.heard(pattern),
                     lambda: "%d of %r among %r" % (number, pattern, self.messages))


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    return Manager("@quintet-e2e-%d" % os.getpid() if request.param == "abstract" else tmp_path / "n")


def test_the_manager_hears_of_start_reload_and_stop(quintet, manager):
    site = quintet(APP, "app:app", env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "300000", "WATCHDOG_PID": "1"})
    ready = manager.wait("^READY=1$")
    assert "STATUS=generation 1 serves with 2 workers" in ready[0]
    assert site.command("reload").returncode == 0
    assert re.search(r"^MONOTONIC_USEC=\d+$", manager.wait("^RELOADING=1$")[0], re.MULTILINE)
    manager.wait("^STATUS=generation 2 serves with 2 workers", 1)
    assert len(manager.heard("^READY=1$")) == 2
    names = ("NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_")
    for pid in site.worker_pids() + [site.edge_pid]:
        environ = open("/proc/%d/environ" % pid).read()
        assert not [name for name in names if name in environ]
    holds_for(lambda: not manager.heard("^WATCHDOG=1$"), "the watchdog of another process was fed")
    site.finish()
    assert re.search(r"^EXTEND_TIMEOUT_USEC=\d{8}$", manager.wait("^STOPPING=1$")[0], re.MULTILINE)


def test_a_failed_reload_is_over_too(quintet, manager):
    site = quintet(APP, "app:app", env={"NOTIFY_SOCKET": manager.name})
    site.expected += ["reload", "boot"]
    site.write("app.py", "import does_not_exist\n")
    assert site.command("reload").returncode == 1
    manager.wait("^READY=1$", 2)
    assert "generation 1 serves" in manager.heard("^READY=1$")[1]


def test_the_watchdog_is_fed(quintet, manager):
    quintet(APP, "app:app", env={"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "200000"})
    manager.wait("^WATCHDOG=1$", 5)


def socket_activated(quintet, listen, names=None, binary=None, **more):
    """An instance whose sockets come from systemd-socket-activate, which starts it with the first connection."""
    site = quintet(APP, "app:app", start=False, **more)
    i = site.arguments.index("--bind")
    del site.arguments[i:i + 2]
    site.wrapper = ["systemd-socket-activate"]
    site.binary = binary or site.binary
    for address in listen:
        site.wrapper += ["-l", str(address)]
    if names:
        site.wrapper += ["--fdname=" + ":".join(names)]
    for name, value in site.env.items():
        site.wrapper += ["-E", "%s=%s" % (name, value)]
    site.start(wait=False)
    return site


def test_sockets_are_handed_over(quintet, tmp_path):
    path = tmp_path / "s"
    site = socket_activated(quintet, [path])
    until(path.exists, "the socket")
    first = client.Client(client.connect(str(path)))
    site.wait_ready()
    assert first.get("/").body == b"hello"
    first.close()
    assert site.status()["addresses"] == ["unix:%s" % path]
    assert site.command("reload").returncode == 0
    again = client.Client(client.connect(str(path)))
    assert again.get("/").body == b"hello"
    again.close()


def test_a_socket_named_https_speaks_tls(quintet, authority, pair, tmp_path):
    paths = [tmp_path / "web", tmp_path / "tls"]
    site = socket_activated(quintet, paths, ["web", "https"],
                            options=["--certfile", str(pair.cert), "--keyfile", str(pair.key)])
    until(paths[1].exists, "the sockets")
    client.connect(str(paths[0])).close()
    site.wait_ready()
    plain, secure = (client.Client(client.connect(str(p), c, c and "localhost")) for p, c in zip(paths, [None, authority.context()]))
    for c in (plain, secure):
        assert c.get("/").body == b"hello"
        c.close()


def test_a_hung_edge_is_replaced(quintet):
    """SIGSTOP, as a system call that never returns: noticed, killed, replaced; workers stay; those who wait at the door are served."""
    site = quintet(APP, "app:app")
    site.expected += ["edge"]
    old, workers = site.edge_pid, site.worker_pids()
    os.kill(old, signal.SIGSTOP)
    waiting = site.client()
    waiting.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    until(lambda: not processes.alive(old), "the edge to be replaced", 30)
    assert waiting.response().body == b"hello"
    site.wait_message(message=re.compile("does not answer"))
    site.wait_ready()
    assert site.edge_pid != old and site.worker_pids() == workers
    with Visitors(site, 2, "/") as visitors:
        until(lambda: visitors.count > 20, "visits")
    assert not visitors.failures
