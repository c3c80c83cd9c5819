"""--metrics-bind: what Prometheus reads, what probes ask, and that nothing else is there."""
import json
import os
import signal
import socket
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kit.client import Client, connect
from kit.waiting import SLOW, holds_for, until

METRICS = ["--metrics-bind", "127.0.0.1:0", "--shutdown-delay", "0"]  # probes ask for readiness: else each end would wait for balancers


def watch_address(site):
    """Told apart from the public ones."""
    host, _, port = site.status()["metrics"].split("://")[1].rpartition(":")
    return host, int(port)


def ask(address, path, method="GET", **more):
    c = Client(connect(address))
    try:
        return c.request(method, path, **more)
    finally:
        c.close()


class Samples:
    """A scrape, parsed by Prometheus's own client; every family has its help and one of the types."""

    def __init__(self, address):
        r = ask(address, "/metrics")
        assert r.status == 200 and r["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        self.families = list(text_string_to_metric_families(r.text))
        names = [f.name for f in self.families]
        assert len(names) == len(set(names))
        for f in self.families:
            assert f.documentation and f.type in ("counter", "gauge", "histogram"), f
            for s in f.samples:
                assert s.value >= 0 and (f.type != "counter" or s.name.endswith("_total")), s
        self._samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for f in self.families for s in f.samples}

    def __call__(self, name, /, **labels):
        return self._samples[name, tuple(sorted(labels.items()))]


def test_what_was_done_is_counted(quintet, tmp_path):
    site = quintet("plain.py", options=[*METRICS, "--health-path", "/up", "--edge-threads", "3"])
    address = watch_address(site)
    for _ in range(7):
        assert site.get("/hello").status == 200
    assert site.request("POST", "/body", body=b"x" * 1000).status == 200
    assert site.get("/nowhere").status == 404
    assert site.get("/up").status == 200
    site.expected.append("worker died")
    assert site.get("/die_once?at=%s" % (tmp_path / "died")).status == 200
    assert site.request("POST", "/die_once?at=%s" % (tmp_path / "again"), body=b"1").status == 502
    bad = site.client()
    bad.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert bad.response().status == 400
    until(lambda: Samples(address)("quintet_workers", generation="1") == 2, "two workers again")
    # A lane counts when it has sent, so a client may be faster; it counts in order.
    until(lambda: Samples(address)("quintet_requests_total", handler="edge", status="4xx") == 1, "the last one to be counted")
    until(lambda: Samples(address)("quintet_slots_used", generation="1") == 0, "the slots to be free")
    m = Samples(address)
    assert m("quintet_requests_total", handler="app", status="2xx") == 9
    assert m("quintet_requests_total", handler="app", status="4xx") == 1
    assert m("quintet_requests_total", handler="app", status="5xx") == 1
    assert m("quintet_requests_total", handler="health", status="2xx") == 1
    assert m("quintet_requests_total", handler="edge", status="4xx") == 1
    assert m("quintet_request_duration_seconds_count", handler="app") == 11
    assert m("quintet_request_duration_seconds_bucket", handler="app", le="+Inf") == 11
    assert 0 < m("quintet_request_duration_seconds_sum", handler="app") < 60
    assert m("quintet_queue_time_seconds_count") >= 10
    assert m("quintet_requests_replayed_total") == 1
    assert m("quintet_requests_failed_total", reason="worker_died") == 1
    assert m("quintet_worker_exits_total") == 2
    assert m("quintet_request_body_bytes_total") == 1001
    assert m("quintet_response_body_bytes_total") > 1000
    assert m("quintet_generation") == 1 and m("quintet_ready") == 1 and m("quintet_queue_length") == 0
    assert m("quintet_slots", generation="1") >= 2 and m("quintet_slots_used", generation="1") == 0
    assert m("quintet_build_info", version=site.status()["version"]) == 1
    assert abs(m("process_start_time_seconds") - time.time()) < 90 * SLOW
    assert m("process_open_fds") > 5 and m("process_resident_memory_bytes") > 1 << 20


