"""An HTTP/1 client that sends exactly what it is told and believes nothing it reads.

The reader checks the answer against RFC 9112: CRLF and nothing else, tokens, one framing, exact lengths.
"""
import random
import re
import socket
import ssl

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\t \x21-\x7e\x80-\xff]*)\Z")
VALUE = re.compile(rb"[\t \x21-\x7e\x80-\xff]*\Z")
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}\Z")


class Malformed(AssertionError):
    """The server broke HTTP."""


class Closed(AssertionError):
    """The server closed where an answer was due."""


def check(truth, what, *details):
    if not truth:
        raise Malformed(what + "".join(" %r" % (d,) for d in details))


class Response:
    def __init__(self, minor, status, reason, fields):
        self.minor, self.status, self.reason, self.fields = minor, status, reason, fields
        self.body = b""

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        check(len(values) <= 1, "repeated field", name, values)
        return values[0] if values else default

    def __getitem__(self, name):
        value = self.get(name)
        assert value is not None, "no %s in %r" % (name, self.fields)
        return value

    def __contains__(self, name):
        return bool(self.all(name))

    @property
    def text(self):
        return self.body.decode()

    def __repr__(self):
        return "<%d %s %r %r>" % (self.status, self.reason, self.fields, self.body[:300])


def connect(address, tls=None, name=None, timeout=20.0, receive_buffer=None):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    s = socket.socket(family)
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.settimeout(timeout)
    s.connect(address)
    if family != socket.AF_UNIX:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls.wrap_socket(s, server_hostname=name) if tls else s


def pieces(data, how, seed=None):
    """`data` whole, byte by byte, or cut at random (the seed is printed: pytest shows it when the test fails)."""
    if how == "whole":
        return [data]
    if how == "bytes":
        return [data[i:i + 1] for i in range(len(data))]
    seed = random.randrange(1 << 32) if seed is None else seed
    print("cut at random with seed", seed)
    rng = random.Random(seed)
    cuts = sorted(rng.sample(range(1, len(data)), min(len(data) - 1, rng.randrange(1, 12))))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]


class Client:
    """One connection."""

    def __init__(self, sock):
        self.sock = sock
        self._buffer = b""
        self._ended = False

    def close(self):
        self.sock.close()

    def reset(self):
        """Leaves with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def send(self, data, how="whole", seed=None):
        for piece in pieces(data, how, seed):
            self.sock.sendall(piece)

    # ---- reading ----

    def _more(self):
        if self._ended:
            return False
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError, BrokenPipeError):
            data = b""
        self._ended = not data
        self._buffer += data
        return bool(data)

    def _line(self):
        while b"\n" not in self._buffer:
            if not self._more():
                raise Closed("closed after %r" % self._buffer)
            check(len(self._buffer) < 1 << 20, "endless line")
        line, _, self._buffer = self._buffer.partition(b"\n")
        check(line.endswith(b"\r"), "a line without CR", line)
        return line[:-1]

    def _exactly(self, n):
        parts, have = [self._buffer], len(self._buffer)
        while have < n:
            self._buffer = b""
            if not self._more():
                raise Closed("closed %d bytes before the end of the body" % (n - have))
            parts.append(self._buffer)
            have += len(self._buffer)
        whole = b"".join(parts)
        self._buffer = whole[n:]
        return whole[:n]

    def _rest(self):
        parts = [self._buffer]
        while True:
            self._buffer = b""
            if not self._more():
                return b"".join(parts)
            parts.append(self._buffer)

    def _head(self):
        line = self._line()
        match = STATUS_LINE.match(line)
        check(match, "status line", line)
        fields = []
        while True:
            line = self._line()
            if not line:
                break
            name, colon, value = line.partition(b":")
            check(colon and TOKEN.match(name), "field name", line)
            check(VALUE.match(value), "field value", line)
            fields.append((name.decode(), value.strip(b" \t").decode("latin-1")))
        return Response(int(match[1]), int(match[2]), match[3].decode("latin-1"), fields)

    def chunk(self):
        """The next one's content; empty: the body has ended."""
        size, _, _ = self._line().partition(b";")
        check(CHUNK_SIZE.match(size), "chunk size", size)
        n = int(size, 16)
        content = self._exactly(n)
        check(self._line() == b"", "a chunk does not end with CRLF, or there are trailer fields")
        return content

    def _chunks(self):
        return b"".join(iter(self.chunk, b""))

    def _body(self, r, method):
        lengths, codings = r.all("Content-Length"), r.all("Transfer-Encoding")
        check(not (lengths and codings), "two framings", r.fields)
        check(len(lengths) <= 1 and len(codings) <= 1, "repeated framing", r.fields)
        check(all(re.fullmatch("[0-9]+", n) for n in lengths), "Content-Length", lengths)
        check(all(c == "chunked" for c in codings), "Transfer-Encoding", codings)
        if method == "HEAD" or r.status in (204, 304) or r.status < 200:
            check(r.status >= 300 or r.status == 200 or not lengths, "a length on", r.status)
            return b""
        if codings:
            return self._chunks()
        if lengths:
            return self._exactly(int(lengths[0]))
        check(r.minor == 0 or r.get("Connection") == "close", "no framing on a connection that stays", r.fields)
        return self._rest()

    def response(self, method="GET"):
        """The next answer, 100 (Continue) included."""
        r = self._head()
        r.body = self._body(r, method)
        if r.status >= 200:
            check(r.all("Date") and len(r.all("Date")) == 1, "no Date", r.fields)
        return r

    def head_of_response(self):
        """The next answer's head alone; read on with read()."""
        return self._head()

    def read(self, n):
        return self._exactly(n)

    def nothing_more(self):
        """The server has closed, and said nothing behind the last answer."""
        rest = self._rest()
        assert rest == b"", "unasked: %r" % rest[:200]

    def request(self, method, target, fields=(), body=None, how="whole", host="site.test"):
        lines = ["%s %s HTTP/1.1" % (method, target), "Host: " + host, *("%s: %s" % f for f in fields)]
        if body is not None and not any(n.lower() == "transfer-encoding" for n, _ in fields):
            lines.append("Content-Length: %d" % len(body))
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b""), how)
        return self.response(method)

    def get(self, target="/", *fields, **more):
        return self.request("GET", target, fields, **more)
