"""A WSGI application that answers with what it was given, and writes it down (SEEN_FILE), a line a request, before it answers."""
import json
import os


def application(environ, start):
    body = environ["wsgi.input"].read()
    texts = {k: v for k, v in environ.items() if isinstance(v, str)}
    seen = json.dumps({"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "body": body.decode("latin-1"), "environ": texts})
    if "SEEN_FILE" in os.environ:
        with open(os.environ["SEEN_FILE"], "a") as file:
            file.write(seen + "\n")
    answer = seen.encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer]
