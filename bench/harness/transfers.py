"""Large bodies, up and down, each on a connection of its own, two at a time. The client's work is in the kernel: sendfile of a file in memory, and reads
into a buffer that nobody looks at."""
import os
import socket
import threading
import time

from harness import stats

CLIENTS = 2
BUFFER = 1 << 20


def connect(server):
    sock = socket.create_connection(("127.0.0.1", server.site.port), timeout=60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def answer(sock, buffer):
    """(status, what of the body came with the head, its whole length)."""
    head = b""
    while b"\r\n\r\n" not in head:
        n = sock.recv_into(buffer, 16384)
        if n == 0:
            raise OSError("closed before the answer")
        head += buffer[:n]
    fields, _, body = head.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in fields.split(b"\r\n") if line.lower().startswith(b"content-length:")), None)
    return int(fields.split()[1]), len(body), length


def rest(sock, buffer, left):
    while left > 0:
        n = sock.recv_into(buffer)
        if n == 0:
            raise OSError("closed in the middle of the body")
        left -= n


def once_down(server, path, length, _file):
    buffer = bytearray(BUFFER)
    with connect(server) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status, came, announced = answer(sock, buffer)
        if status != 200 or announced != length:
            raise OSError(f"{status}, {announced} bytes")
        rest(sock, buffer, length - came)


def once_up(server, path, length, file):
    with connect(server) as sock:
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: {length}\r\n\r\n".encode())
        sent = 0
        sock.settimeout(None)  # a socket with a timeout does not block, and sendfile would have to be asked again and again
        while sent < length:
            sent += os.sendfile(sock.fileno(), file, sent, length - sent)
        buffer = bytearray(BUFFER)
        status, _, _ = answer(sock, buffer)
        if status != 200:
            raise OSError(f"status {status}")


def clients(once, server, path, length, seconds):
    """Some clients that transfer one after the other; at least one each."""
    times, failures = [], []
    file = os.memfd_create("body")
    os.ftruncate(file, length)

    def work():
        end = time.monotonic() + seconds
        while True:
            start = time.monotonic()
            try:
                once(server, path, length, file)
                times.append(time.monotonic() - start)
            except OSError as error:
                failures.append(error)
            if time.monotonic() > end:
                return
    start = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - start
    os.close(file)
    return {"requests": len(times), "seconds": took, "p50": stats.percentile(times, 0.5), "p99": stats.percentile(times, 0.99),
            "bandwidth": len(times) * length / took, "failures": len(failures)}


def upload(server, path, length, seconds):
    return clients(once_up, server, path, length, seconds)


def download(server, path, length, seconds):
    return clients(once_down, server, path, length, seconds)
