"""Clients that send or take next to nothing, thousands of them, beside ordinary ones whose latency is measured with and without."""
import statistics
import subprocess

import pytest

from kit.instance import SANITIZED
from kit.waiting import until
from rig import crowd, pace
from rig.tally import percentile

RATE = 100
# Windows without and with, one after the other, so that a slow minute of the machine meets both. Their number is fixed: who measures until it fits proves nothing.
PAIRS = 5

MODES = {
    "slow headers": ["-H", "-i", "1", "-u", "{url}/page?n=1"],
    "slow body": ["-B", "-i", "1", "-s", "8192", "-u", "{url}/upload"],
    "range": ["-R", "-u", "{url}/static/style.css", "-t", "HEAD", "-a", "10", "-b", "3000"],
    "slow read": ["-X", "-w", "10", "-y", "20", "-n", "1", "-z", "32", "-k", "3", "-u", "{url}/static/style.css"],
}


def window(site, seconds):
    """p99 of the application's pages at a rate far below what is possible."""
    seen = pace.run(site.addresses["http"], "/page?n=20", seconds, rate=RATE)
    wrong = [what for _, _, what in seen if what != 200]
    assert not wrong, wrong[:5]
    return percentile([s for _, s, _ in seen], 0.99)


def compare(site, seconds, beside):
    """Ordinary requests fail neither with nor without; p99 with them is at most twice that without (medians of the windows)."""
    without, together = [], []
    for _ in range(PAIRS):
        without.append(window(site, seconds / PAIRS))
        with beside():
            together.append(window(site, seconds / PAIRS))
    told = "p99 without %s ms, with %s ms" % tuple([" ".join("%.1f" % (s * 1e3) for s in both) for both in (without, together)])
    print(told)
    assert SANITIZED or statistics.median(together) <= 2 * statistics.median(without), told


def test_idle_and_trickling(ground, seconds):
    """5,000 and 1,000: they cost the edge memory by the connection, and nobody time."""
    site = ground()
    site.memory_max = 192 << 20
    compare(site, seconds, lambda: crowd.gathered(site.addresses["http"], 5000, 1000))
    with site.load() as load, crowd.gathered(site.addresses["http"], 5000, 1000) as look:
        load.more(5)
        assert look()["open"] >= 5900


@pytest.mark.parametrize("mode", MODES)
def test_slowhttptest(ground, seconds, mode):
    site = ground()
    site.memory_max = 192 << 20
    url = "http://%s:%d" % site.addresses["http"]

    class Attack:
        def __enter__(self):
            before = site.status()["edge"]["connections"]
            words = ["slowhttptest", "-c", "1000", "-r", "1000", "-l", "600", "-v", "0", *(w.format(url=url) for w in MODES[mode])]
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # As with the crowd: all have come when the window begins. A thousand connections in a second cost the tool the time of a core.
            until(lambda: site.status()["edge"]["connections"] >= before + 1000, "a thousand slow clients")

        def __exit__(self, *_):
            self.child.kill()
            self.child.wait()

    compare(site, seconds, Attack)
    with site.load() as load, Attack():
        load.more(5)
