"""--max-requests: the worker asks for a successor, once, and serves on until it is told to stop."""

import pytest
from harness import Worker


def limited(limit, jitter=0, **how):
    return Worker("hello", options=["--max-requests", str(limit), "--max-requests-jitter", str(jitter)], **how)


@pytest.mark.parametrize("threads", [1, 3])
def test_asks_once_and_serves_on(threads):
    with limited(5, threads=threads) as worker:
        for _ in range(4):
            worker.get()
        assert not worker.says_something()
        worker.get()
        name, _, text, _ = worker.message()
        assert (name, text) == ("RECYCLE", b"it has served 5 requests (--max-requests)")
        for _ in range(20):
            assert worker.get().status == 200
        assert not worker.says_something()


def asked_after(worker):
    count = 0
    while not worker.says_something():
        worker.get()
        count += 1
    return count


def test_jitter():
    """Each worker draws its own; eight equal numbers out of fifty would be a wonder."""
    drawn = set()
    for _ in range(8):
        with limited(3, 50) as worker:
            drawn.add(asked_after(worker))
    assert min(drawn) >= 3 and max(drawn) <= 53 and len(drawn) > 1


def test_never_without():
    with Worker("hello") as worker:
        for _ in range(200):
            worker.get()
        assert not worker.says_something()
