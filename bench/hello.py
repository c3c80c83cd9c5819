"""The smallest WSGI application, and a page of the size of many: what is left to measure is the server."""

BODY = b"Hello, world!\n"
ROW = '<tr><td><a href="/products/%d/">Product %d</a></td><td>%d.%02d</td><td>%s</td></tr>\n'
PAGE = ("<!doctype html><title>Products</title><table>\n" + "".join(
    ROW % (i, i * 7919, i * 31 % 97, i * 17 % 100, "abcdefghijklmnopqrstuvwxyz"[i % 20:][:6] * (i % 5)) for i in range(220)) + "</table>\n").encode()


def app(environ, start_response):
    page = environ["PATH_INFO"] == "/page"
    body = PAGE if page else BODY
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8" if page else "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
