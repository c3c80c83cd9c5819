"""Instructions of a request's way through the worker, against budgets. The rules are counted.py's.

usage: worker_budgets.py COMPILER VERSION BUILDTYPE     (meson says them, and QUINTET_BUILD)

A real worker runs under callgrind, with Debian's CPython; the tests' own edge hands it requests, many at a time.
What came before the application's one call of sched_yield() is not counted. There is no budget for the whole of exchange_serve (some 10,600): how
often a worker sleeps depends on what else the machine does, what it does for a request does not.
"""

import sys
import tempfile
from pathlib import Path

import counted

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "worker"))

import harness  # noqa: E402

harness.PATIENCE = 200  # seconds: an interpreter starts fifty times as slowly, and later still on a busy machine

TURNS, AT_ONCE = 20, 20
REQUESTS = TURNS * AT_ONCE

# (case, function): instructions a request, of all that runs below the function, the interpreter's among them
BUDGETS = {
    ("same", "environ_build"): 4350,  # names as in the request before: the next one of a connection
    ("same", "call_start_response"): 1583,  # status and two headers: checked and copied
    ("same", "body_send"): 1196,  # the response: head, data and end into the ring
    ("other", "environ_build"): 10881,  # another client's names each time
}

BROWSER = [
    ("Host", "shop.example"), ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101"), ("Accept-Language", "en"),
    ("Accept", "text/html,application/xhtml+xml"), ("Accept-Encoding", "gzip, deflate"), ("Cookie", "sessionid=abcdefghijklmnopqrstuvwxyz012345"),
]  # fmt: skip


def fields(case, number):
    return BROWSER if case == "same" or number % 2 else [*BROWSER, ("Referer", "https://shop.example/")]


def turn(worker, case):
    slots = [worker.submit(f"/products/guitar/?page={i}", headers=fields(case, i), remote_port=str(50000 + i)) for i in range(AT_ONCE)]
    for slot in slots:
        response = worker.finish(slot)
        assert (response.status, response.body, response.end) == (200, b"hello", harness.END)


def run(case, folder):
    out = Path(folder, case)
    command = counted.valgrind(out, "--zero-before=sched_yield")
    environ = {**counted.PLAIN, "PYTHONHASHSEED": "0"}
    with harness.Worker("counted_app", directory=HERE, environ=environ, boots=False, wrapper=command) as worker:
        name, _, text, _ = worker.message(timeout=harness.PATIENCE)
        assert name == "READY", text
        turn(worker, case)
        assert worker.get("/from-here").end == harness.END
        for _ in range(TURNS):
            turn(worker, case)
    return counted.annotated(out)


def main():
    with tempfile.TemporaryDirectory(prefix="quintet-budgets-") as folder:
        texts = {case: run(case, folder) for case in sorted({case for case, _ in BUDGETS})}
    return counted.judged(BUDGETS, texts, REQUESTS, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
