"""The worker as a process: stop, signals, a new edge, threads, forks, and ends of all kinds."""

import os
import re
import signal

import pytest
from harness import DONE, END, FAIL, READY, RUNNING, Response, Worker, lib


def test_stop_finishes_what_runs(tmp_path):
    flag = tmp_path / "go"
    with Worker("corners") as worker:
        slot = worker.submit("/steps", headers=[("X-Until", str(flag))])
        response = Response(slot)
        worker.wait_for(lambda: worker.next(response) and response.body, "the first item")
        worker.send("STOP")
        flag.touch()
        rest = worker.finish(slot)
        assert (rest.body, rest.end) == (b"2", END)
        assert worker.wait() == 0


def test_stop_takes_no_more(tmp_path):
    with Worker("corners") as worker:
        assert worker.stop() == 0
        slot = worker.submit("/several")
        assert worker.phase(slot) == READY


def test_supervisor_gone():
    worker = Worker("corners")
    assert worker.get("/several").body == b"abc"
    keep = os.dup(worker.supervisor)
    lib_shutdown(worker.supervisor)
    assert worker.wait() == 1
    os.close(keep)
    worker.close()


def lib_shutdown(fd):
    import socket

    sock = socket.socket(fileno=os.dup(fd))
    sock.shutdown(socket.SHUT_RDWR)
    sock.close()


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2"])
def test_signals_do_nothing(corners, name, tmp_path):
    flag = tmp_path / "go"
    slot = corners.submit("/steps", headers=[("X-Until", str(flag))])
    response = Response(slot)
    corners.wait_for(lambda: corners.next(response) and response.body, "the first item")
    os.kill(corners.pid, getattr(signal, name))
    flag.touch()
    assert corners.finish(slot).end == END


def test_handlers_of_the_application_run_between_requests(corners):
    """At once, not with the next request, which they could end."""
    corners.get("/rings")
    rings = corners.wait_for(lambda: several_rings(corners), "four rings")
    assert min(b - a for a, b in zip(rings, rings[1:])) < 0.5, rings


def several_rings(worker):
    times = [float(text.split()[1]) for _, text in worker.lines() if text.startswith("rang")]
    return times if len(times) >= 4 else None


def test_a_new_edge(tmp_path):
    """The old edge is gone in the middle of a request; a new one adopts the pool and brings a new channel."""
    with Worker("corners") as worker:
        slot = worker.submit("/endless")
        response = Response(slot)
        worker.wait_for(lambda: worker.next(response) and response.body, "some data")
        os.close(worker.edge)
        lib.fake_adopt(worker.fake)
        worker.wait_for(lambda: lib.fake_orphan_ended(worker.fake, slot), "end of the orphan")
        worker.edge, theirs = worker._pair()
        worker.send("EDGE", 0, theirs)
        os.close(theirs)
        assert worker.get("/several").body == b"abc"
        wait_for_channel(worker)
        assert worker.get("/file_plain").files == [b"0123456789" * 1000]
        upload(worker)


def wait_for_channel(worker):
    """EDGE has been taken when descriptor 4 is the new socket's other end: then our end has a reader that answers."""
    def answered():
        response = worker.get("/file_plain")
        return response.end == END and response.files

    worker.wait_for(answered, "file over the new channel")


def upload(worker):
    from test_input import ask_by_descriptor

    assert ask_by_descriptor(worker, b"a\nb", "readline+read") == ["a\n", "b"]


def test_file_without_an_edge():
    with Worker("corners") as worker:
        os.close(worker.edge)
        worker.edge = os.open("/dev/null", os.O_RDONLY)
        slot = worker.submit("/file_plain")
        response = worker.finish(slot)
        assert response.end is None
        assert worker.get("/several").body == b"abc"


def test_threads_serve_at_once(tmp_path):
    flag = tmp_path / "go"
    with Worker("corners", threads=4) as worker:
        slots = [worker.submit("/thread", headers=[("X-Until", str(flag))]) for _ in range(4)]
        worker.wait_for(lambda: all(worker.phase(slot) == RUNNING for slot in slots), "four running requests")
        flag.touch()
        names = {worker.finish(slot).body for slot in slots}
        assert names == {b"MainThread", b"quintet-1", b"quintet-2", b"quintet-3"}


def test_threads_of_uploads_each_get_their_own():
    from test_input import worker_asked
    import tempfile

    with Worker("corners", threads=4) as worker:
        slots = [worker.submit("/reads", method="POST", body=b"x" * 5, as_fd=True, query="read") for _ in range(4)]
        for slot in slots:
            worker.wait_for(lambda: worker_asked(worker, slot), "wish for a body")
        for i in reversed(range(4)):
            with tempfile.TemporaryFile() as file:
                file.write(b"body%d" % i)
                file.flush()
                worker.send_body(slots[i], file.fileno())
        assert [worker.finish(slot).body for slot in slots] == [b'["body%d"]' % i for i in range(4)]


