"""Many clients that stay connected: each has asked once, and says nothing more."""
import socket
import ssl
from contextlib import contextmanager

REQUEST = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"
BUFFER = 65536


class Plain:
    """What goes over a socket as it is."""

    def __init__(self, sock):
        self.send, self.receive = sock.sendall, lambda: sock.recv(BUFFER)


class Secret:
    """TLS in memory beside the socket, so that it can be forgotten and the connection stays: ten thousand of them would fill us, not the server."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def __init__(self, sock):
        self.sock, self.came, self.goes = sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.came, self.goes, server_hostname="localhost")
        self._until(self.tls.do_handshake)

    def _until(self, step):
        while True:
            try:
                result = step()
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                part = self.sock.recv(BUFFER)
                if not part:
                    raise OSError("closed by the server") from None
                self.came.write(part)

    def _flush(self):
        if self.goes.pending:
            self.sock.sendall(self.goes.read())

    def send(self, data):
        self._until(lambda: self.tls.write(data))

    def receive(self):
        return self._until(lambda: self.tls.read(BUFFER))


def ask(way, path):
    """One request and its whole answer; it must be 200."""
    way.send(REQUEST.format(path).encode())
    data = way.receive()
    while b"\r\n\r\n" not in data:
        data += way.receive()
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += way.receive()
    if head.split()[1] != b"200":
        raise OSError(f"answered {head[:40]}")


def gone(sock):
    """Whether the server has closed it meanwhile."""
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@contextmanager
def crowd(server, path, number):
    """So many connections, each of which has had an answer."""
    socks = []
    try:
        for _ in range(number):
            socks.append(socket.create_connection(("127.0.0.1", server.site.port), timeout=20))
            ask(Secret(socks[-1]) if server.site.cert else Plain(socks[-1]), path)
        yield socks
    finally:
        for sock in socks:
            sock.close()
