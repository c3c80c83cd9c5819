"""A WSGI application that sends every request on, as it was given it, to the Unix socket RELAY, over one connection a thread.

It adds nothing to make it safe: what Quintet let through is what the next server has to read.
"""
import http.client
import os
import socket
import threading

HERE = threading.local()


def connection():
    if getattr(HERE, "socket", None) is None:
        HERE.socket = socket.socket(socket.AF_UNIX)
        HERE.socket.settimeout(20)
        HERE.socket.connect(os.environ["RELAY"])
    return HERE.socket


def fields(environ):
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-"), value
    if environ.get("CONTENT_TYPE"):
        yield "Content-Type", environ["CONTENT_TYPE"]


def application(environ, start):
    body = environ["wsgi.input"].read()
    lines = ["%s %s HTTP/1.1" % (environ["REQUEST_METHOD"], environ["REQUEST_URI"]), *("%s: %s" % f for f in fields(environ))]
    if body or environ.get("CONTENT_LENGTH"):
        lines.append("Content-Length: %d" % len(body))
    link = connection()
    link.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
    answer = http.client.HTTPResponse(link, method=environ["REQUEST_METHOD"])
    answer.begin()
    content = answer.read()
    if answer.will_close:
        link.close()
        HERE.socket = None
    start("%d %s" % (answer.status, answer.reason or "-"), [("Content-Length", str(len(content))), ("Content-Type", "application/json")])
    return [content]