def test_buckets_add_up(quintet):
    site = quintet("plain.py", options=METRICS)
    for _ in range(20):
        site.get("/hello")
    m = Samples(watch_address(site))
    family = next(f for f in m.families if f.name == "quintet_request_duration_seconds")
    buckets = [s.value for s in family.samples if s.name.endswith("_bucket") and s.labels["handler"] == "app"]
    assert buckets == sorted(buckets) and buckets[-1] == 20 and len(buckets) == 15


def test_connections_by_listener(quintet, pair, authority):
    site = quintet("plain.py", options=METRICS, tls=[pair])
    address = watch_address(site)
    kept = [site.client() for _ in range(3)]
    for c in kept:
        assert c.get("/hello").status == 200
    secure = site.client(authority.context(), "localhost")
    assert secure.get("/hello").status == 200
    m = Samples(address)
    assert m("quintet_connections_open", listener="http") == 3
    assert m("quintet_connections_open", listener="https") == 1
    assert m("quintet_connections_open", listener="metrics") == 1
    assert m("quintet_tls_handshakes_total", version="1.3", resumed="no") == 1
    assert m("quintet_certificate_expiry_timestamp_seconds", name="localhost", file=str(pair.cert)) > time.time() + 86400
    assert "connections: 4 open" in site.command("status").stdout
    for c in kept:
        c.close()
    until(lambda: Samples(address)("quintet_connections_open", listener="http") == 0, "them to be closed")
    assert Samples(address)("quintet_connections_total", listener="http") == 3


def test_refusals_by_reason(quintet, tmp_path):
    site = quintet("plain.py", options=[*METRICS, "--workers", "1", "--queue-size", "1", "--queue-timeout", "300ms"])
    at, go = tmp_path / "at", tmp_path / "go"
    gate = b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (str(at).encode(), str(go).encode())
    clients = [site.client() for _ in range(6)]
    clients[0].send(gate)
    until(at.exists, "the worker")
    for c in clients[1:]:
        c.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    refused = [c.response() for c in clients[1:]]
    assert [r.status for r in refused] == [503] * 5
    m = Samples(watch_address(site))
    counted = {r: m("quintet_requests_refused_total", reason=r) for r in ("queue_full", "queue_timeout", "queue_hopeless")}
    assert sum(counted.values()) == 5 and counted["queue_full"] > 0 and counted["queue_timeout"] > 0
    go.touch()
    assert clients[0].response().status == 200


def test_nothing_else_is_there(quintet):
    """The application is never reached on it, its paths are never on the public listeners, and the access log is not told."""
    site = quintet("plain.py", options=METRICS)
    address = watch_address(site)
    for path in ("/", "/hello", "/metrics/", "/static/x", "/healthz/../hello", "/metricsx", "//metrics"):
        assert ask(address, path).status == 404, path
    assert ask(address, "/metrics", "POST", body=b"x").status == 405
    head = ask(address, "/metrics", "HEAD")
    assert head.status == 200 and not head.body and int(head["Content-Length"]) > 1000
    for path in ("/metrics", "/healthz", "/readyz", "/status"):
        site.get(path)
    rows = site.wait_access(4)
    assert len(rows) == 4 and all("worker" in r for r in rows)  # the application's, whatever it said


def test_status_is_json(quintet):
    site = quintet("plain.py", options=METRICS)
    r = ask(watch_address(site), "/status")
    assert r["Content-Type"] == "application/json"
    assert json.loads(r.text)["generations"][0]["generation"] == 1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()


def test_not_ready_while_it_boots(quintet, tmp_path):
    """Alive from the first moment on, ready when the application is: that is what probes are for."""
    go = tmp_path / "go"
    app = "import os, time\nwhile not os.path.exists(%r): time.sleep(0.01)\n" \
          "def application(environ, start):\n    start('200 OK', [])\n    return [b'hello']\n" % str(go)
    port = free_port()
    site = quintet(app, options=["--metrics-bind", "%s:%d" % port], start=False)
    site.start(wait=False)

    def answer(path):
        try:
            return ask(port, path).status
        except (OSError, AssertionError):
            return None

    until(lambda: answer("/healthz") == 200, "the edge to live")
    assert ask(port, "/readyz").status == 503 and "no generation serves yet" in ask(port, "/readyz").text
    assert Samples(port)("quintet_ready") == 0
    go.touch()
    site.wait_ready()
    until(lambda: answer("/readyz") == 200, "it to be ready")
    assert site.get("/").status == 200


