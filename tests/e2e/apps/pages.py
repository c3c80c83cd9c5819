"""Bodies of every kind for test_compression: the query says which length, type, fields and pieces."""
import base64
import os
import time
from pathlib import Path
from urllib.parse import parse_qsl

WORDS = b"Nuages, Minor Swing, Djangology, Daphne, Belleville, Swing 39, Manoir de mes reves. "


def body(n):
    return (WORDS * (n // len(WORDS) + 1))[:n]


def stream(pieces, n, gate):
    """`pieces` pieces of n bytes; behind the first it waits for the file `gate`."""
    for i in range(pieces):
        yield body(n)
        while i == 0 and gate and not Path(gate).exists():
            time.sleep(0.005)


def application(environ, start_response):
    query = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    n, path = int(query.pop("n", 5000)), environ["PATH_INFO"]
    status = query.pop("status", "200 OK")
    pieces, gate, declared = int(query.pop("pieces", 1)), query.pop("gate", None), query.pop("length", None)
    fields = [("Content-Type", query.pop("type", "text/html; charset=utf-8")), *query.items()]
    if path == "/file":
        start_response(status, [*fields, ("Content-Length", str(n))])
        return environ["wsgi.file_wrapper"](open(query.pop("open", "body.txt"), "rb"))
    if path == "/stream":
        start_response(status, fields)
        return stream(pieces, n, gate)
    if path == "/noise":  # hardly smaller when compressed
        start_response(status, fields)
        return (base64.b64encode(os.urandom(n)) for _ in range(pieces))
    if path == "/echo":
        start_response(status, [*fields, ("Content-Length", str(n))])
        return [body(n - 1) + b"x"]
    start_response(status, [*fields, ("Content-Length", declared or str(n))])
    return [body(n)]
