"""The clients of the load: each a thread with one kind of request, on kept or on new connections, which checks every byte it gets.

A client behaves as a careful one does: before it uses a kept connection again it looks whether the server has closed it. It repeats nothing:
what fails is counted.
"""
import itertools
import random
import socket
import ssl
import threading
import time

from kit import client
from rig import content
from rig.tally import Failure

LARGE = ("large", 600_000)  # seed and size of the file that is sent as a file
STATIC = ("static", 30_000)
REQUESTS_A_CONNECTION = 200


class Wrong(AssertionError):
    """An answer that is HTTP and not the right one."""


class Link(client.Client):
    """A connection that knows when it was opened and whether anything has come since the last request."""

    def __init__(self, address, tls, limit):
        self.connected, self.requests, self.heard = time.monotonic(), 0, False
        super().__init__(client.connect(address, tls, "localhost", limit))

    def _more(self):
        more = super()._more()
        self.heard = self.heard or more
        return more

    def closed_while_idle(self):
        timeout = self.sock.gettimeout()
        self.sock.settimeout(0)
        try:
            data = self.sock.recv(1)
            if data:
                raise Wrong("unasked bytes on an idle connection")
            return True
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            self.sock.settimeout(timeout)

    def ask(self, method, target, fields=(), body=None):
        """An answer that comes before all of the request is sent counts too."""
        self.requests += 1
        self.heard = False
        lines = ["%s %s HTTP/1.1" % (method, target), "Host: localhost", *("%s: %s" % f for f in fields)]
        if body is not None:
            lines.append("Content-Length: %d" % len(body))
        try:
            self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            pass
        return self.response(method)


# ---- one function a kind: asks, and raises Wrong when the answer is not the expected one ----

def page(link, rng, _client):
    n = rng.randrange(1000)
    return link.ask("GET", "/page?n=%d" % n), content.page(n)


def static(link, _rng, _client):
    return link.ask("GET", "/static/style.css"), content.whole(*STATIC)


def download(link, rng, _client):
    seed, size = "s%d" % rng.randrange(1000), rng.randrange(1, 400_000)
    return link.ask("GET", "/download?seed=%s&size=%d" % (seed, size)), content.whole(seed, size)


def file(link, _rng, _client):
    return link.ask("GET", "/file"), content.whole(*LARGE)


def upload(link, rng, _client):
    """Some travel inside a slot, some through memory, some through a file."""
    size = rng.choice((100, 20_000, 300_000, 1_500_000))
    body = content.whole("u%d" % rng.randrange(1000), size)
    return link.ask("POST", "/upload", body=body), b"%d %s" % (size, content.digest(body).encode())


def row(link, _rng, one):
    text = b"%s %d %d" % (one.load.run.encode(), one.number, one.next_row())
    return link.ask("POST", "/row", body=text), text


def work(link, _rng, _client):
    return link.ask("GET", "/work?ms=20"), b"worked\n"


KINDS = {f.__name__: f for f in (page, static, download, file, upload, row, work)}


class Client(threading.Thread):
    """load: where to (addresses, TLS), the tally, the `stop` event."""

    def __init__(self, load, number, kind, scheme, keep):
        super().__init__(daemon=True)
        self.load, self.number, self.kind, self.scheme, self.keep = load, number, kind, scheme, keep
        self.link, self.rows, self.rng = None, itertools.count(), random.Random("%s %d" % (load.run, number))

    def next_row(self):
        self.row = next(self.rows)
        return self.row

    def run(self):
        while not self.load.stop.is_set():
            self.once()
            self.load.stop.wait(self.rng.uniform(0, 2 * self.load.think))
        self.drop()

    def drop(self):
        if self.link:
            self.link.close()
        self.link = None

    def connect(self):
        if self.link and (not self.keep or self.link.requests >= REQUESTS_A_CONNECTION):
            self.drop()
        if self.link and self.link.closed_while_idle():
            self.load.tally.close_seen()
            self.drop()
        if not self.link:
            tls = self.load.tls if self.scheme == "https" else None
            self.link = Link(self.load.addresses[self.scheme], tls, self.load.limit)

    def once(self):
        began, self.row, answer = time.monotonic(), None, None
        try:
            self.connect()
            answer, expected = KINDS[self.kind](self.link, self.rng, self)
            self.judge(answer, expected, began)
            return
        except Refused as error:
            self.fail("status", began, error, answer)
        except (client.Malformed, Wrong) as error:
            self.fail("wrong", began, error, answer)
        except (socket.timeout, TimeoutError) as error:
            self.fail("hung", began, error)
        except ConnectionRefusedError as error:
            self.fail("refused", began, error)
        except (client.Closed, OSError) as error:
            self.fail("broken" if self.link and self.link.heard else "reset", began, error)
        self.drop()

    def judge(self, answer, expected, began):
        if answer.status != 200:
            raise Refused("%d" % answer.status)
        if answer.body != expected:
            raise Wrong("%d bytes instead of the %d expected, or others" % (len(answer.body), len(expected)))
        if self.row is not None:
            self.load.tally.rows.append((self.number, self.row))
        self.load.tally.good(self.kind, time.monotonic() - began)
        if answer.get("Connection") == "close":
            self.drop()

    def fail(self, what, began, error, answer=None):
        if self.row is not None:
            self.load.tally.unsure.append((self.number, self.row))
        link = self.link
        named = answer.get("X-Request-ID") if answer else None
        self.load.tally.bad(Failure(
            what, self.kind, began, time.monotonic(), link.connected if link else began, not link or link.requests <= 1,
            answer.status if answer else None, named, "%s: %s" % (type(error).__name__, str(error)[:300])))
        if what in ("refused", "reset"):
            self.load.stop.wait(0.01)


class Refused(AssertionError):
    """A clear answer that is not a 200."""
