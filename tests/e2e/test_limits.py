"""Limits of sites and routes: rates, requests at a time, bodies, networks. Clients get addresses by X-Forwarded-For: the tests are the trusted proxy."""
import json
import re
import threading
import time

import pytest

from kit import http2
from kit.waiting import until
from test_metrics import METRICS, Samples, watch_address

TRUST = ["--trusted-proxies", "127.0.0.1"]


def by(address):
    return ("X-Forwarded-For", address)


def site_with(quintet, text, *options, **more):
    return quintet("plain.py", files={"quintet.yaml": text}, options=[*TRUST, *options], **more)


def reload(site, text):
    site.write("quintet.yaml", text)
    done = site.command("reload")
    assert done.returncode == 0, done.stdout + done.stderr


def passes(site, n, *fields, target="/hello", client=None):
    """How many of n requests pass; the others have 429."""
    client = client or site.client()
    answers = [client.get(target, *fields).status for _ in range(n)]
    assert set(answers) <= {200, 429}, answers
    return answers.count(200)


# ---- rates ----


class Askers:
    """Connections on all lanes, as fast as they can: how many pass, and what must have passed by the clock."""

    def __init__(self, site, n):
        self.site, self.passed, self.stop, self.lock = site, 0, threading.Event(), threading.Lock()
        self.begin, self.first, self.answered, self.refused = time.monotonic(), float("inf"), [], []
        self.threads = [threading.Thread(target=self.ask) for _ in range(n)]
        for t in self.threads:
            t.start()

    def ask(self):
        client, n, refused = self.site.client(), 0, 0.0
        while not self.stop.is_set():
            sent = time.monotonic()
            passes = client.get("/hello").status == 200
            with self.lock:
                self.first = min(self.first, time.monotonic())
            if passes:
                n += 1
            else:
                refused = sent
        with self.lock:
            self.passed += n
            self.refused.append(refused)
            self.answered.append(time.monotonic())

    def finish(self):
        self.stop.set()
        for t in self.threads:
            t.join()
        self.end = max(self.answered)

    def check(self, rate, burst):
        """Not one more than the burst and one in each interval since; and whoever was refused was so because as many had passed by then."""
        most = burst + rate * (self.end - self.begin)
        least = burst + rate * (max(self.refused) - self.first) - 1
        print("passed %d of %.1f, at least %.1f" % (self.passed, most, least))
        assert least <= self.passed <= most


@pytest.mark.parametrize("lanes", [1, 4])
def test_exactly_burst_and_rate_whatever_the_thread(quintet, lanes):
    rate, burst = 50, 200
    site = site_with(quintet, "rate_limit: %d/s burst %d\n" % (rate, burst), "--edge-threads", lanes)
    askers = Askers(site, 16)
    until(lambda: time.monotonic() > askers.begin + 3.0 and askers.site.messages(message="too many requests, refused"),
          "three seconds and a refusal")
    askers.finish()
    askers.check(rate, burst)


def test_what_a_client_is_told(quintet):
    site = site_with(quintet, "rate_limit: 2/h burst 3\n")
    c = site.client()
    for left in (2, 1, 0):
        r = c.get("/hello")
        assert r.status == 200
        assert r["RateLimit-Policy"] == '"2/h by address";q=3;w=5400'
        assert re.fullmatch('"2/h by address";r=%d;t=1[78][0-9][0-9]' % left, r["RateLimit"])
    r = c.get("/hello", ("Accept", "application/json"))
    assert r.status == 429 and r.reason == "Too Many Requests"
    assert r["RateLimit"] == '"2/h by address";r=0;t=%s' % r["Retry-After"] and 1700 < int(r["Retry-After"]) <= 1800
    assert json.loads(r.body)["detail"] == "too many requests in a short time"
    assert "Connection" not in r  # it may stay and wait
    line = site.wait_message(message="too many requests, refused")
    assert (line["level"], line["limit"], line["route"], line["client"]) == ("warning", "2/h by address", "*/", "127.0.0.1")
    assert site.wait_access(status=429)


