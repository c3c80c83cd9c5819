"""The clients of the load that speak HTTP/2: each a thread with one kind of request, several at a time, on a kept connection over TLS.

They behave as RFC 9113 6.8 and 8.7 ask: nothing is begun on a connection that the server leaves, and what it says it has not begun (a stream above
the last GOAWAY's number, REFUSED_STREAM) is asked again on another one. Nothing else is repeated.
"""
import dataclasses
import socket
import ssl
import time
from typing import Any, Optional

from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from kit import client, http2
from rig.clients import KINDS, REQUESTS_A_CONNECTION, Client, Wrong
from rig.tally import Failure

TRIES = 20


class Link(http2.Http2):
    def __init__(self, address, tls, limit):
        self.connected, self.requests = time.monotonic(), 0
        sock = client.connect(address, tls, "localhost", limit)
        if sock.selected_alpn_protocol() != "h2":
            raise Wrong("no HTTP/2, but %r" % sock.selected_alpn_protocol())
        super().__init__(sock, scheme="https")

    def flush(self):
        """Who cannot send any more may still have something to hear."""
        try:
            super().flush()
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            pass

    def catch_up(self):
        """Takes what has come meanwhile, as whoever waits for events has done by now."""
        limit = self.sock.gettimeout()
        while not self.closed:
            self.sock.settimeout(0)
            try:
                data = self.sock.recv(1 << 16)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except OSError:
                data = b""
            finally:
                self.sock.settimeout(limit)
            self.hear(data)

    @property
    def left(self):
        return self.closed or bool(self.goaways)


@dataclasses.dataclass
class Request:
    """What ask() was told, and what has become of it."""
    method: str
    target: str
    fields: tuple = ()
    body: Optional[bytes] = None
    expected: bytes = b""
    row: Optional[int] = None
    began: float = 0.0
    stream: int = 0
    answer: Any = None

    @property
    def ended(self):
        return self.answer is None or self.answer.ended or self.answer.reset is not None


class _Recorder:
    """Stands in for a connection where a kind asks."""

    def ask(self, method, target, fields=(), body=None):
        return Request(method, target, fields, body)


class Client2(Client):
    """keep: how many requests at a time."""

    def once(self):
        waiting = [self.make() for _ in range(self.keep)]
        for _ in range(TRIES):
            waiting = self.attempt(waiting)
            if not waiting:
                return
            self.load.tally.again(len(waiting))
            self.load.stop.wait(0.01)
        for one in waiting:
            self.fail_one("refused", one, "not begun %d times" % TRIES)

    def make(self):
        self.row = None
        one, expected = KINDS[self.kind](_Recorder(), self.rng, self)
        one.expected, one.row, one.began = expected, self.row, time.monotonic()
        return one

    def connect(self):
        if self.link:
            self.link.catch_up()
            if self.link.left:
                self.load.tally.close_seen()
                self.drop()
            elif self.link.requests >= REQUESTS_A_CONNECTION:
                self.drop()
        if not self.link:
            self.link = Link(self.load.addresses["h2"], self.load.tls2, self.load.limit)

    def attempt(self, requests):
        """Those that are to be asked again."""
        what, error = "reset", "closed"
        for one in requests:
            one.stream, one.answer = 0, None
        try:
            self.connect()
            self.exchange(requests)
        except (socket.timeout, TimeoutError) as e:
            what, error = "hung", e
        except ConnectionRefusedError as e:
            what, error = "refused", e
        except (ProtocolError, Wrong) as e:
            what, error = "wrong", e
        except OSError as e:
            error = e
        link = self.link
        if not link:
            for one in requests:
                self.fail_one(what, one, error)
            self.load.stop.wait(0.01)
            return []
        again = [one for one in requests if not self.settle(one, what, error)]
        if what != "reset" or link.left:
            self.drop()
        return again

    def exchange(self, requests):
        link = self.link
        for one in requests:
            if link.left:
                return self.finish(requests)
            link.requests += 1
            one.stream = link.h2.get_next_available_stream_id()
            link.open(one.method, one.target, one.fields, one.body)
            one.answer = link.answers[one.stream]
        return self.finish(requests)

    def finish(self, requests):
        while not all(one.ended for one in requests) and self.link.read():
            pass

    def settle(self, one, what, error):
        """False: the server has not begun it."""
        link, answer = self.link, one.answer
        codes = [code for code, _ in link.goaways]
        if any(codes):
            self.fail_one("wrong", one, "GOAWAY %r" % link.goaways)
            return True
        if one.stream == 0 and what == "reset":
            return False
        if answer and answer.ended and answer.reset in (None, ErrorCodes.NO_ERROR):
            self.judge_one(one)
            return True
        if answer and answer.reset == ErrorCodes.REFUSED_STREAM or link.goaways and one.stream > link.goaways[-1][1]:
            return False
        if what == "reset" and answer and answer.status is not None:
            what = "broken"
        self.fail_one(what, one, "%s, %r" % (error, answer and answer.reset))
        return True

    def judge_one(self, one):
        answer, tally = one.answer, self.load.tally
        if answer.status != 200:
            self.fail_one("status", one, answer.status)
        elif answer.body != one.expected:
            self.fail_one("wrong", one, "%d bytes instead of the %d expected, or others" % (len(answer.body), len(one.expected)))
        else:
            if one.row is not None:
                tally.rows.append((self.number, one.row))
            tally.good(self.kind, time.monotonic() - one.began)

    def fail_one(self, what, one, why):
        link, answer = self.link, one.answer
        if one.row is not None:
            self.load.tally.unsure.append((self.number, one.row))
        named = dict(answer.fields).get("x-request-id") if answer else None
        self.load.tally.bad(Failure(
            what, self.kind, one.began, time.monotonic(), link.connected if link else one.began, not link or link.requests <= self.keep,
            answer.status if answer else None, named, "HTTP/2: %s: %s" % (type(why).__name__, str(why)[:300])))
