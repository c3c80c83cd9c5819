"""What RFC 9113 (and 7541, 9218) demand of a server, a case a rule, each named by its section.

One instance serves the whole file. Every case runs in clear text, in clear text cut at random, and over TLS. The same cases can be asked of
another server: H2_PEER=127.0.0.1:8080 pytest … -k clear.
"""
import os
import re
import ssl
import subprocess

import h2.config
import h2.connection
import h2.events
import pytest

from kit import client, frames, instance
from kit.frames import (ACK, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, FRAME_MAX,
                        FRAME_SIZE_ERROR, H2, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_HEADER_LIST_SIZE, NO_ERROR,
                        PREFACE, PROTOCOL_ERROR, REFUSED_STREAM, WINDOW, block, data, frame, goaway, integer, ping,
                        priority_update, rst, settings, window)
from kit.rfc9113 import CASES, answered, padded

PEER = os.environ.get("H2_PEER")


@pytest.fixture(scope="module")
def site(tmp_path_factory, pair):
    if PEER:
        yield None
        return
    folder = tmp_path_factory.mktemp("rfc9113")
    (folder / "static").mkdir()
    (folder / "static" / "big.css").write_bytes(bytes(range(256)) * 4096)
    (folder / "static" / "small.css").write_text("body{}")
    one = instance.Instance(folder, files={"app.py": instance.APPS / "plain.py"}, tls=[pair],
                            options=["--static", "/static/=%s" % (folder / "static"), "--limit-request-line", "8k"])
    one.memory_max = 160 << 20
    one.start()
    yield one
    one.finish()


class Server:
    """Makes connections of one kind to the instance."""

    def __init__(self, site, how, context):
        self.site, self.how, self.tls = site, how, context
        self.made = []
        host, _, port = (PEER or "").rpartition(":")
        self.address = (host, int(port)) if PEER else site.address("https" if context else "http")

    def __call__(self, *first, **more):
        c = H2(self.address, self.tls, first=first, how="cut" if self.how == "cut" else "whole", **more)
        self.made.append(c)
        return c


@pytest.fixture(params=["clear", "cut", "tls"])
def dial(request, site, authority):
    server = Server(site, request.param, authority.context(alpn=["h2"]) if request.param == "tls" else None)
    yield server
    for c in server.made:
        c.close()


@pytest.mark.parametrize("name", CASES)
def test(dial, name):
    sent, verdict = CASES[name]
    c = dial()
    c.send(sent(c))
    verdict(c)


# ---- 3: how a connection begins ----