def test_who_waits_passes(quintet):
    site = site_with(quintet, "rate_limit: 2/s burst 1\n")
    c = site.client()
    for _ in range(3):
        refused = until(lambda: [r for r in [c.get("/hello")] if r.status == 429], "a refusal")[0]
        time.sleep(int(refused["Retry-After"]))
        assert c.get("/hello").status == 200


def test_a_refused_upload_is_not_read(quintet):
    site = site_with(quintet, "rate_limit: 1/h\n")
    assert site.request("POST", "/body", body=b"x").status == 200
    c = site.client()
    c.send(b"POST /body HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
    assert c.response().status == 429


def test_the_application_may_say_it_itself(quintet):
    site = quintet("""
def application(environ, start):
    start("200 OK", [("Content-Length", "0"), ("RateLimit", '"own";r=1;t=1')])
    return []
""", files={"quintet.yaml": "rate_limit: 10/s\n"}, app="app:application")
    r = site.get("/")
    assert r["RateLimit"] == '"own";r=1;t=1' and "RateLimit-Policy" not in r


def test_addresses(quintet):
    """Behind a proxy each client has its own; of IPv6 a /64 is one; what a client says of itself counts for nothing."""
    site = site_with(quintet, "rate_limit: 3/h\n")
    assert passes(site, 5, by("192.0.2.1")) == 3
    assert passes(site, 5, by("192.0.2.2")) == 3
    assert passes(site, 5, by("6.6.6.6, 192.0.2.2")) == 0
    assert passes(site, 2, by("2001:db8::1")) + passes(site, 2, by("2001:db8::ffff:0:1")) == 3
    assert passes(site, 5, by("2001:db8:0:1::1")) == 3
    assert passes(site, 5) == 3  # the proxy itself
    assert passes(site, 5, by("::ffff:192.0.2.1")) == 0


def test_headers_and_cookies(quintet):
    site = site_with(quintet, """
routes:
  - path: /environ
    rate_limit: 2/h by header X-Api-Key
  - path: /hello
    rate_limit: 2/h by cookie sessionid
""")

    def key(value):
        return passes(site, 4, ("x-api-key", value), target="/environ")

    def cookie(value):
        return passes(site, 4, ("Cookie", value))

    assert [key("a"), key("b"), key("a"), key("")] == [2, 2, 0, 2]
    assert passes(site, 4, target="/environ") == 0  # without a key: the address's, as with an empty one
    assert passes(site, 4, by("192.0.2.1"), target="/environ") == 2
    assert [cookie("sessionid=a"), cookie("x=1; sessionid=b ;y=2"), cookie("y=2; sessionid=b")] == [2, 2, 0]
    assert [cookie("xsessionid=a"), cookie("sessionid=")] == [2, 0]


def test_one_value_is_not_counted_as_many(quintet):
    """Who has one value that counts cannot hide it from the limit behind others, or in another spelling that the application reads as the same."""
    site = site_with(quintet, """
routes:
  - path: /environ
    rate_limit: 2/h by header X-Api-Key
  - path: /hello
    rate_limit: 2/h by cookie sessionid
""")
    cookies = ["sessionid=x%d; sessionid=real", "sessionid=real; sessionid=x%d", 'sessionid="\\162eal"; y=%d', "sessionid=real\xc2\xa0; y=%d",
               "sessionid=y%d; \xc2\xa0sessionid=real"]
    answers = [site.get("/hello", ("Cookie", text % i)).status for i in range(5) for text in cookies]
    assert answers.count(200) == 2
    answers = [site.get("/environ", ("X-Api-Key", "x%d" % i), ("x-api-key", "real")).status for i in range(5)]
    assert answers.count(200) == 2


def test_several_limits(quintet):
    """All must agree. What all share is asked last: who is over his own limit uses up nothing of it."""
    site = site_with(quintet, "rate_limit: [6/h by route, 100/s burst 1000, 4/h]\n")
    r = site.get("/hello", by("192.0.2.1"))
    assert r["RateLimit-Policy"] == '"100/s by address";q=1000;w=10, "4/h by address";q=4;w=3600, "6/h by route";q=6;w=3600'
    assert r["RateLimit"] == '"100/s by address";r=999;t=1, "4/h by address";r=3;t=900, "6/h by route";r=5;t=600'
    assert passes(site, 20, by("192.0.2.1")) == 3
    assert passes(site, 20, by("192.0.2.2")) == 2
    assert passes(site, 20, by("192.0.2.3")) == 0


def test_where_it_is_written_it_counts(quintet):
    """A limit of the file is one limit for all its routes; a route's own is the route's."""
    site = site_with(quintet, """
rate_limit: 5/h
routes:
  - path: /environ
    headers: {X-Route: environ}
  - path: /hello
    rate_limit: 2/h
  - path: /body
    rate_limit: []
""")
    assert passes(site, 3, target="/environ") == 3
    assert passes(site, 3, target="/digest") == 2  # five in all
    assert passes(site, 3) == 2
    assert passes(site, 30, target="/body") == 30


def test_probes_are_exempt(quintet):
    site = site_with(quintet, "rate_limit: 1/h\nhealth_path: /up\n", *METRICS)
    assert passes(site, 5) == 1
    assert all(site.get("/up").status == 200 for _ in range(5))
    seen = Samples(watch_address(site))
    assert seen("quintet_requests_refused_total", reason="rate") == 4
    assert seen("quintet_rate_limit_forgotten_total") == 0


def test_reload_keeps_what_is_owed(quintet):
    site = site_with(quintet, "rate_limit: 3/h\n")
    assert passes(site, 5, by("192.0.2.1")) == 3
    reload(site, "rate_limit: 3/h\nqueue_size: 99\n")
    assert passes(site, 5, by("192.0.2.1")) == 0
    reload(site, "rate_limit: 6/h\n")  # three of six an hour are owed: half an hour, and half of the new burst
    assert passes(site, 9, by("192.0.2.1")) == 0
    reload(site, "rate_limit: 100/s\n")  # nobody pays for the old rate longer than a second
    until(lambda: site.get("/hello", by("192.0.2.1")).status == 200, "the client to pass by the new rate", 5.0)
    reload(site, "keep_alive: 75\n")
    assert passes(site, 200, by("192.0.2.1")) == 200


def test_reload_under_fire(quintet):
    """Six reloads while four lanes count: not one request more passes than the rate allows, and none less."""
    text = "rate_limit: 20/s burst 100\nqueue_size: %d\n"
    site = site_with(quintet, text % 100, "--edge-threads", "4")
    askers = Askers(site, 8)
    try:
        for i in range(6):
            reload(site, text % (101 + i))
    finally:
        askers.finish()
    askers.check(20, 100)


# ---- networks ----


def test_allow_and_deny(quintet):
    site = site_with(quintet, """
deny: [203.0.113.0/24, "2001:db8:bad::/48"]
routes:
  - path: /hello
    allow: [10.0.0.0/8, 192.0.2.7, "2001:db8::/32"]
""", *METRICS)

    def status(address, target="/hello"):
        return site.get(target, by(address)).status

    assert [status(a) for a in ("10.1.2.3", "192.0.2.7", "2001:db8::5")] == [200, 200, 200]
    assert [status(a) for a in ("11.1.2.3", "192.0.2.8", "2001:db9::5")] == [403, 403, 403]
    assert status("2001:db8:bad::1") == 403  # deny is asked first
    assert [status("203.0.113.9", "/environ"), status("8.8.8.8", "/environ")] == [403, 200]
    assert site.get("/environ").status == 200
    r = site.get("/hello", ("Accept", "text/html"))  # the proxy itself
    assert r.status == 403 and "may not come here" in r.text
    assert Samples(watch_address(site))("quintet_requests_refused_total", reason="network") == 6
    reload(site, "allow: 11.0.0.0/8\n")
    assert [status(a) for a in ("11.1.2.3", "10.1.2.3", "203.0.113.9")] == [200, 403, 403]


def test_caches_keep_nothing_of_what_is_not_for_everybody(quintet):
    """To a shared cache in front all clients are one."""
    routes = "routes:\n - path: /in/\n   root: docs\n   allow: [127.0.0.1]\n - path: /out/\n   root: docs\n"
    site = quintet("plain.py", files={"quintet.yaml": routes, "docs/a.txt": "a", "docs/d/index.html": "d"})
    for path, status in [("a.txt", 200), ("d/", 200), ("d", 301)]:
        inside, outside = site.get("/in/" + path), site.get("/out/" + path)
        assert (inside.status, outside.status) == (status, status)
        assert inside["Cache-Control"] == "private, no-cache" and outside["Cache-Control"] == "public, max-age=60"


def test_deny_counts_before_rates(quintet):
    site = site_with(quintet, "deny: 192.0.2.1\nrate_limit: 1/h by route\n")
    assert [site.get("/hello", by("192.0.2.1")).status for _ in range(3)] == [403] * 3
    assert site.get("/hello", by("192.0.2.2")).status == 200


# ---- requests at a time ----

GATED = """
import os, time
def application(environ, start):
    name = environ["PATH_INFO"].strip("/")
    if name.startswith("hold"):
        folder = os.environ["GATES"]
        open(os.path.join(folder, "in-%s-%d" % (name, time.monotonic_ns())), "w").close()
        while not os.path.exists(os.path.join(folder, "open-" + name)):
            time.sleep(0.01)
        if name.endswith("-die"):
            os.kill(os.getpid(), 9)
    start("200 OK", [("Content-Length", "3")])
    return [b"ok\\n"]
"""


class Gates:
    def __init__(self, quintet, tmp_path, text="concurrency: 2\n", *options):
        self.folder = tmp_path / "gates"
        self.folder.mkdir()
        text = "routes:\n  - path: /\n    exact: yes\n    concurrency: 0\n" + text
        self.site = quintet(GATED, files={"quintet.yaml": text}, env={"GATES": str(self.folder)},
                            options=["--threads", "4", "--workers", "2", *TRUST, *options])

    def inside(self, name):
        return len(list(self.folder.glob("in-%s-*" % name)))

    def send(self, name, n=1):
        """n requests that are with the application and stay there."""
        before, clients = self.inside(name), [self.site.client() for _ in range(n)]
        for c in clients:
            c.send(b"GET /%s HTTP/1.1\r\nHost: site.test\r\n\r\n" % name.encode())
        until(lambda: self.inside(name) == before + n, "%d requests to be inside" % n)
        return clients

    def open(self, name):
        (self.folder / ("open-" + name)).touch()

    def passes(self):
        return until(lambda: self.site.get("/other").status == 200, "a place to come free")


def test_concurrency(quintet, tmp_path):
    gates = Gates(quintet, tmp_path)
    first, second = gates.send("hold-a"), gates.send("hold-b")
    r = gates.site.get("/other")
    assert r.status == 503 and r["Retry-After"] == "1"
    assert gates.site.get("/").status == 200  # another route
    line = gates.site.wait_message(message="too many requests at a time, refused")
    assert line["concurrency"] == 2 and line["times"] == 1
    gates.open("hold-a")
    assert first[0].response().status == 200
    assert gates.passes()
    third = gates.send("hold-c")
    assert gates.site.get("/other").status == 503
    gates.open("hold-b")
    gates.open("hold-c")
    assert [c.response().status for c in second + third] == [200, 200]
    assert gates.passes()


def test_concurrency_of_a_client_that_left(quintet, tmp_path):
    """Its request is still with the application: reloading a slow page again and again does not bring more of them in."""
    gates = Gates(quintet, tmp_path)
    for c in gates.send("hold-a", 2):
        c.reset()
    gates.site.wait_access(2, status=499)
    assert gates.site.get("/other").status == 503
    gates.open("hold-a")
    assert gates.passes()
    assert [c.response().status for c in gates.send("hold-a", 2)] == [200, 200]


def test_concurrency_of_a_worker_that_died(quintet, tmp_path):
    gates = Gates(quintet, tmp_path)
    gates.site.expected += ["worker died", "poison"]
    clients = gates.send("hold-die", 2)
    gates.open("hold-die")
    assert {c.response().status for c in clients} <= {502, 200}
    assert gates.passes()
    held = gates.send("hold-a", 2)
    assert gates.site.get("/other").status == 503
    gates.open("hold-a")
    assert [c.response().status for c in held] == [200, 200]


def test_concurrency_across_a_reload(quintet, tmp_path):
    """Both configurations are alive: the old one's requests count in the new one's limit, and are given back to it."""
    gates = Gates(quintet, tmp_path)
    held = gates.send("hold-a", 2)
    gates.site.write("quintet.yaml", "concurrency: 3\n")
    thread = threading.Thread(target=gates.site.command, args=("reload",))
    thread.start()
    until(lambda: gates.site.get("/other").status == 200, "the new limit")
    third = gates.send("hold-b")
    assert gates.site.get("/other").status == 503
    gates.open("hold-a")
    assert [c.response().status for c in held] == [200, 200]
    thread.join()
    more = gates.send("hold-c", 2)
    assert gates.site.get("/other").status == 503
    gates.open("hold-b")
    gates.open("hold-c")
    assert [c.response().status for c in third + more] == [200] * 3
    assert gates.passes()


def test_one_after_the_other_is_no_crowd(quintet):
    """Who has an answer may ask again at once."""
    site = site_with(quintet, "concurrency: 1\n", "--edge-threads", "2")
    c = site.client()
    assert {c.get("/hello").status for _ in range(300)} == {200}


def test_a_slow_reader_is_no_crowd(quintet, tmp_path):
    """What counts is the application's time, not the client's."""
    big = "x" * (8 << 20)
    site = quintet("""
def application(environ, start):
    body = b"x" * (8 << 20) if environ["PATH_INFO"] == "/big" else b"ok"
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
""", files={"quintet.yaml": "concurrency: 1\n"})
    slow = site.client(receive_buffer=4096)
    slow.send(b"GET /big HTTP/1.1\r\nHost: site.test\r\n\r\n")
    slow.head_of_response()
    until(lambda: site.get("/small").status == 200, "the place to come free while the answer is still being read")
    assert len(slow.read(len(big))) == len(big)


def test_an_upload_is_no_crowd_until_it_is_complete(quintet):
    site = site_with(quintet, "concurrency: 1\n")
    slow = site.client()
    slow.send(b"POST /body HTTP/1.1\r\nHost: site.test\r\nContent-Length: 10\r\n\r\n12345")
    assert site.get("/hello").status == 200
    slow.send(b"67890")
    assert slow.response().body == b"1234567890"


# ---- bodies ----

BODIES = """
max_body_size: 1k
routes:
  - path: /digest
    max_body_size: 1m
  - path: /hello
    max_body_size: 1
"""


def test_body_size_by_route(quintet):
    site = site_with(quintet, BODIES)
    assert site.request("POST", "/body", body=b"x" * 1024).status == 200
    assert site.request("POST", "/digest", body=b"x" * (1 << 20)).status == 200
    for target, size in (("/body", 1025), ("/digest", (1 << 20) + 1), ("/hello", 2)):
        c = site.client()
        c.send(b"POST %s HTTP/1.1\r\nHost: site.test\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n"
               % (target.encode(), size))
        r = c.response()  # no 100 before it, and no byte of the body is waited for
        assert r.status == 413 and r["Connection"] == "close"
        c.nothing_more()


def test_chunked_body_by_route(quintet):
    site = site_with(quintet, BODIES)
    for target, size, status in (("/body", 1024, 200), ("/body", 1025, 413), ("/digest", 4096, 200)):
        c = site.client()
        c.send(b"POST %s HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n" % target.encode())
        c.send(b"%x\r\n%s\r\n" % (size, b"y" * size))
        if status == 200:
            c.send(b"0\r\n\r\n")
        assert c.response().status == status


def test_body_size_after_a_reload(quintet):
    """A request keeps the limit it began with."""
    site = site_with(quintet, BODIES)
    c = site.client()
    c.send(b"POST /body HTTP/1.1\r\nHost: site.test\r\nContent-Length: 1000\r\n\r\n" + b"x" * 500)
    reload(site, "max_body_size: 10\n")
    c.send(b"x" * 500)
    assert c.response().status == 200
    assert c.request("POST", "/body", body=b"x" * 11).status == 413

# ---- the same over HTTP/2 ----


def test_rates_over_http2(quintet):
    """A stream is a request: many at a time on one connection get what one after the other would, and the connection lives on."""
    site = site_with(quintet, "rate_limit: 5/h by header X-Api-Key\n")
    c = http2.connect(site)
    streams = [c.open(path="/hello", fields=[("x-api-key", "a")]) for _ in range(20)]
    answers = c.wait(*streams)
    assert sorted(a.status for a in answers) == [200] * 5 + [429] * 15
    assert sorted(a["ratelimit"] for a in answers if a.status == 200)[0].startswith('"5/h by header X-Api-Key";r=0;t=7')
    refused = [a for a in answers if a.status == 429][0]
    assert 700 <= int(refused["retry-after"]) <= 720
    assert passes(site, 3, ("X-Api-Key", "a")) == 0  # whatever the version
    assert c.get("/hello", ("x-api-key", "b")).status == 200


def test_bodies_over_http2(quintet):
    site = site_with(quintet, BODIES)
    c = http2.connect(site)
    assert c.request("POST", "/body", body=b"x" * 1024).status == 200
    assert c.request("POST", "/digest", body=b"x" * (1 << 20)).status == 200
    assert c.request("POST", "/body", [("content-length", "1025")], body=b"x" * 1025).status == 413
    assert c.request("POST", "/body", body=b"x" * 100000).status == 413  # of no announced length
    assert c.request("POST", "/hello", body=b"xx").status == 413
    assert c.get("/hello").status == 200


def test_concurrency_over_http2(quintet, tmp_path):
    gates = Gates(quintet, tmp_path)
    c = http2.connect(gates.site)
    held = [c.open(path="/hold-a") for _ in range(2)]
    until(lambda: gates.inside("hold-a") == 2, "both to be inside")
    refused = c.get("/other")
    assert refused.status == 503 and refused["retry-after"] == "1"
    for stream in held:
        c.reset(stream)
    c.ping()
    assert c.get("/other").status == 503  # reset is not done
    gates.open("hold-a")
    until(lambda: c.get("/other").status == 200, "a place to come free")


# ---- what is not understood ----


@pytest.mark.parametrize("text, said", [
    ("rate_limit: fast\n", "rate_limit: expected a rate such as 10/s"),
    ("rate_limit: [1/s, 2/s, 3/s, 4/s, 5/s]\n", "rate_limit: at most four"),
    ("concurrency: -1\n", "concurrency: expected a number from 0 to 1000000"),
    ("allow: office\n", "allow: expected an address or network"),
    ('allow: ","\n', "allow: expected an address or network"),
    ('allow: ""\n', "allow: expected an address or network"),
    ("routes:\n - path: /\n   rate_limits: 10/s\n", "did you mean rate_limit?"),
])
def test_mistakes(quintet, text, said):
    site = quintet("plain.py", files={"quintet.yaml": text}, start=False)
    site.exit_code = 2
    site.start(wait=False)
    assert site.wait_exit() == 2
    assert said in site.stderr.read_text()
