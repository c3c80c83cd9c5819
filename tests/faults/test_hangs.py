"""An application that hangs: a 504 for that request at --timeout, another worker, and nothing for anybody else to notice."""
import time

import pytest

from kit.waiting import SLOW, until

TIMEOUT = 1.5


@pytest.mark.parametrize("how, threads", [
    ("sleep", 1), ("sleep", 2), ("c", 1), ("busy", 1), ("busy", 2), ("stop", 1)])
def test_hang(ground, how, threads):
    site = ground("--timeout", "%gs" % TIMEOUT, "--threads", str(threads))
    site.expected.append("timeout")
    level = site.level()
    with site.load() as load:
        for _ in range(2):
            old, began = set(site.worker_pids()), time.monotonic()
            c = site.client()
            answer = c.get("/hang?how=" + how)
            waited = time.monotonic() - began
            assert answer.status == 504 and answer["X-Request-ID"] in answer.text
            assert TIMEOUT <= waited < TIMEOUT + SLOW, "the answer comes at the timeout, not %.2f s after the request" % waited
            until(lambda: len(now := site.try_worker_pids()) == 2 and set(now) != old, "another worker", 20)
            c.close()
            load.more(5)
    site.ask_level(level)


def test_all_workers_hang_at_once(ground):
    """Who waits meanwhile is served by the next ones."""
    site = ground("--timeout", "1.5s")
    site.expected.append("timeout")
    with site.load() as load:
        clients = [site.client() for _ in range(2)]
        for c in clients:
            c.send(b"GET /hang?how=sleep HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert [c.response().status for c in clients] == [504, 504]
        load.more(5)
        site.wait_workers(2)
