"""Answers warm-up requests in every way; /asked tells what has been asked before."""

import json

PLAIN = [("Content-Type", "text/plain")]
asked, closed, environs = [], [], []


class Body:
    def __iter__(self):
        yield b"one"
        closed.append("iterated")

    def close(self):
        closed.append("closed")


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/asked":
        start_response("200 OK", PLAIN)
        return [json.dumps({"asked": asked, "closed": closed, "environ": environs[:1]}).encode()]
    asked.append(path)
    environs.append({k: v for k, v in environ.items() if isinstance(v, (str, bool, tuple))})
    environ["wsgi.input"].read()
    if path == "/raises":
        raise LookupError("not warm")
    if path == "/raises_late":
        start_response("200 OK", PLAIN)
        return (1 // 0 for _ in range(1))
    if path == "/exits":
        raise SystemExit(4)
    if path == "/silent":
        return []
    start_response({"/bad": "503 Not Today", "/away": "302 Found", "/missing": "404 Not Found"}.get(path, "200 OK"), PLAIN)
    return Body()