def test_readiness_and_liveness_while_it_stops(quintet, tmp_path):
    """Not ready from TERM on, alive to the end: neither probe nor scrape keeps it from ending."""
    site = quintet("plain.py", options=["--metrics-bind", "127.0.0.1:0", "--shutdown-delay", "500ms"])
    address, at, go = watch_address(site), tmp_path / "at", tmp_path / "go"
    running, scraper = site.client(), Client(connect(address))
    assert scraper.get("/metrics").status == 200
    running.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (str(at).encode(), str(go).encode()))
    until(at.exists, "the worker")
    site.signal(signal.SIGTERM)
    until(lambda: ask(address, "/readyz").status == 503, "readiness to fail")
    assert "stopping" in ask(address, "/readyz").text
    until(lambda: (site.try_status() or {}).get("state") == "draining", "the drain")
    holds_for(lambda: ask(address, "/healthz").status == 200, "it lives still", 1.5)
    assert Samples(address)("quintet_ready") == 0
    go.touch()
    assert running.response().status == 200
    assert site.wait_exit() == 0
    scraper.close()


def test_readyz_makes_the_stop_wait(quintet):
    site = quintet("plain.py", options=["--metrics-bind", "127.0.0.1:0"])
    assert ask(watch_address(site), "/readyz").status == 200
    until(lambda: ask(watch_address(site), "/readyz").status == 200, "the supervisor to be told")
    site.signal(signal.SIGTERM)
    assert site.wait_message(message="drain and stop")["delay_ms"] == 5000
    site.signal(signal.SIGTERM)
    assert site.wait_exit() == 0


def test_counters_begin_again_with_a_new_edge(quintet):
    site = quintet("plain.py", options=METRICS)
    site.expected.append("edge died")
    address, edge = watch_address(site), site.edge_pid
    for _ in range(5):
        site.get("/hello")
    first = Samples(address)
    os.kill(edge, signal.SIGKILL)
    until(lambda: site.status()["edge"].get("generations") and site.edge_pid != edge, "the next edge")
    second = Samples(address)
    assert second("quintet_requests_total", handler="app", status="2xx") == 0
    assert second("process_start_time_seconds") > first("process_start_time_seconds")


def test_generations(quintet):
    site = quintet("plain.py", options=METRICS)
    address = watch_address(site)
    assert site.command("reload").returncode == 0
    m = Samples(address)
    assert m("quintet_generation") == 2 and m("quintet_workers", generation="2") == 2
    with pytest.raises(KeyError):
        until(lambda: Samples(address)("quintet_workers", generation="1") < 0, "the old one to be gone", 5)


def test_pause_shows(quintet):
    site = quintet("plain.py", options=METRICS)
    address = watch_address(site)
    assert site.command("pause").returncode == 0
    c = site.client()
    c.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
    until(lambda: Samples(address)("quintet_queue_length") == 1, "the request")
    assert Samples(address)("quintet_paused") == 1 and ask(address, "/readyz").status == 200
    assert site.command("resume").returncode == 0
    assert c.response().status == 200
    assert Samples(address)("quintet_paused") == 0


def test_let_in_when_nobody_else_is(quintet, tmp_path):
    """At the limit on connections who watches sees it."""
    site = quintet("plain.py", options=[*METRICS, "--limit-connections", "8", "--workers", "1"])
    site.expected.append("cannot accept")
    address, held = watch_address(site), []
    at, go = tmp_path / "at", tmp_path / "go"
    for _ in range(8):
        c = site.client()
        c.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (str(at).encode(), str(go).encode()))
        held.append(c)
    until(lambda: sum(site.status()["edge"]["open"]) == 8, "all connections")
    assert Samples(address)("quintet_connections_open", listener="http") == 8
    go.touch()
    for c in held:
        assert c.response().status == 200