def test_threads_end_with_stop(tmp_path):
    flag = tmp_path / "go"
    with Worker("corners", threads=3) as worker:
        slots = [worker.submit("/thread", headers=[("X-Until", str(flag))]) for _ in range(3)]
        worker.wait_for(lambda: all(worker.phase(slot) == RUNNING for slot in slots), "three running requests")
        worker.send("STOP")
        flag.touch()
        for slot in slots:
            assert worker.finish(slot).end == END
        assert worker.wait() == 0


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("path, name", [("/exits", "SystemExit"), ("/interrupts", "KeyboardInterrupt")])
def test_exits_end_the_worker_after_the_request(threads, path, name):
    with Worker("corners", threads=threads) as worker:
        response = worker.get(path)
        assert (response.status, response.end) == (None, FAIL)
        assert worker.wait() == 0
        assert worker.lines()[0][1] == f"GET {path}: {name} in the application: the worker ends"


# ---- fork ----


def test_fork(corners):
    assert corners.get("/forks").body == b"5"
    assert corners.get("/several").body == b"abc"


def test_forked_child_that_returns_does_not_answer(corners):
    response = corners.get("/forks_and_returns")
    assert (response.body, response.end) == (b"1", END)
    corners.await_line("child: start_response was called in a child process made by fork()")
    corners.await_line("a child process made by fork() must end with os._exit()")
    assert corners.get("/several").body == b"abc"


@pytest.mark.parametrize("how, says", [("yields", ""), ("raises", "ValueError: deliberate"), ("exits", ""), ("ends", "")])
def test_forked_child_of_a_generator_does_not_answer(corners, how, says):
    response = corners.get("/forks_midway", query=how)
    assert (response.body, response.end) == (b"11", END)
    corners.await_line("a child process made by fork() must end with os._exit()")
    corners.await_line(says)
    assert not [text for _, text in corners.lines() if "the worker ends" in text]
    assert corners.get("/several").body == b"abc"


@pytest.mark.parametrize("kind", ["fork", "spawn", "forkserver"])
def test_multiprocessing(corners, kind):
    """Processes that are spawned import the application's modules from where the worker does."""
    assert corners.get("/multiprocess", query=kind).body == b"[2, 4, 6]"


def test_forked_child_can_be_terminated(corners):
    assert corners.get("/forked_term").body == b"-%d" % signal.SIGTERM


def test_children_inherit_none_of_our_descriptors(corners):
    assert corners.get("/descriptors").body.split() == [b"0", b"1", b"2", b"3"]  # 3: the listing itself


def test_forked_child_has_none_of_our_channels(corners):
    assert corners.get("/forked_descriptors").body == b"[]"


def test_dead_worker_leaves_a_settled_slot():
    worker = Worker("corners")
    slot = worker.submit("/endless")
    response = Response(slot)
    worker.wait_for(lambda: worker.next(response) and response.body, "some data")
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.wait() == -signal.SIGKILL
    assert worker.phase(slot) == RUNNING  # by a seat whose process is dead: the edge reaps it
    worker.close()


# ---- leaks ----


def counts(worker):
    return [int(n) for n in worker.get("/memory").body.split()]


@pytest.mark.parametrize(
    "paths",
    [
        ("/several", "/latin", "/cookies"),
        ("/generator", "/closes", "/writes"),
        ("/raises_first", "/lf_value", "/str_item", "/too_long"),
        ("/file_plain", "/file_memory"),
    ],
)
def test_nothing_is_left_behind(paths):
    rounds = 20_000 // len(paths) if "several" in paths[0] else 1000
    headers = [("Host", "h"), ("Cookie", "a=b"), ("Cookie", "c=d"), ("X-" + "L" * 200, "v")]
    with Worker("corners") as worker:
        def run(n):
            for _ in range(n):
                for path in paths:
                    worker.post(path, b"some body", headers=headers)

        run(1000)  # until then allocators settle, ASan's above all
        before = counts(worker)
        run(rounds)
        after = counts(worker)
        assert after[0] - before[0] < 50, "Python objects"
        assert after[1] - before[1] < 256, "pages of memory"
        # Frames and caches make it go up and down by hundreds; one reference lost in each request would be a thousand.
        assert abs(after[2] - before[2]) < 700, "references to None"
        assert after[3] == before[3], "descriptors"


def test_phases_are_as_the_harness_thinks():
    assert re.search("POOL_FREE, POOL_READY, POOL_RUNNING, POOL_DONE", pool_header()) and DONE == 3


def pool_header():
    from pathlib import Path

    return (Path(__file__).parents[2] / "src" / "pool" / "slot.h").read_text()
