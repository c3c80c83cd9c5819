"""The same table through two servers: behind nginx and haproxy, and before them. They never disagree on where a request ends.

What the first says it has passed on is what the second says it was asked, request by request: were a body taken for a request, or a request for a
body, the second would know of one more, or of one less.
"""
import re
from collections import Counter

import pytest
from kit import client, h1_table
from kit.fronts import FRONTS
from kit.instance import json_lines
from kit.waiting import TimedOut, until

LAST = b"GET /sentinel HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
SECONDS = 3.0
ROWS = [row for row in h1_table.ROWS if row.expected != 413]  # that many bytes do not come


UNREAD = ("-", "-")


def normal(method, target):
    """As it is sent on, without scheme and authority. Of a request that is too long to be read some say no more than that."""
    if method == "<BADREQ>" or len(target) > 500:
        return UNREAD
    return method, re.sub(r"(?i)\Ahttps?://[^/?]*(?=/|\?|\Z)", "", target) or "/"


def passed_on(front):
    return Counter(normal(*row) for row in front.passed())


def asked(site, broken=True):
    """How often the instance was asked what, refused requests included; `broken`: also those that were never whole."""
    rows = json_lines(site.access)
    return Counter(normal(row["method"], row["target"]) for row in rows if broken or row["status"] != 499)


def talk(address, data, how):
    """Sends, then reads what comes until the end."""
    c = client.Client(client.connect(address, timeout=SECONDS))
    try:
        c.send(data, how)
    except (BrokenPipeError, ConnectionResetError):
        pass
    try:
        while c.sock.recv(65536):
            pass
    except (ConnectionResetError, TimeoutError):
        pass
    finally:
        c.close()


def known(rows):
    return Counter({row: n for row, n in rows.items() if row != UNREAD})


def disagreement(front, last):
    """What only one of them knows of; nothing when all can be told apart or was not read by one of them. A body that turned out to be malformed while
    it was passed on breaks off: whether the front counts that is its own affair."""
    passed, received, whole = passed_on(front), asked(last), asked(last, broken=False)
    only_front, only_last = known(passed - received), known(whole - passed)
    if sum(only_front.values()) <= received[UNREAD] and sum(only_last.values()) <= passed[UNREAD] and \
            sum(whole.values()) <= sum(passed.values()) <= sum(received.values()):
        return None
    return "only the front: %.300r, only the last: %.300r, %d of %d" % (only_front, only_last, sum(passed.values()), sum(received.values()))


def disagreements(address, front, last, how):
    """All rows at once; once more, one by one, if something is wrong, to tell which it is."""
    def agreed():
        try:
            return until(lambda: disagreement(front, last) is None, "both to say the same", 3)
        except TimedOut:
            return False

    for row in ROWS:
        talk(address, row.data + LAST, how)
    if agreed():
        return []
    found = [disagreement(front, last)]
    for row in ROWS:
        before = disagreement(front, last)
        talk(address, row.data + LAST, how)
        if not agreed() and disagreement(front, last) != before:
            found.append("%s (%s)" % (row.name, row.source))
    return found


@pytest.mark.parametrize("how", ["whole", "random"])
@pytest.mark.parametrize("name", sorted(FRONTS))
def test_behind(quintet, name, how):
    site = quintet("seen.py", options=["--health-path", "/up", "--shutdown-delay", "0", "--keep-alive", "20s"])
    front = FRONTS[name](site.address())
    try:
        found = disagreements(front.socket, front, site, how)
    finally:
        front.stop()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("how", ["whole", "random"])
@pytest.mark.parametrize("name", sorted(FRONTS))
def test_before(quintet, name, how):
    last = quintet("seen.py")
    middle = FRONTS[name](last.address())
    try:
        first = quintet("relay.py", env={"RELAY": middle.socket}, options=["--health-path", "/up", "--shutdown-delay", "0"])
        first.expected.append("relay|Traceback")
        found = disagreements(first.address(), middle, last, how)
    finally:
        middle.stop()
    assert not found, "\n".join(found)
    assert asked(last)["GET", "/sentinel"] > 50
    assert not [target for _, target in asked(first) + asked(last) if "smuggled" in target]
