"""The smallest WSGI application: what is left to measure is the server."""
import time

BODY = b"hello, wsg"
TEN_KB = b"0123456789abcdef" * 640
ROW = '<tr><td><a href="/products/%d/">Product %d</a></td><td>%d.%02d</td><td>%s</td></tr>\n'
PAGE = ("<!doctype html><title>Products</title><table>\n" + "".join(
    ROW % (i, i * 7919, i * 31 % 97, i * 17 % 100, "abcdefghijklmnopqrstuvwxyz"[i % 20:][:6] * (i % 5)) for i in range(220)) + "</table>\n").encode()
CHUNK = 1 << 16


def echo(environ):
    return environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))


def upload(environ):
    """Reads all there is and tells how much it was."""
    taken, read = 0, environ["wsgi.input"].read
    while True:
        part = read(CHUNK)
        if not part:
            return b"%d\n" % taken
        taken += len(part)


def slow(_environ):
    time.sleep(0.2)
    return BODY


PAGES = {"/": lambda _: BODY, "/10k": lambda _: TEN_KB, "/page": lambda _: PAGE, "/echo": echo, "/upload": upload, "/slow": slow}


def app(environ, start_response):
    path = environ["PATH_INFO"]
    body = PAGES[path](environ)
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8" if path == "/page" else "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
