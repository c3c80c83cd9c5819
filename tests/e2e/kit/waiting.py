"""Waiting for a condition of another process: the only place where the tests sleep."""
import os
import time

# A sanitizer build is several times slower; the limits only say when to give up.
SLOW = 4.0 if "asan" in os.environ.get("QUINTET_BINARY", "") else 1.0
STEP = 0.01


class TimedOut(AssertionError):
    pass


def until(condition, what, seconds=10.0):
    """Returns the first true value of condition(); fails with `what` after so many seconds."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimedOut("waited %g s for %s" % (seconds * SLOW, what() if callable(what) else what))
        time.sleep(STEP)


def holds_for(condition, what, seconds=0.3):
    """Fails if condition() stops being true within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), what
        time.sleep(STEP)
