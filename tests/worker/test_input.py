"""wsgi.input: any sizes, from the slot and from a descriptor, against io.BytesIO as the model."""

import hashlib
import io
import json
import os
import random
import tempfile

import pytest
from harness import RUNNING, Response

TEXT = b"first\nsecond line\n\nfourth\n" + b"x" * 200 + b"\nlast without end"


def model(body, how):
    stream = io.BytesIO(body)
    parts = []
    for step in how.split("+"):
        name, _, size = step.partition(":")
        if name == "iter":
            parts += list(stream)
        elif name == "none":
            parts.append(stream.read(None))
        else:
            part = getattr(stream, name)(*([int(size)] if size else []))
            parts += part if isinstance(part, list) else [part]
    return [part.decode("latin-1") for part in parts]


WAYS = [
    "read", "read:-1", "none", "read:0+read", "read:5+read:1+read", "read:99999+read:1+read",
    "readline+readline+readline+readline+readline+readline+readline", "readline:3+readline:0+readline:-1+readline:99+read",
    "readlines", "readlines:7+readlines:1+read", "readlines:0", "readlines:-1", "iter+iter", "read:3+iter", "readline+iter+read",
]  # fmt: skip


def ask(worker, body, how):
    return json.loads(worker.post("/reads", body, query=how).body)


def ask_by_descriptor(worker, body, how, path="/reads", name="json"):
    slot = worker.submit(path, method="POST", body=body, as_fd=True, query=how)
    worker.wait_for(lambda: worker_asked(worker, slot), "wish for the body")
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        worker.send_body(slot, file.fileno())
    found = worker.finish(slot).body
    return json.loads(found) if name == "json" else found


def worker_asked(worker, slot):
    from harness import lib

    return lib.fake_body_asked(worker.fake, slot)


def test_two_threads_read_at_once(corners):
    """One has the body; the other is told so, or finds nothing left. The descriptor stays the body's."""
    for _ in range(20):
        found = ask_by_descriptor(corners, b"body", "", path="/reads_in_two_threads")
        assert found in (["body", "wsgi.input is being read by another thread"], ["", "body"]), found


def test_a_late_reader_takes_nobodys_body(corners):
    for _ in range(5):
        slot = corners.submit("/keeps_reading", method="POST", body=b"late", as_fd=True)
        assert corners.finish(slot).body == b"over"
        assert ask_by_descriptor(corners, b"mine", "read") == ["mine"]
    corners.wait_for(lambda: sum("late reader" in text for _, text in corners.lines()) == 5, "five late readers' end")


@pytest.mark.parametrize("how", WAYS)
def test_as_bytesio(corners, how):
    assert ask(corners, TEXT, how) == model(TEXT, how)


@pytest.mark.parametrize("how", WAYS)
def test_as_bytesio_by_descriptor(corners, how):
    assert ask_by_descriptor(corners, TEXT, how) == model(TEXT, how)


@pytest.mark.parametrize("seed", range(6))
def test_random_ways_over_large_bodies(corners, seed):
    rand = random.Random(seed)
    body = bytes(rand.choice(b"ab\n") if rand.random() < 0.01 else 120 for _ in range(rand.randrange(150_000)))
    names = ["read", "readline", "readlines"]
    how = "+".join(f"{rand.choice(names)}:{rand.choice([0, 1, 7, 1000, 65536, 70000])}" for _ in range(12)) + "+iter"
    assert ask_by_descriptor(corners, body, how) == model(body, how)
    if len(body) <= 65536:
        assert ask(corners, body, how) == model(body, how)


@pytest.mark.parametrize("body", [None, b""])
def test_no_body(corners, body):
    how = "read+read:5+readline+readlines+iter"
    response = corners.get("/reads", method="POST", body=body, query=how)
    assert json.loads(response.body) == ["", "", ""]
    assert response.header("X-Length") == ["none" if body is None else "0"]


def test_bad_arguments(corners):
    assert corners.post("/reads_badly", b"abc").body == b"9"


def test_large_body(corners):
    body = os.urandom(3_000_000)
    assert ask_by_descriptor(corners, body, "", "/digest", "raw").decode() == hashlib.sha256(body).hexdigest()


def test_a_body_nobody_reads_is_not_asked_for(corners):
    slot = corners.submit("/several", method="POST", body=b"x" * 100_000, as_fd=True)
    assert corners.finish(slot, release=False).body == b"abc"
    assert not worker_asked(corners, slot)
    from harness import lib

    lib.fake_release(corners.fake, slot)


def test_the_client_leaves_before_the_body_comes(corners):
    slot = corners.submit("/reads", method="POST", body=b"x" * 100, as_fd=True, query="read")
    corners.wait_for(lambda: worker_asked(corners, slot), "wish for the body")
    corners.cancel(slot)
    assert corners.finish(slot).end is None
    assert ask(corners, b"abc", "read") == ["abc"]


def test_a_late_body_is_not_taken_for_another(corners):
    slot = corners.submit("/reads", method="POST", body=b"right", as_fd=True, query="read")
    corners.wait_for(lambda: worker_asked(corners, slot), "wish for the body")
    before = len(os.listdir(f"/proc/{corners.pid}/fd"))
    with tempfile.TemporaryFile() as wrong, tempfile.TemporaryFile() as right:
        wrong.write(b"wrong")
        wrong.flush()
        right.write(b"right")
        right.flush()
        corners.send("BODY", (slot << 32) + 999_999, wrong.fileno(), corners.edge)
        corners.send_body(slot, right.fileno())
    assert json.loads(corners.finish(slot).body) == ["right"]
    assert len(os.listdir(f"/proc/{corners.pid}/fd")) == before


def test_a_shorter_descriptor_is_an_error(corners):
    slot = corners.submit("/reads", method="POST", body=b"x" * 1000, as_fd=True, query="read")
    corners.wait_for(lambda: worker_asked(corners, slot), "wish for the body")
    with tempfile.TemporaryFile() as file:
        file.write(b"short")
        file.flush()
        corners.send_body(slot, file.fileno())
    assert corners.finish(slot).status is None
    corners.await_line("OSError: [Errno 5]")


def test_descriptors_are_closed(corners):
    before = len(os.listdir(f"/proc/{corners.pid}/fd"))
    for _ in range(20):
        ask_by_descriptor(corners, TEXT, "read:3")
    assert len(os.listdir(f"/proc/{corners.pid}/fd")) == before


def test_phase_while_waiting(corners):
    slot = corners.submit("/reads", method="POST", body=b"x", as_fd=True, query="read")
    corners.wait_for(lambda: worker_asked(corners, slot), "wish for the body")
    assert corners.phase(slot) == RUNNING and not corners.next(Response(slot))
    corners.cancel(slot)
    corners.finish(slot)
