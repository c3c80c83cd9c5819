"""Python's own limit: an application called in a loop, with no server.

    limit.py --chdir DIRECTORY --path /rows/ [--gc python|frozen|none] [--workers 2] [--seconds 3] MODULE:CALLABLE

Each worker calls the application as a server would: a new environ each time, with the fields that wrk sends, the result read to its end and closed. Prints
JSON: calls a second of all workers and CPU µs (user + system) a call. --gc says who collects garbage: `python` as CPython does by itself, which is what a
plain loop has; `frozen` the same after gc.freeze; `none` nobody, what is left when collections cost nothing.
"""
import argparse
import gc
import importlib
import json
import os
import sys
import time

ENVIRON = {
    "wsgi.version": (1, 0), "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http", "wsgi.multithread": False, "wsgi.multiprocess": True,
    "wsgi.run_once": False, "SCRIPT_NAME": "", "REQUEST_METHOD": "GET", "QUERY_STRING": "", "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "50000", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "HTTP_HOST": "127.0.0.1:8000",
}
BATCH = 20  # calls between two looks at the clock


class NoBody:
    """wsgi.input of a request without a body, which Django only looks at when it reads one."""

    def read(self, size=-1):
        return b""


def start_response(status, headers, exc_info=None):
    if not status.startswith("200"):
        raise SystemExit(f"limit: the application answers {status}")


def call(application, template):
    environ = dict(template)
    environ["wsgi.input"] = NoBody()
    result = application(environ, start_response)
    try:
        for _ in result:
            pass
    finally:
        if hasattr(result, "close"):
            result.close()


def load(options):
    os.chdir(options.chdir)
    sys.path.insert(0, os.getcwd())
    module, _, name = options.application.partition(":")
    return getattr(importlib.import_module(module), name or "application")


def settle(how):
    if how != "python":
        gc.collect()
        gc.freeze()
    if how == "none":
        gc.disable()


def loop(options):
    """Calls for so many seconds after a warm-up: (calls, seconds, CPU seconds)."""
    application = load(options)
    template = dict(ENVIRON, PATH_INFO=options.path, REQUEST_URI=options.path)
    for _ in range(200):
        call(application, template)
    settle(options.gc)
    calls, start, cpu = 0, time.monotonic(), time.process_time()
    while time.monotonic() - start < options.seconds:
        for _ in range(BATCH):
            call(application, template)
        calls += BATCH
    return calls, time.monotonic() - start, time.process_time() - cpu


def worker(options):
    """A process with the loop; the descriptor on which its figures come."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.write(write, json.dumps(loop(options)).encode())
        os._exit(0)
    os.close(write)
    return open(read)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("application")
    parser.add_argument("--chdir", default=".")
    parser.add_argument("--path", default="/")
    parser.add_argument("--gc", choices=["python", "frozen", "none"], default="python")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    texts = [pipe.read() for pipe in [worker(options) for _ in range(options.workers)]]
    if not all(texts):
        raise SystemExit("limit: a worker has failed")
    figures = [json.loads(text) for text in texts]
    calls = sum(figure[0] for figure in figures)
    print(json.dumps({"calls_per_second": sum(f[0] / f[1] for f in figures), "cpu_us": sum(f[2] for f in figures) / calls * 1e6, "calls": calls}))


if __name__ == "__main__":
    main()
