"""Garbage collection between requests: when it happens, when it does not, and that memory stays level."""

import json
import time

import pytest
from harness import Worker


def garbage(*options, **how):
    return Worker("garbage", options=options, **how)


def state(worker):
    return json.loads(worker.get("/state").body)


def inside(found):
    return [generation for generation, in_request in found["notes"] if in_request]


def test_not_inside_a_request():
    """Objects of a hundred thresholds, in requests of several each: every collection is outside."""
    with garbage() as worker:
        for _ in range(50):
            worker.get("/garbage?3000")
        found = state(worker)
        assert inside(found) == [] and len(found["notes"]) > 5
        assert found["threshold"][0] >= 100_000 and found["frozen"] > 1000


def test_under_load_it_does_not_wait_for_a_pause():
    """The next request is there before the last one has ended, all the time."""
    with garbage() as worker:
        slots = [worker.submit("/garbage?1000") for _ in range(2)]
        for _ in range(200):
            worker.finish(slots.pop(0))
            slots.append(worker.submit("/garbage?1000"))
        for slot in slots:
            worker.finish(slot)
        assert state(worker)["nodes"] < 20_000


def test_idle_frees_without_another_request():
    with garbage() as worker:
        worker.get("/loud?1000")
        worker.await_line("freed")


def test_what_was_kept_is_looked_through_when_idle():
    """Objects that survive make a full collection due, once nothing has come for a while."""
    with garbage() as worker:
        for _ in range(10):
            worker.get("/keep?3000")
        worker.wait_for(lambda: [2, False] in state_after_a_pause(worker)["notes"], "full collection")
        assert inside(state(worker)) == []


def state_after_a_pause(worker):
    time.sleep(0.3)  # the pause is what is tested
    return state(worker)


AGED = """
class Aged:
    def __del__(self):
        print("freed")
aged = Aged()
aged.me = aged
gc.collect()
gc.collect()
del aged, Aged
"""


@pytest.mark.parametrize("options", [[], ["--gc", "python"]])
@pytest.mark.parametrize("threads", [1, 3])
def test_old_garbage_of_the_import_is_freed(options, threads):
    """In the first pause, or by the boot; only a full collection finds it."""
    with garbage(*options, threads=threads, environ={"GARBAGE_SETUP": AGED}) as worker:
        worker.await_line("freed")
        assert state(worker)["frozen"] > 1000


def test_a_huge_request_has_a_safety_net():
    with garbage() as worker:
        before = state(worker)["rss"]
        worker.get("/garbage?1000000")
        found = state(worker)
        assert inside(found) and found["rss"] - before < 150_000  # a million Nodes are more than 200 MB


def test_what_a_huge_request_leaves_is_freed():
    """Its objects were alive when the interpreter collected in its middle, and are old garbage now: nothing young tells of it."""
    with garbage() as worker:
        worker.get("/tree?300000")
        worker.wait_for(lambda: state_after_a_pause(worker)["nodes"] == 0, "full collection")
        assert inside(state(worker))


def test_huge_requests_do_not_add_up():
    """One after the other, without a pause: less than half of what they make is ever there."""
    with garbage() as worker:
        most = 0
        for _ in range(20):
            worker.get("/tree?200000")
            most = max(most, state(worker)["nodes"])
        assert most < 2_000_000


def test_python_leaves_it_to_the_interpreter():
    with garbage("--gc", "python") as worker:
        for _ in range(20):
            worker.get("/garbage?3000")
        found = state(worker)
        assert inside(found) and found["threshold"][0] < 10_000


@pytest.mark.parametrize("setup", ["gc.disable()", "gc.set_threshold(5000, 20, 20)", "gc.set_threshold(0)"])
def test_the_applications_own_wish_is_respected(setup):
    with garbage(environ={"GARBAGE_SETUP": setup}) as worker:
        before = state(worker)
        for _ in range(20):
            worker.get("/garbage?1000")
        time.sleep(0.05)  # idle would have been used by now
        after = state(worker)
        assert after["threshold"] == before["threshold"] and after["enabled"] == ("disable" not in setup)
        assert len(after["notes"]) == len(inside(after)) + len(before["notes"]), "none but the interpreter's own"


def test_an_error_in_a_finalizer_is_logged_and_survived():
    with garbage() as worker:
        worker.get("/raising?1000")
        worker.await_line("ValueError: in a finalizer")
        assert worker.get("/").status == 200


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("pause", [0, 0.004])
def test_memory_stays_level(threads, pause):
    """A million objects in cycles."""
    with garbage(threads=threads) as worker:
        def run(n):
            for _ in range(n):
                worker.get("/garbage?2500")
                time.sleep(pause)

        run(100)
        before = state(worker)["rss"]
        run(300)
        assert state(worker)["rss"] - before < 8_000, "KiB"


def test_threads_serve_while_it_collects():
    with garbage(threads=4) as worker:
        for _ in range(100):
            slots = [worker.submit("/garbage?1000") for _ in range(4)]
            assert [worker.finish(slot).status for slot in slots] == [200] * 4
        assert state(worker)["threshold"][0] < 10_000
        worker.get("/loud?1000")
        worker.await_line("freed")
