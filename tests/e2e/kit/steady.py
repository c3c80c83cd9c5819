"""Good clients: a steady load of small requests from a process of its own, so that what the test does does not slow it down.

As a module: Steady(address) starts it, .finish() ends it and returns its figures. As a program: it is that process.
A request on a kept connection that the server closed without a byte is sent again on a new one, as every browser does (RFC 9110 9.2.2).
"""
import json
import socket
import subprocess
import sys
import threading
import time

HEAD = "GET %s HTTP/1.1\r\nHost: site.test\r\n\r\n"


class Steady:
    def __init__(self, address, target="/", clients=4, pause=0.005, python=sys.executable):
        words = [python, __file__, address[0], str(address[1]), target, str(clients), str(pause)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def finish(self):
        """{"requests", "failed": [texts], "p50", "p99", "max" in seconds}"""
        out, _ = self.process.communicate(timeout=60)
        return json.loads(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def steady_for(address, seconds, **more):
    with Steady(address, **more) as load:
        time.sleep(seconds)
        return load.finish()


class _Client:
    def __init__(self, address, request):
        self.address, self.request, self.sock = address, request, None

    def _exchange(self):
        self.sock.sendall(self.request)
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.sock.recv(65536)
            if not piece:
                raise ConnectionError("closed after %r" % data)
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            piece = self.sock.recv(65536)
            if not piece:
                raise ConnectionError("cut off")
            body += piece
        if b"connection: close" in lower:
            self.sock.close()
            self.sock = None
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(head.split(b"\r\n")[0].decode())

    def once(self):
        kept = self.sock is not None
        if not kept:
            self.sock = socket.create_connection(self.address, timeout=30)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._exchange()
        except OSError as error:
            self.sock.close()
            self.sock = None
            if not kept or "cut off" in str(error):
                raise
            self.once()


def _run(address, target, pause, over, times, failed):
    one = _Client(address, (HEAD % target).encode())
    while not over.is_set():
        begin = time.monotonic()
        try:
            one.once()
        except (OSError, AssertionError, ValueError) as error:
            failed.append(repr(error))
            one.sock = None
        times.append(time.monotonic() - begin)
        over.wait(pause)


def main():
    host, port, target, clients, pause = sys.argv[1:]
    over, times, failed = threading.Event(), [], []
    threads = [threading.Thread(target=_run, args=((host, int(port)), target, float(pause), over, times, failed))
               for _ in range(int(clients))]
    for t in threads:
        t.start()
    sys.stdin.read()
    over.set()
    for t in threads:
        t.join()
    times.sort()
    print(json.dumps({"requests": len(times), "failed": failed, "p50": times[len(times) // 2],
                      "p99": times[len(times) * 99 // 100], "max": times[-1]}))


if __name__ == "__main__":
    main()
