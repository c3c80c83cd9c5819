"""HTTP/2 as single frames: a client that sends exactly what it is told and believes nothing it reads.

Blocks of fields are written as literals that touch no table, so that any frame can be left out, repeated or cut without the rest losing its
meaning. What is read is checked against RFC 9113: sizes, who may come when, fields, flow control.
"""
import os
import random
import re
import socket
import ssl
import struct
from typing import NamedTuple

import hpack

from kit.client import connect

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
PRIORITY_UPDATE = 0x10
ACK = END_STREAM = 0x1
END_HEADERS, PADDED, WITH_PRIORITY = 0x4, 0x8, 0x20
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL,
 COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY, HTTP_1_1_REQUIRED) = range(14)
(HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE) = range(1, 7)
NO_RFC7540_PRIORITIES = 9
WINDOW, FRAME_MAX = 65535, 16384
NAME = re.compile(rb":?[!#$%&'*+.^_`|~0-9a-z-]+\Z")
VALUE = re.compile(rb"[\x21-\x7e\x80-\xff]([\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?\Z|\Z")
CONNECTION_FIELDS = {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"}


# ---- writing ----

def frame(kind, flags=0, stream=0, payload=b"", length=None):
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def integer(value, bits, first=0):
    """RFC 7541 5.1."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = [first | most], value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + [value])


def literal(name, value):
    name, value = (x if isinstance(x, bytes) else x.encode("latin-1") for x in (name, value))
    return b"\x00" + integer(len(name), 7) + name + integer(len(value), 7) + value


def block(fields):
    return b"".join(literal(*f) for f in fields)


def data(stream, payload=b"", flags=0):
    return frame(DATA, flags, stream, payload)


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(struct.pack(">HI", *p) for p in pairs))


def rst(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def ping(payload=b"01234567", flags=0):
    return frame(PING, flags, 0, payload)


def goaway(last=0, code=NO_ERROR, debug=b"", stream=0):
    return frame(GOAWAY, 0, stream, struct.pack(">II", last, code) + debug)


def window(stream, size):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))


def priority(stream, depends=0, weight=15, exclusive=False):
    return frame(PRIORITY, 0, stream, struct.pack(">IB", depends | exclusive << 31, weight))


def priority_update(stream, text, on=0):
    return frame(PRIORITY_UPDATE, 0, on, struct.pack(">I", stream) + text)


# ---- reading ----

class Broken(AssertionError):
    """The server broke HTTP/2."""


class Ended(AssertionError):
    """The connection ended where something was due."""


def check(truth, what, *details):
    if not truth:
        raise Broken(what + "".join(" %r" % (d,) for d in details))


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self):
        """The error code of RST_STREAM and GOAWAY."""
        return struct.unpack_from(">I", self.payload, 4 if self.kind == GOAWAY else 0)[0]


class Answer:
    """What came on a stream so far."""

    def __init__(self):
        self.fields, self.interim, self.trailers, self.body = None, [], None, b""
        self.ended, self.reset = False, None

    @property
    def over(self):
        return self.ended or self.reset is not None

    @property
    def status(self):
        return int(self.fields[0][1]) if self.fields else None

    def all(self, name):
        return [v.decode("latin-1") for n, v in self.fields or [] if n == name.lower().encode()]

    def __getitem__(self, name):
        (value,) = self.all(name)
        return value

    def __repr__(self):
        return "<%r %r reset %r ended %r>" % (self.fields, self.body[:300], self.reset, self.ended)


class H2:
    """One connection. With tls, the server must choose h2 by ALPN."""

    def __init__(self, address, tls=None, name="localhost", first=(), preface=True, how="whole", timeout=20.0, **more):
        self.sock = connect(address, tls, name, timeout, **more)
        self.scheme = "https" if tls else "http"
        self.how = how
        self.answers, self.goaway, self.ended = {}, None, False
        self.acks, self.pongs, self.settings = 0, [], {}
        self.window, self.stream_windows, self.initial = WINDOW, {}, WINDOW  # what the server may send
        self.room = {0: WINDOW}  # what we may send on the connection, and on streams beyond their first window
        self.table = hpack.Decoder(max_header_list_size=1 << 20)
        self.frames_read = 0
        self._buffer, self._block = b"", None
        if tls:
            assert self.sock.selected_alpn_protocol() == "h2"
        if preface:
            self.send(PREFACE + settings(*first))
            self.initial = dict(first).get(INITIAL_WINDOW_SIZE, WINDOW)
            self.table.max_allowed_table_size = dict(first).get(HEADER_TABLE_SIZE, 4096)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- sending ----

    def send(self, *parts):
        """One piece, or cut at random. What the server does not want any more is left unsaid: reading tells why."""
        text = b"".join(parts)
        cuts = sorted(random.sample(range(1, len(text)), min(len(text) - 1, 7))) if self.how == "cut" and len(text) > 1 else []
        try:
            for a, b in zip([0, *cuts], [*cuts, len(text)]):
                self.sock.sendall(text[a:b])
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            pass

    def head(self, method="GET", path="/", *fields, authority="site.test"):
        """The usual fields of a request."""
        return [(":method", method), (":scheme", self.scheme), (":path", path), (":authority", authority), *fields]

    def headers(self, stream, fields, flags=END_STREAM | END_HEADERS):
        return frame(HEADERS, flags, stream, fields if isinstance(fields, bytes) else block(fields))

    def get(self, stream=1, path="/", *fields):
        return self.headers(stream, self.head("GET", path, *fields))

    def post(self, stream=1, path="/body", *fields):
        """The head alone: data is to follow."""
        return self.headers(stream, self.head("POST", path, *fields), END_HEADERS)

    # ---- reading ----

    def _exactly(self, n):
        while len(self._buffer) < n:
            try:
                piece = self.sock.recv(65536)
            except (ConnectionResetError, ssl.SSLEOFError):
                piece = b""
            if not piece:
                self.ended = True
                raise Ended("ended after GOAWAY %r, %r" % (self.goaway, self._buffer[:100]))
            self._buffer += piece
        out, self._buffer = self._buffer[:n], self._buffer[n:]
        return out

    def frame(self):
        """The next frame, checked and noted."""
        head = self._exactly(9)
        length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        (stream,) = struct.unpack(">I", head[5:])
        check(stream < 1 << 31, "the reserved bit is set", head)
        check(length <= FRAME_MAX, "a frame longer than we allow", length)
        self.frames_read += 1
        check(self.frames_read > 1 or kind == SETTINGS and not flags, "the first frame is not SETTINGS", kind, head)
        check(self._block is None or kind == CONTINUATION and stream == self._block[0], "a block of fields is interrupted by", kind)
        f = Frame(kind, flags, stream, self._exactly(length))
        check(kind in READERS, "unasked kind of frame", f)
        READERS[kind](self, f)
        return f

    def _answer(self, f):
        check(f.stream % 2 == 1, "a stream that is not ours", f)
        return self.answers.setdefault(f.stream, Answer())

    def _on_data(self, f):
        answer, text = self._answer(f), f.payload
        if f.flags & PADDED:
            check(text and text[0] < len(text), "padding", f)
            text = text[1:len(text) - text[0]]
        check(answer.fields and not answer.over, "DATA before its head or after the end", f)
        left = self.stream_windows.get(f.stream, self.initial)
        check(not f.payload or len(f.payload) <= min(left, self.window), "beyond the window", len(f.payload), left, self.window)
        self.stream_windows[f.stream], self.window = left - len(f.payload), self.window - len(f.payload)
        answer.body += text
        answer.ended = bool(f.flags & END_STREAM)

    def _on_headers(self, f):
        check(not f.flags & ~(END_STREAM | END_HEADERS | PADDED | WITH_PRIORITY), "flags", f)
        check(not f.flags & (PADDED | WITH_PRIORITY), "not needed by anybody", f)
        self._answer(f)
        self._block = (f.stream, f.flags & END_STREAM, f.payload)
        self._end_block(f)

    def _on_continuation(self, f):
        check(self._block is not None, "CONTINUATION of nothing", f)
        self._block = (f.stream, self._block[1], self._block[2] + f.payload)
        self._end_block(f)

    def _end_block(self, f):
        if not f.flags & END_HEADERS:
            return
        stream, end, text = self._block
        self._block = None
        fields = [(n, v) for n, v in self.table.decode(text, raw=True)]
        answer = self.answers[stream]
        check(not answer.over, "fields after the end", stream, fields)
        for n, v in fields:
            check(NAME.match(n) and VALUE.match(v), "field", n, v)
            check(n not in CONNECTION_FIELDS and n != b"te", "connection-specific field", n)
        pseudo = [n for n, _ in fields if n.startswith(b":")]
        if answer.fields is not None:
            check(not pseudo and end, "trailers", fields)
            answer.trailers = fields
        else:
            check(pseudo == [b":status"] and fields[0][0] == b":status" and re.fullmatch(b"[1-5][0-9][0-9]", fields[0][1]), "head", fields)
            if fields[0][1] < b"200":
                check(not end, "an interim answer cannot be the end", fields)
                answer.interim.append(fields)
            else:
                answer.fields = fields
        answer.ended = bool(end)

    def _on_rst(self, f):
        check(len(f.payload) == 4, "length", f)
        answer = self._answer(f)
        check(answer.reset is None, "reset twice", f)
        answer.reset = f.code

    def _on_settings(self, f):
        check(f.stream == 0 and len(f.payload) % 6 == 0, "SETTINGS", f)
        if f.flags & ACK:
            check(not f.payload, "SETTINGS ACK", f)
            self.acks += 1
            return
        pairs = dict(struct.iter_unpack(">HI", f.payload))
        check(pairs.get(ENABLE_PUSH, 0) == 0, "a server cannot allow push", pairs)
        check(pairs.get(INITIAL_WINDOW_SIZE, 0) < 1 << 31 and FRAME_MAX <= pairs.get(MAX_FRAME_SIZE, FRAME_MAX) < 1 << 24, "SETTINGS", pairs)
        self.settings.update(pairs)
        self.send(settings(flags=ACK))

    def _on_ping(self, f):
        check(f.stream == 0 and len(f.payload) == 8, "PING", f)
        if f.flags & ACK:
            self.pongs.append(f.payload)
        else:
            self.send(frame(PING, ACK, 0, f.payload))

    def _on_goaway(self, f):
        check(f.stream == 0 and len(f.payload) >= 8, "GOAWAY", f)
        self.goaway = f

    def _on_window(self, f):
        check(len(f.payload) == 4 and 0 < struct.unpack(">I", f.payload)[0] < 1 << 31, "WINDOW_UPDATE", f)
        self.room[f.stream] = self.room.get(f.stream, 0) + struct.unpack(">I", f.payload)[0]

    # ---- asking ----

    def grant(self, stream, size):
        """Lets the server send `size` more on a stream, or on the connection (0)."""
        if stream:
            self.stream_windows[stream] = self.stream_windows.get(stream, self.initial) + size
        else:
            self.window += size
        self.send(window(stream, size))

    def change_initial(self, size):
        for stream in self.stream_windows:
            self.stream_windows[stream] += size - self.initial
        self.initial = size
        self.send(settings((INITIAL_WINDOW_SIZE, size)))

    def leave(self, stream):
        """Bytes that we may send now."""
        return min(self.room[0], self.room.get(stream, 0) + self.settings.get(INITIAL_WINDOW_SIZE, WINDOW))

    def upload(self, stream, *frames_of_data):
        """DATA as the server gives leave."""
        for f in frames_of_data:
            n = len(f) - 9
            self.until(lambda n=n: self.leave(stream) >= n)
            self.room[0], self.room[stream] = self.room[0] - n, self.room.get(stream, 0) - n
            self.send(f)

    def until(self, condition):
        while not condition():
            self.frame()

    def sync(self):
        """Everything sent so far has been read, and the connection lives."""
        mark = os.urandom(8)
        self.send(ping(mark))
        self.until(lambda: mark in self.pongs)
        if self.goaway is not None:
            raise Ended(repr(self.goaway))

    def answer(self, stream=1):
        self.until(lambda: stream in self.answers and self.answers[stream].over)
        return self.answers[stream]

    def opened(self, stream=1):
        """The answer once its head is there."""
        self.until(lambda: stream in self.answers and (self.answers[stream].fields or self.answers[stream].over))
        return self.answers[stream]

    def fetch(self, stream=1, path="/", *fields):
        self.send(self.get(stream, path, *fields))
        return self.answer(stream)

    # ---- verdicts ----

    def dies(self, *codes):
        """GOAWAY with one of these codes, then the end of the connection."""
        try:
            while True:
                self.frame()
        except Ended:
            pass
        assert self.goaway is not None, "closed without GOAWAY"
        assert self.goaway.code in codes, "GOAWAY %d %r" % (self.goaway.code, self.goaway.payload[8:])

    def resets(self, stream, *codes):
        """The stream ends with one of these codes, and the connection serves on."""
        answer = self.answer(stream)
        assert answer.reset in codes, answer
        self.serves(stream + 100)

    def serves(self, stream=1):
        """A request is answered as if nothing had been."""
        answer = self.fetch(stream)
        assert answer.status == 200 and answer.ended, answer


READERS = {DATA: H2._on_data, HEADERS: H2._on_headers, RST_STREAM: H2._on_rst, SETTINGS: H2._on_settings, PING: H2._on_ping,
           GOAWAY: H2._on_goaway, WINDOW_UPDATE: H2._on_window, CONTINUATION: H2._on_continuation}


def shut(sock):
    try:
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        pass