def test_3_2_alpn_chooses_h2(site, authority):
    for offered, chosen in [(["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["h2"], "h2"), (["http/1.1"], "http/1.1"),
                            (["h3", "h2"], "h2"), (["h2c", "http/1.1"], "http/1.1"), ([], None)]:
        sock = client.connect(site.address("https"), authority.context(alpn=offered) if offered else authority.context(), "localhost")
        assert sock.selected_alpn_protocol() == chosen, offered
        sock.close()


def test_3_1_upgrade_is_read_over(site):
    """The upgrade of RFC 7540 is gone: the answer is HTTP/1's."""
    c = site.client()
    r = c.get("/", ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__"))
    assert r.status == 200 and c.get("/").status == 200


@pytest.mark.parametrize("text", [b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n", PREFACE[:-2] + b"XX" + settings(), PREFACE.lower() + settings()])
def test_3_4_where_h2_was_chosen_nothing_else_is_answered(site, authority, text):
    """GOAWAY may be left out."""
    c = client.connect(site.address("https"), authority.context(alpn=["h2"]), "localhost")
    c.sendall(text)
    heard = b""
    while piece := c.recv(65536):
        heard += piece
    assert b"HTTP/" not in heard and len(heard) < 200


def test_3_3_no_prior_knowledge_over_tls(site, authority):
    """Without ALPN the preface is a bad HTTP/1 request."""
    c = client.Client(client.connect(site.address("https"), authority.context(), "localhost"))
    c.send(PREFACE + settings())
    assert c.response().status in (400, 505)


@pytest.mark.parametrize("text", [PREFACE[:-2] + b"XX", PREFACE[:18] + b"sm\r\n\r\n", PREFACE.lower()])
def test_3_4_a_wrong_preface_in_clear_text_is_bad_http_1(site, text):
    c = site.client()
    c.send(text + settings())
    assert c.response().status in (400, 505)
    c.nothing_more()


@pytest.mark.parametrize("after", [ping(), data(1, b"a"), window(0, 5), settings(flags=ACK), b"GET / HTTP/1.1\r\n\r\n"])
def test_3_4_the_preface_is_not_followed_by_settings(dial, after):
    c = dial(preface=False)
    c.send(PREFACE + after)
    c.dies(PROTOCOL_ERROR, FRAME_SIZE_ERROR)


def test_3_4_the_server_speaks_settings_first(dial):
    c = dial()
    c.frame()
    assert c.settings.get(MAX_CONCURRENT_STREAMS, 0) >= 100
    c.until(lambda: c.acks == 1)


def test_3_4_a_preface_byte_by_byte(dial):
    c = dial(preface=False)
    for byte in PREFACE + settings() + c.get(1):
        c.sock.sendall(bytes([byte]))
    answered(c)


# ---- 5.1.2: concurrency ----

def test_5_1_2_one_stream_too_many(dial):
    c = dial((INITIAL_WINDOW_SIZE, 0))
    c.until(lambda: c.settings)
    most = c.settings[MAX_CONCURRENT_STREAMS]
    c.until(lambda: c.acks)
    c.send(*(c.post(2 * i + 1) for i in range(most + 1)))
    try:
        answer = c.answer(2 * most + 1)
    except frames.Ended:
        assert c.goaway.code in (PROTOCOL_ERROR, ENHANCE_YOUR_CALM)
        return
    assert answer.reset in (REFUSED_STREAM, PROTOCOL_ERROR), answer
    c.send(rst(1))
    c.send(c.post(2 * most + 3), data(2 * most + 3, b"", END_STREAM))
    assert c.answer(2 * most + 3).status == 200


# ---- 6: frames that ask for an answer ----

def test_6_5_3_each_settings_is_acknowledged(dial):
    c = dial()
    c.send(*(settings((MAX_HEADER_LIST_SIZE, 1000 + i)) for i in range(3)))
    c.until(lambda: c.acks == 4)
    c.sync()
    assert c.acks == 4


def test_6_5_2_no_table_wanted(dial):
    """SETTINGS_HEADER_TABLE_SIZE 0: what is sent from then on uses no table (the decoder refuses)."""
    c = dial((HEADER_TABLE_SIZE, 0))
    for i in range(3):
        c.serves(2 * i + 1)


def test_6_5_2_a_smaller_table_in_between(dial):
    c = dial()
    c.serves(1)
    c.send(settings((HEADER_TABLE_SIZE, 100)))
    c.until(lambda: c.acks == 2)
    c.table.max_allowed_table_size = 100
    c.serves(3)
    c.serves(5)


def test_6_7_ping(dial):
    c = dial()
    c.send(ping(b"12345678"), ping(b"abcdefgh"))
    c.until(lambda: len(c.pongs) == 2)
    assert c.pongs == [b"12345678", b"abcdefgh"]


def test_6_8_who_says_goaway_still_has_its_answers(dial):
    c = dial()
    c.send(c.post(1), goaway(0, NO_ERROR, b"tired"), data(1, b"abc", END_STREAM))
    assert c.answer(1).body == b"abc"


# ---- 6.9: flow control ----

def test_6_9_1_not_a_byte_beyond_the_window(dial):
    """A window of 1, then of some; the reader checks every frame."""
    c = dial((INITIAL_WINDOW_SIZE, 1))
    c.send(c.get(1))
    c.until(lambda: 1 in c.answers and c.answers[1].body)
    c.sync()
    assert c.answers[1].body == b"h"
    c.grant(1, 2)
    c.until(lambda: len(c.answers[1].body) == 3)
    c.sync()
    assert c.answers[1].body == b"hel"
    c.grant(1, 100)
    assert c.answer(1).body == b"hello\n"


def test_6_9_1_the_connections_window(dial):
    """Shared by all streams, whatever theirs allow."""
    c = dial((INITIAL_WINDOW_SIZE, 1 << 20))
    c.send(c.get(1, "/stream?n=1&size=40000"), c.get(3, "/stream?n=1&size=40000"))
    c.until(lambda: c.window == 0)
    c.sync()
    assert len(c.answers[1].body) + len(c.answers[3].body) == WINDOW
    c.grant(0, 100000)
    assert len(c.answer(1).body) == len(c.answer(3).body) == 40000


def test_6_9_1_a_window_of_nothing_stops_the_body_alone(dial):
    """An answer without a body, and heads, need no window."""
    c = dial((INITIAL_WINDOW_SIZE, 0))
    c.send(c.headers(1, c.head("HEAD")), c.get(3))
    assert c.answer(1).status == 200
    assert c.opened(3).status == 200 and not c.answers[3].over


def test_6_9_2_settings_change_the_windows_of_open_streams(dial):
    c = dial((INITIAL_WINDOW_SIZE, 0))
    c.send(c.get(1))
    c.opened(1)
    c.change_initial(3)
    c.until(lambda: len(c.answers[1].body) == 3)
    c.sync()
    c.change_initial(WINDOW)
    assert c.answer(1).body == b"hello\n"


def test_6_9_2_a_window_below_zero(dial):
    c = dial((INITIAL_WINDOW_SIZE, 3))
    c.send(c.get(1))
    c.until(lambda: 1 in c.answers and len(c.answers[1].body) == 3)
    c.change_initial(0)  # now -3
    c.sync()
    c.grant(1, 2)  # -1
    c.sync()
    assert c.answers[1].body == b"hel"
    c.grant(1, 2)  # 1
    c.until(lambda: len(c.answers[1].body) == 4)
    c.sync()
    assert c.answers[1].body == b"hell"
    c.grant(1, 100)
    assert c.answer(1).body == b"hello\n"


def test_6_9_uploads_are_given_room(dial):
    """A body larger than both windows, sent as leave is given."""
    c = dial()
    c.sync()
    n = 5 << 20
    c.send(c.post(1, "/digest"))
    c.upload(1, *[data(1, bytes(FRAME_MAX))] * (n // FRAME_MAX), data(1, b"", END_STREAM))
    answer = c.answer(1)
    assert answer.status == 200 and answer.body.startswith(b"%d " % n), answer


def test_6_9_1_padding_is_given_back(dial):
    """It counts in the windows: twice as much padding as text."""
    c = dial()
    c.sync()
    c.send(c.post(1, "/digest"))
    c.upload(1, *[padded(DATA, 255, b"a" * 128, 0) * 60] * 80, data(1, b"", END_STREAM))
    assert c.answer(1).body.startswith(b"%d " % (128 * 4800))


def test_6_9_what_comes_for_a_stream_that_is_gone_is_given_back(dial):
    """DATA of bodies that nobody wants any more counts for the connection, which must not starve of it."""
    c = dial()
    c.sync()
    for i in range(8):
        stream = 2 * i + 1
        c.send(c.headers(stream, c.head("POST", "/none", ("content-length", "99999999999")), END_HEADERS))
        c.upload(stream, *[data(stream, bytes(FRAME_MAX))] * 50)
        assert c.answer(stream).status == 413
    c.send(c.post(101, "/digest"))
    c.upload(101, *[data(101, bytes(FRAME_MAX))] * 64, data(101, b"", END_STREAM))
    assert c.answer(101).body.startswith(b"%d " % (64 * FRAME_MAX))


# ---- 8: requests and answers ----

def test_8_1_head_has_no_data(dial):
    c = dial()
    c.send(c.headers(1, c.head("HEAD")))
    answer = c.answer(1)
    assert (answer.status, answer["content-length"], answer.body) == (200, "6", b"")


@pytest.mark.parametrize("line", ["204 No Content", "304 Not Modified"])
def test_8_1_no_data_where_there_is_none(dial, line):
    c = dial()
    answer = c.fetch(1, "/empty?line=" + line.replace(" ", "%20"))
    assert (answer.status, answer.body) == (int(line[:3]), b"")


def test_8_1_an_answer_of_unknown_length(dial):
    c = dial()
    answer = c.fetch(1, "/stream?n=10&size=1000")
    assert len(answer.body) == 10000 and not answer.all("transfer-encoding")


def test_8_2_3_crumbs_of_cookies_are_one_field(dial):
    c = dial()
    answer = c.fetch(1, "/environ", ("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2"), ("cookie", "c=3; d=4"))
    assert b'"HTTP_COOKIE": "a=1; b=2; c=3; d=4"' in answer.body


def test_8_3_1_what_the_application_sees(dial):
    answer = dial().fetch(1, "/environ?a=%20b", ("x-a", "1"))
    for pair in ('"REQUEST_METHOD": "GET"', '"QUERY_STRING": "a=%20b"', '"HTTP_HOST": "site.test"', '"HTTP_X_A": "1"', '"SERVER_PROTOCOL": "HTTP/2',
                 '"wsgi.url_scheme": "http%s"' % ("s" if dial.tls else "")):
        assert pair in answer.body.decode(), (pair, answer.body)
    assert '":' not in re.sub(r'"[A-Za-z_.]+": ', "", answer.body.decode())


def test_8_4_nothing_is_pushed(dial):
    c = dial((ENABLE_PUSH, 1))
    c.serves(1)
    c.fetch(3, "/static/small.css")
    c.sync()  # the reader knows no PUSH_PROMISE


def test_8_7_streams_in_any_order_of_end(dial):
    """Fifty requests at once, each has its own answer."""
    c = dial()
    c.send(*(c.get(2 * i + 1, "/environ?n=%d." % i) for i in range(50)))
    for i in reversed(range(50)):
        assert b'"QUERY_STRING": "n=%d."' % i in c.answer(2 * i + 1).body


def test_9_1_a_thousand_requests_on_a_connection(dial):
    c = dial()
    for i in range(0, 1000, 50):
        c.send(*(c.get(2 * k + 1, "/static/small.css") for k in range(i, i + 50)))
        assert all(c.answer(2 * k + 1).body == b"body{}" for k in range(i, i + 50))


def test_9_2_tls_1_2(site, authority):
    """9.2.2: only ciphers that HTTP/2 allows are to be had."""
    context = authority.context(ssl.TLSVersion.TLSv1_2, alpn=["h2"])
    with H2(site.address("https"), context) as c:
        assert "GCM" in c.sock.cipher()[0] or "CHACHA20" in c.sock.cipher()[0]
        assert c.sock.compression() is None
        c.serves(1)


def test_10_3_a_large_file_whole(dial):
    c = dial((INITIAL_WINDOW_SIZE, 1 << 21))
    c.grant(0, 1 << 21)
    assert c.fetch(1, "/static/big.css").body == bytes(range(256)) * 4096


@pytest.mark.parametrize("fields", [[("x-%d" % i, "a") for i in range(150)], [("x-a", "a" * 15000)] * 6, [("x-a", "a" * 20000)]])
def test_10_5_1_too_many_fields(dial, fields):
    """Refused, not cut; the connection serves on (only its table must be kept in step)."""
    c = dial()
    whole = block(c.head("GET", "/", *fields))
    parts = [whole[i:i + FRAME_MAX] for i in range(0, len(whole), FRAME_MAX)]
    c.send(c.headers(1, parts[0], END_STREAM | (0 if parts[1:] else END_HEADERS)),
           *(frame(CONTINUATION, END_HEADERS if p is parts[-1] else 0, 1, p) for p in parts[1:]))
    answer = c.answer(1)
    assert answer.status == 431 or answer.reset in (PROTOCOL_ERROR, ENHANCE_YOUR_CALM, REFUSED_STREAM), answer
    c.serves(3)


def test_10_5_1_a_long_path(dial):
    answer = dial().fetch(1, "/" + "a" * 9000)
    assert answer.status == 414, answer


def test_hpack_the_table_lives_across_requests(dial):
    """RFC 7541 2.3.2: an entry of one request is named by the next, and one that has been pushed out is not."""
    c = dial()
    entry = b"\x40\x03x-a\x05value"
    c.send(c.headers(1, block(c.head("GET", "/environ")) + entry))
    assert b'"HTTP_X_A": "value"' in c.answer(1).body
    c.send(c.headers(3, block(c.head("GET", "/environ")) + integer(62, 7, 0x80)))
    assert b'"HTTP_X_A": "value"' in c.answer(3).body
    c.send(c.headers(5, b"\x20" + integer(4096, 5, 0x20) + block(c.head()) + integer(62, 7, 0x80)))
    c.dies(COMPRESSION_ERROR)


MALFORMED = {  # 8.2.1, 8.2.2, 8.3.1: the library resets these, or we refuse them
    "upper-case": [("X-Upper", "a")],
    "connection": [("connection", "close")],
    "a field with a line break": [("x-a", "b\r\nc: d")],
    "a pseudo-field behind others": [("x-a", "b"), (":scheme", "http")],
    "an unknown pseudo-field": [(":own", "b")],
    "a length that is none": [("content-length", "x")],
}


@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.skipif(PEER is not None, reason="our log")
def test_8_1_1_a_malformed_request_is_in_the_log(dial, name):
    """As the same is by HTTP/1: 400."""
    c, path = dial(), "/malformed?%s-%s" % (name.replace(" ", "-"), dial.how)
    c.send(c.headers(1, block(c.head("GET", path) + MALFORMED[name])))
    answer = c.answer(1)
    assert answer.reset == PROTOCOL_ERROR or answer.status == 400
    line, = dial.site.wait_access(target=path)
    assert (line["status"], line["method"], line["protocol"]) == (400, "GET", "HTTP/2.0")
    c.send(c.headers(3, block(c.head())))
    assert c.answer(3).status == 200


def test_hpack_a_refused_block_still_counts(dial):
    """4.3: the table is kept in step by blocks whose request is refused."""
    c = dial()
    c.send(c.headers(1, block([(":method", "GET")]) + b"\x40\x03x-a\x05value"))
    assert c.answer(1).reset == PROTOCOL_ERROR or c.answers[1].status == 400
    c.send(c.headers(3, block(c.head("GET", "/environ")) + integer(62, 7, 0x80)))
    assert b'"HTTP_X_A": "value"' in c.answer(3).body


# ---- RFC 9218: who goes first ----

def big_two(c, first, second):
    """Two large files asked for with these priorities while the connection's window is shut, which then opens."""
    c.send(c.get(1, "/static/big.css", ("priority", first)), c.get(3, "/static/big.css", ("priority", second)))
    c.until(lambda: c.window == 0)
    c.opened(1), c.opened(3)
    c.sync()


def bodies(c):
    return len(c.answers[1].body), len(c.answers[3].body)


def test_rfc9218_10_more_urgent_goes_first(dial):
    c = dial((INITIAL_WINDOW_SIZE, 1 << 21))
    big_two(c, "u=5", "u=1")
    c.grant(0, 1 << 21)
    c.answer(3)
    assert len(c.answers[1].body) < 1 << 20, "the less urgent one was not behind"
    c.answer(1)


def test_rfc9218_10_incremental_ones_share(dial):
    c = dial((INITIAL_WINDOW_SIZE, 1 << 21))
    big_two(c, "u=3, i", "u=3, i")
    before = bodies(c)
    c.grant(0, 1 << 19)
    c.until(lambda: c.window == 0)
    a, b = (now - then for now, then in zip(bodies(c), before))
    assert min(a, b) >= (1 << 19) // 4, (a, b)


def test_rfc9218_10_others_go_one_after_the_other(dial):
    c = dial((INITIAL_WINDOW_SIZE, 1 << 21))
    big_two(c, "u=3", "u=3")
    c.grant(0, 1 << 19)
    c.until(lambda: c.window == 0)
    assert min(bodies(c)) < (1 << 19) // 4, bodies(c)


def test_rfc9218_7_1_priority_update_reorders(dial):
    c = dial((INITIAL_WINDOW_SIZE, 1 << 21))
    big_two(c, "u=3", "u=5")
    c.send(priority_update(3, b"u=0"))
    c.sync()
    c.grant(0, 1 << 21)
    c.answer(3)
    assert len(c.answers[1].body) < 1 << 20, "the update was not heard"


# ---- other people's clients ----

@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nghttp(site, scheme, tmp_path):
    host, port = site.address(scheme)
    base = "%s://%s:%d" % (scheme, host, port)
    (tmp_path / "body").write_bytes(bytes(range(256)) * 1000)
    done = subprocess.run(["nghttp", "-n", "-s", "-m", "20", base + "/", base + "/static/big.css", base + "/environ"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and len(re.findall(r" 200 +\S+ /", done.stdout)) == 60, done.stdout + done.stderr
    done = subprocess.run(["nghttp", "-d", str(tmp_path / "body"), base + "/digest"], capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("256000 "), done


class Library:
    """python3-h2's client: a state machine of somebody else's reads what we send."""

    def __init__(self, address, tls):
        self.sock = client.connect(address, tls, "localhost")
        self.conn = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.conn.initiate_connection()
        self.heads, self.bodies, self.over = {}, {}, set()

    def ask(self, stream, method, path, body=b""):
        self.conn.send_headers(stream, [(":method", method), (":scheme", "http"), (":path", path), (":authority", "site.test")], end_stream=not body)
        while body:
            n = min(len(body), self.conn.local_flow_control_window(stream), FRAME_MAX)
            if n:
                self.conn.send_data(stream, body[:n], end_stream=n == len(body))
                body = body[n:]
            else:
                self.turn()
        self.sock.sendall(self.conn.data_to_send())

    def turn(self):
        self.sock.sendall(self.conn.data_to_send())
        for event in self.conn.receive_data(self.sock.recv(65536)):
            if isinstance(event, h2.events.ResponseReceived):
                self.heads[event.stream_id] = dict(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
                self.conn.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.over.add(event.stream_id)
            assert not isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)), event
        self.sock.sendall(self.conn.data_to_send())

    def answer(self, stream):
        while stream not in self.over:
            self.turn()
        return self.heads[stream][b":status"], self.bodies.get(stream, b"")


def test_python_h2(dial):
    library = Library(dial.address, dial.tls)
    library.ask(1, "GET", "/")
    library.ask(3, "POST", "/body", b"text" * 50000)
    library.ask(5, "HEAD", "/")
    library.ask(7, "GET", "/static/big.css")
    for i in range(9, 49, 2):
        library.ask(i, "GET", "/stream?n=3&size=%d" % i)
    assert library.answer(1) == (b"200", b"hello\n")
    assert library.answer(3) == (b"200", b"text" * 50000)
    assert library.answer(5) == (b"200", b"")
    assert library.answer(7) == (b"200", bytes(range(256)) * 4096)
    assert all(len(library.answer(i)[1]) == 3 * i for i in range(9, 49, 2))
    library.sock.close()
