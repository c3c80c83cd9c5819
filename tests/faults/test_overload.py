"""Five times more requests than the application can answer: it goes on at its full rate, and the others are told at once."""
import pytest

from rig import pace
from rig.tally import percentile

QUEUE_TIMEOUT = 1.0
SOON = 0.05  # from a refusal to the client's knowing


def capacity(site):
    """(answers a second, the service time that 99 of 100 stay below) with every worker busy and nobody waiting."""
    seen = pace.run(site.addresses["http"], "/work?ms=50", 3, clients=2)
    assert all(what == 200 for _, _, what in seen)
    span = max(b + s for b, s, _ in seen) - min(b for b, _, _ in seen)
    return len(seen) / span, percentile([s for _, s, _ in seen], 0.99)


@pytest.mark.parametrize("size", ["1024", "10"], ids=["deadline", "full queue"])
def test_overload(ground, seconds, size):
    site = ground("--queue-timeout", "%gs" % QUEUE_TIMEOUT, "--queue-size", size)
    rate, service = capacity(site)
    seen = pace.run(site.addresses["http"], "/work?ms=50", seconds + 2, rate=5 * rate)
    first = min(b for b, _, _ in seen)
    # Until the last request has come: after the first second, in which the queue fills.
    steady = [(s, what) for b, s, what in seen if first + 1 <= b + s <= first + seconds + 2]
    served = [s for s, what in steady if what == 200]
    refused = [s for s, what in steady if what == 503]
    print("capacity %.1f/s, service %.3f s, goodput %.1f/s, served p99 %.3f s, refused p99 %.3f s, longest %.3f s" % (
        rate, service, len(served) / (seconds + 1), percentile(served, 0.99), percentile(refused, 0.99), max(refused)))
    assert len(served) + len(refused) == len(steady), {what for _, what in steady}
    assert len(served) / (seconds + 1) > 0.9 * rate
    assert percentile(served, 0.99) < QUEUE_TIMEOUT + service
    # A request is refused when it comes, or when its time in the queue is over.
    late = [s for s in refused if SOON < s < QUEUE_TIMEOUT or s > QUEUE_TIMEOUT + SOON]
    assert len(late) <= len(refused) / 100, sorted(late)[-10:]


def test_health_is_never_queued(ground, seconds):
    site = ground("--health-path", "/up")
    rate, _ = capacity(site)
    load = pace.start(site.addresses["http"], "/work?ms=50", seconds, rate=5 * rate)
    health = pace.run(site.addresses["http"], "/up", seconds, rate=20)
    pace.answers(load)
    assert {what for _, _, what in health} == {200}
    assert percentile([s for _, s, _ in health], 0.99) < 0.5
