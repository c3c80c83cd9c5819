"""Every row of kit/h1_table.py, sent whole, byte by byte and cut at random: there is one reading, and it is the right one."""
import json

import pytest
from kit import h1_table
from kit.client import Closed

SENTINEL = b"GET /sentinel HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory, quintet_of_module):
    return quintet_of_module("seen.py", options=["--health-path", "/up", "--shutdown-delay", "0"])


def send(client, data, how):
    try:
        client.send(data, how)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before it was all said


def ask_refused(client, status):
    r = client.response()
    assert r.status == status, r
    assert r["Connection"] == "close"
    assert r["X-Request-ID"] in r.text
    client.nothing_more()


def check_seen(r, wanted):
    if wanted.method == "HEAD":
        return
    got = json.loads(r.text)
    assert (got["method"], got["path"]) == (wanted.method, wanted.path), got
    assert got["body"] == wanted.body.decode("latin-1"), got
    for name in wanted.absent:
        assert name not in got["environ"], (name, got["environ"][name])
    for name, value in wanted.present.items():
        assert got["environ"].get(name) == value, (name, got["environ"].get(name))


def ask_read(client, wanted):
    todo = list(wanted.requests)
    for status in wanted.statuses:
        method = todo[0].method if todo else "GET"
        r = client.response(method)
        while r.status == 100:
            r = client.response(method)
        assert r.status == status, r
        if status == 200 and todo:
            check_seen(r, todo.pop(0))
    if wanted.closes:
        client.nothing_more()
    else:
        check_seen(client.response(), h1_table.seen(path="/sentinel"))


def ask_row(site, row, how):
    client = site.client()
    try:
        send(client, row.data + SENTINEL, how)
        if isinstance(row.expected, int):
            ask_refused(client, row.expected)
        else:
            ask_read(client, row.expected)
    finally:
        client.close()


@pytest.mark.parametrize("how", ["whole", "bytes", "random"])
def test_table(site, how):
    failures = []
    for row in h1_table.ROWS:
        try:
            ask_row(site, row, how)
        except (AssertionError, Closed, TimeoutError) as failure:
            failures.append("%s (%s): %s %s" % (row.name, row.source, type(failure).__name__, str(failure)[:400]))
    assert not failures, "%d of %d rows\n%s" % (len(failures), len(h1_table.ROWS), "\n".join(failures))
    assert not site.messages(level="error")
    assert not [r for r in site.wait_access(100) if "smuggled" in r["target"]]
