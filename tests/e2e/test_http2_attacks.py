"""Attacks on HTTP/2: each for a moment, beside good clients. bench/http2_attacks.py runs them longer and prints what they cost."""
import re

import pytest

from kit import instance
from kit.h2_attacks import ATTACKS, CALM, measure
from kit.instance import SANITIZED

MEMORY = 48 << 20  # that the edge may grow by, whatever the attack: four connections, each with bounded buffers, and what the allocator keeps


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacks")
    (folder / "static").mkdir()
    (folder / "static" / "big.bin").write_bytes(bytes(1 << 20))
    one = instance.Instance(folder, files={"app.py": instance.APPS / "plain.py"},
                            options=["--static", "/static/=%s" % (folder / "static"), "--workers", "2", "--threads", "2"])
    one.memory_max = 256 << 20
    one.start()
    yield one
    one.finish()


@pytest.mark.parametrize("name", ATTACKS)
def test(site, name):
    attack = ATTACKS[name]
    edge = site.edge_pid
    figures = measure(name, site.address(), site.address(), edge)
    print(figures)
    assert not figures["good"]["failed"], figures
    assert figures["good"]["requests"] > 20, "nobody else was served"
    assert site.edge_pid == edge
    assert SANITIZED or figures["memory"] <= MEMORY, figures
    if attack.told:
        assert figures["attack"]["closed"] > 0, figures
        assert not figures["attack"]["goaways"].keys() - {str(code) for code in (CALM, *attack.codes)}, figures


def test_who_attacks_is_named_in_the_log(site):
    measure("ping flood", site.address(), site.address(), site.edge_pid, 0.5, 1)
    lines = site.messages(message=re.compile("HTTP/2 connection was ended"))
    assert 0 < len(lines) < 40 and all(line["peer"] == "127.0.0.1" and line["kind"] for line in lines), lines
