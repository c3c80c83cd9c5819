"""The rules of RFC 9113 (and 7541, 9218) that can be told in a line: what a client sends, and what must become of it.

CASES: the section and the rule → (what is sent behind preface and SETTINGS, as a function of the connection; the verdict).
"""
import struct

from kit import frames
from kit.frames import (ACK, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR,
                        FRAME_MAX, FRAME_SIZE_ERROR, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE,
                        MAX_HEADER_LIST_SIZE, NO_ERROR, NO_RFC7540_PRIORITIES, PADDED, PING, PRIORITY, PRIORITY_UPDATE, PROTOCOL_ERROR,
                        PUSH_PROMISE, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW, WINDOW_UPDATE, WITH_PRIORITY, block, data, frame, goaway,
                        integer, literal, ping, priority, priority_update, rst, settings, window)


# ---- verdicts ----

def dies(*codes):
    return lambda c: c.dies(*codes)


def either(*codes):
    """An error of the stream, or of the connection where the rule leaves the choice (5.4.2)."""
    def verdict(c):
        try:
            c.resets(1, *codes)
        except frames.Ended:
            assert c.goaway is not None and c.goaway.code in codes, c.goaway
    return verdict


def dies_or_fine(*codes):
    """Where the rule says MAY."""
    def verdict(c):
        try:
            fine(c)
        except frames.Ended:
            assert c.goaway is not None and c.goaway.code in codes, c.goaway
    return verdict


def malformed(c):
    """8.1.1: an error of the stream, before it an answer that refuses; never the application's. The connection serves on."""
    answer = c.answer(1)
    assert answer.reset == PROTOCOL_ERROR or answer.status in (400, 431) and answer.reset in (None, NO_ERROR), answer
    c.serves(101)


def refused_or_malformed(*status):
    def verdict(c):
        answer = c.answer(1)
        assert answer.reset == PROTOCOL_ERROR or answer.status in status, answer
        c.serves(101)
    return verdict


def comes_back(text):
    """The application got this body, and nothing else."""
    def verdict(c):
        answer = c.answer(1)
        assert (answer.status, answer.body, answer.reset) == (200, text, None), answer
        c.serves(101)
    return verdict


def fine(c):
    """Nothing happens: it is read over, and the connection serves on."""
    c.sync()
    c.serves(101)


def answered(c):
    answer = c.answer(1)
    assert answer.status == 200 and answer.ended and answer.reset is None, answer
    c.serves(101)


def not_reset(c):
    assert 1 not in c.answers or c.answers[1].reset is None, c.answers


# ---- what is sent ----

def open_post(c):
    """Stream 1, whose body is to come."""
    return c.post(1)


def half_closed(c):
    """Stream 1 has been asked in full and cannot be answered in full: its window is 0."""
    return settings((INITIAL_WINDOW_SIZE, 0)) + c.get(1)


def ended(c):
    """Stream 1 was answered."""
    assert c.fetch(1).status == 200
    return b""


def left(c):
    """Stream 1 was given up by us."""
    return c.post(1) + rst(1)


def odd_head(method="GET", path="/", drop=(), replace=None, more=()):
    """A request's fields with something wrong about them."""
    def build(c):
        fields = [f for f in c.head(method, path) if f[0] not in drop]
        return c.headers(1, [(replace or {}).get(f[0], f) for f in fields] + list(more))
    return build


def with_field(*fields):
    return odd_head(more=fields)


def body(length, *pieces):
    """A POST with this content-length and these pieces as DATA, the last one the end; without pieces HEADERS is the end."""
    def build(c):
        flags = END_HEADERS | (0 if pieces else END_STREAM)
        head = c.headers(1, c.head("POST", "/body", *(("content-length", n) for n in length)), flags)
        return head + b"".join(data(1, p, END_STREAM if i == len(pieces) - 1 else 0) for i, p in enumerate(pieces))
    return build


def trailers(*fields, flags=END_STREAM | END_HEADERS):
    return lambda c: c.post(1) + data(1, b"abc") + c.headers(1, list(fields), flags)


def raw_block(text):
    """The usual head, and behind it this in the same block."""
    return lambda c: c.headers(1, block(c.head()) + text)


def padded(kind, pad, content, flags):
    """A frame that says it has `pad` bytes of padding behind `content`, and has them."""
    return frame(kind, flags | PADDED, 1, bytes([pad]) + content + bytes(pad))


def in_block(inside):
    """`inside` between HEADERS and CONTINUATION."""
    def build(c):
        whole = block(c.head())
        return c.headers(1, whole[:9], END_STREAM) + inside(c) + frame(CONTINUATION, END_HEADERS, 1, whole[9:])
    return build


def continued(*sizes):
    """A head in several frames; the last one has the rest."""
    def build(c):
        rest = block(c.head("GET", "/", ("x-a", "a" * 100)))
        out = c.headers(1, rest[:5], END_STREAM)
        rest = rest[5:]
        for n in sizes:
            out, rest = out + frame(CONTINUATION, 0, 1, rest[:n]), rest[n:]
        return out + frame(CONTINUATION, END_HEADERS, 1, rest)
    return build


def then(first, *parts):
    """`first(c)`, and behind it the parts."""
    return lambda c: first(c) + b"".join(p(c) if callable(p) else p for p in parts)


def just(*parts):
    return lambda c: b"".join(parts)


def before_get(*parts):
    return lambda c: b"".join(parts) + c.get(1)


def huffman(text):
    """A field whose value is these bytes, said to be Huffman's."""
    return b"\x00\x01a" + integer(len(text), 7, 0x80) + text


CONNECT_HEAD = [(":method", "CONNECT"), (":authority", "site.test:443")]

CASES = {
    # frames
    "4.1 a frame of unknown kind is ignored": (before_get(frame(0x5a, 0xff, 0, b"what"), frame(0x5a, 0, 1, b"")), answered),
    "4.1 a frame of unknown kind on an open stream is ignored": (then(open_post, frame(0x5a, 0xff, 1, b"what"), data(1, b"a", END_STREAM)), answered),
    "4.1 unknown flags are ignored: PING": (before_get(ping(flags=0xfe)), answered),
    "4.1 unknown flags are ignored: SETTINGS": (before_get(settings(flags=0xfe)), answered),
    "4.1 unknown flags are ignored: RST_STREAM": (then(open_post, frame(RST_STREAM, 0xff, 1, bytes(4))), fine),
    "4.1 unknown flags are ignored: WINDOW_UPDATE": (before_get(frame(WINDOW_UPDATE, 0xff, 0, b"\0\0\0\1")), answered),
    "4.1 unknown flags are ignored: DATA": (then(open_post, data(1, b"abc", END_STREAM | 0xf6 & ~PADDED)), answered),
    "4.1 unknown flags are ignored: HEADERS": (lambda c: c.headers(1, c.head(), END_STREAM | END_HEADERS | 0xd2), answered),
    "4.1 the reserved bit is ignored": (lambda c: frame(HEADERS, END_STREAM | END_HEADERS, 1 | 1 << 31, block(c.head())), answered),
    "4.1 the reserved bit of stream 0 is ignored": (before_get(frame(PING, 0, 1 << 31, b"01234567")), answered),
    "4.2 DATA of 2^14 bytes": (then(open_post, data(1, bytes(FRAME_MAX), END_STREAM)), answered),
    "4.2 DATA longer than SETTINGS_MAX_FRAME_SIZE": (then(open_post, data(1, bytes(FRAME_MAX + 1))), either(FRAME_SIZE_ERROR)),
    "4.2 HEADERS longer than SETTINGS_MAX_FRAME_SIZE": (lambda c: c.headers(1, block(c.head()) + literal("x-a", "a" * FRAME_MAX)), dies(FRAME_SIZE_ERROR)),
    "4.2 SETTINGS longer than SETTINGS_MAX_FRAME_SIZE": (just(frame(SETTINGS, 0, 0, bytes(6 * 2800))), dies(FRAME_SIZE_ERROR)),
    "4.2 a frame of unknown kind longer than SETTINGS_MAX_FRAME_SIZE": (just(frame(0x5a, 0, 0, bytes(FRAME_MAX + 1))), dies(FRAME_SIZE_ERROR)),
    "4.2 the longest length there is": (just(frame(DATA, 0, 1, b"", length=0xffffff)), dies(FRAME_SIZE_ERROR)),
    "4.3 a block of fields that cannot be decoded": (lambda c: c.headers(1, b"\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), dies(COMPRESSION_ERROR)),
    "4.3 a block that cannot be decoded in trailers": (then(open_post, lambda c: c.headers(1, b"\xff\xff\xff\xff\xff\xff")), dies(COMPRESSION_ERROR)),
    "4.3 PRIORITY inside a block": (in_block(lambda c: priority(1)), dies(PROTOCOL_ERROR)),
    "4.3 PING inside a block": (in_block(lambda c: ping()), dies(PROTOCOL_ERROR)),
    "4.3 SETTINGS inside a block": (in_block(lambda c: settings()), dies(PROTOCOL_ERROR)),
    "4.3 RST_STREAM inside a block": (in_block(lambda c: rst(1)), dies(PROTOCOL_ERROR)),
    "4.3 WINDOW_UPDATE inside a block": (in_block(lambda c: window(0, 1)), dies(PROTOCOL_ERROR)),
    "4.3 HEADERS inside a block": (in_block(lambda c: c.headers(1, b"")), dies(PROTOCOL_ERROR)),
    "4.3 HEADERS of another stream inside a block": (in_block(lambda c: c.get(3)), dies(PROTOCOL_ERROR)),
    "4.3 DATA inside a block": (in_block(lambda c: data(1, b"a")), dies(PROTOCOL_ERROR)),
    "4.3 an unknown frame inside a block": (in_block(lambda c: frame(0x5a, 0, 0, b"a")), dies(PROTOCOL_ERROR)),
    "4.3 CONTINUATION of another stream inside a block": (in_block(lambda c: frame(CONTINUATION, END_HEADERS, 3, b"")), dies(PROTOCOL_ERROR)),
    "4.3 an endless block is not collected": (lambda c: c.headers(1, c.head(), END_STREAM) + b"".join(
        frame(CONTINUATION, 0, 1, literal("x-%d" % i, "a" * 16000)) for i in range(200)), dies(ENHANCE_YOUR_CALM, PROTOCOL_ERROR, COMPRESSION_ERROR)),

    # states
    "5.1 idle: DATA": (just(data(1, b"a", END_STREAM)), dies(PROTOCOL_ERROR)),
    "5.1 idle: RST_STREAM": (just(rst(1)), dies(PROTOCOL_ERROR)),
    "5.1 idle: WINDOW_UPDATE": (just(window(1, 100)), dies(PROTOCOL_ERROR)),
    "5.1 idle: CONTINUATION": (just(frame(CONTINUATION, END_HEADERS, 1, b"\x82")), dies(PROTOCOL_ERROR)),
    "5.1 idle: PRIORITY": (before_get(priority(1), priority(3), priority(2)), answered),
    "5.1 idle: DATA on a stream yet to come": (lambda c: c.get(1) + data(5, b"a"), dies(PROTOCOL_ERROR)),
    "5.1 half-closed (remote): DATA": (then(half_closed, data(1, b"a", END_STREAM)), either(STREAM_CLOSED)),
    "5.1 half-closed (remote): empty DATA": (then(half_closed, data(1, b"")), either(STREAM_CLOSED)),
    "5.1 half-closed (remote): HEADERS": (then(half_closed, lambda c: c.get(1)), either(STREAM_CLOSED)),
    "5.1 half-closed (remote): CONTINUATION": (then(half_closed, frame(CONTINUATION, END_HEADERS, 1, b"\x82")), dies(PROTOCOL_ERROR, STREAM_CLOSED)),
    "5.1 half-closed (remote): WINDOW_UPDATE, PRIORITY": (then(half_closed, priority(1), window(1, 1000), settings((INITIAL_WINDOW_SIZE, WINDOW))), answered),
    "5.1 half-closed (remote): RST_STREAM": (then(half_closed, rst(1), settings((INITIAL_WINDOW_SIZE, WINDOW))), fine),
    "5.1 closed by us: DATA": (then(left, data(1, b"a", END_STREAM)), dies_or_fine(STREAM_CLOSED)),
    "5.1 closed by us: HEADERS": (then(left, lambda c: c.get(1)), dies(STREAM_CLOSED, PROTOCOL_ERROR)),
    "5.1 closed by us: CONTINUATION": (then(left, frame(CONTINUATION, END_HEADERS, 1, b"\x82")), dies(PROTOCOL_ERROR, STREAM_CLOSED)),
    "5.1 closed by us: PRIORITY, WINDOW_UPDATE, RST_STREAM": (then(left, priority(1), window(1, 5), rst(1)), fine),
    "5.1 closed: DATA": (then(ended, data(1, b"a", END_STREAM)), dies_or_fine(STREAM_CLOSED)),
    "5.1 closed: HEADERS": (then(ended, lambda c: c.get(1)), dies(STREAM_CLOSED, PROTOCOL_ERROR)),
    "5.1 closed: CONTINUATION": (then(ended, frame(CONTINUATION, END_HEADERS, 1, b"\x82")), dies(PROTOCOL_ERROR, STREAM_CLOSED)),
    "5.1 closed: PRIORITY": (then(ended, priority(1)), fine),
    "5.1 closed: WINDOW_UPDATE": (then(ended, window(1, 5)), fine),
    "5.1 closed: RST_STREAM": (then(ended, rst(1)), fine),
    "5.1.1 an even stream": (lambda c: c.get(2), dies(PROTOCOL_ERROR)),
    "5.1.1 stream 0": (lambda c: c.get(0), dies(PROTOCOL_ERROR)),
    "5.1.1 a stream before one that was opened": (lambda c: c.get(5) + c.get(3), dies(PROTOCOL_ERROR, STREAM_CLOSED)),
    "5.1.1 DATA on a stream that was passed over": (lambda c: c.get(5) + data(3, b"a"), dies_or_fine(STREAM_CLOSED, PROTOCOL_ERROR)),
    "5.1.1 the last stream there is": (lambda c: c.get(0x7fffffff), lambda c: c.answer(0x7fffffff)),
    "5.3 a stream that depends on itself harms nobody": (lambda c: priority(1, 1) + priority(5, 5) + c.get(101), lambda c: c.answer(101)),
    "5.4.2 RST_STREAM is not answered by RST_STREAM": (left, lambda c: (c.serves(3), c.sync(), not_reset(c))),
    "5.5 unknown settings, flags and frames, GREASE": (before_get(settings((0x0a0a, 1), (0x1f1f, 7), (0xffff, 0xffffffff)), frame(0x0b + 0x1f * 3, 0x55, 0, b"x" * 99),
                                                                  frame(0x0b + 0x1f * 4, 0x55, 9, b"")), answered),

    # DATA
    "6.1 DATA on stream 0": (just(data(0, b"a")), dies(PROTOCOL_ERROR)),
    "6.1 padding as long as the frame": (then(open_post, frame(DATA, PADDED, 1, b"\x05abcd")), dies(PROTOCOL_ERROR)),
    "6.1 padding longer than the frame": (then(open_post, frame(DATA, PADDED, 1, b"\xffabcd")), dies(PROTOCOL_ERROR)),
    "6.1 padding without its length": (then(open_post, frame(DATA, PADDED, 1, b"")), dies(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    "6.1 a frame of padding alone": (then(open_post, padded(DATA, 9, b"", 0), data(1, b"abc", END_STREAM)), comes_back(b"abc")),
    "6.1 padding is not content": (then(open_post, padded(DATA, 200, b"abc", 0), padded(DATA, 0, b"de", END_STREAM)), comes_back(b"abcde")),
    "6.1 padding counts in the content's length: not": (lambda c: c.post(1, "/body", ("content-length", "3")) + padded(DATA, 200, b"abc", END_STREAM),
                                                       comes_back(b"abc")),
    # HEADERS
    "6.2 padding as long as the frame": (lambda c: frame(HEADERS, PADDED | END_HEADERS | END_STREAM, 1, b"\x03ab"), dies(PROTOCOL_ERROR)),
    "6.2 padding longer than the frame": (lambda c: frame(HEADERS, PADDED | END_HEADERS | END_STREAM, 1, b"\xff" + block(c.head())), dies(PROTOCOL_ERROR)),
    "6.2 padding without its length": (just(frame(HEADERS, PADDED | END_HEADERS | END_STREAM, 1, b"")), dies(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    "6.2 priority fields cut short": (just(frame(HEADERS, WITH_PRIORITY | END_HEADERS | END_STREAM, 1, b"\0\0\0\0")), dies(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
    "6.2 padding and priority fields": (lambda c: frame(HEADERS, WITH_PRIORITY | PADDED | END_HEADERS | END_STREAM, 1,
                                                        b"\x04" + struct.pack(">IB", 0, 7) + block(c.head()) + bytes(4)), answered),
    "6.2 an empty block is no request": (lambda c: c.headers(1, b""), malformed),
    # PRIORITY
    "6.3 PRIORITY on stream 0": (just(priority(0, 1)), dies(PROTOCOL_ERROR)),
    "6.3 PRIORITY of 4 bytes": (then(open_post, frame(PRIORITY, 0, 1, bytes(4))), either(FRAME_SIZE_ERROR)),
    "6.3 PRIORITY of 6 bytes": (then(open_post, frame(PRIORITY, 0, 1, bytes(6))), either(FRAME_SIZE_ERROR)),
    "6.3 PRIORITY has no effect": (before_get(*(priority(2 * i + 1, 2 * i, 255, True) for i in range(1, 20))), answered),
    # RST_STREAM
    "6.4 RST_STREAM on stream 0": (just(rst(0)), dies(PROTOCOL_ERROR)),
    "6.4 RST_STREAM of 3 bytes": (then(open_post, frame(RST_STREAM, 0, 1, bytes(3))), dies(FRAME_SIZE_ERROR)),
    "6.4 RST_STREAM of 5 bytes": (then(open_post, frame(RST_STREAM, 0, 1, bytes(5))), dies(FRAME_SIZE_ERROR)),
    # SETTINGS
    "6.5 ACK with content": (just(frame(SETTINGS, ACK, 0, bytes(6))), dies(FRAME_SIZE_ERROR)),
    "6.5 SETTINGS on a stream": (just(settings(stream=1)), dies(PROTOCOL_ERROR)),
    "6.5 SETTINGS of 5 bytes": (just(frame(SETTINGS, 0, 0, bytes(5))), dies(FRAME_SIZE_ERROR)),
    "6.5 the last of equal settings counts": (lambda c: settings((INITIAL_WINDOW_SIZE, 0), (INITIAL_WINDOW_SIZE, WINDOW)) + c.get(1), answered),
    "6.5.2 SETTINGS_ENABLE_PUSH 2": (just(settings((ENABLE_PUSH, 2))), dies(PROTOCOL_ERROR)),
    "6.5.2 SETTINGS_INITIAL_WINDOW_SIZE 2^31": (just(settings((INITIAL_WINDOW_SIZE, 1 << 31))), dies(FLOW_CONTROL_ERROR)),
    "6.5.2 SETTINGS_MAX_FRAME_SIZE 2^14 - 1": (just(settings((MAX_FRAME_SIZE, FRAME_MAX - 1))), dies(PROTOCOL_ERROR)),
    "6.5.2 SETTINGS_MAX_FRAME_SIZE 2^24": (just(settings((MAX_FRAME_SIZE, 1 << 24))), dies(PROTOCOL_ERROR)),
    "6.5.2 SETTINGS_MAX_CONCURRENT_STREAMS 0 concerns nobody": (before_get(settings((MAX_CONCURRENT_STREAMS, 0))), answered),
    "6.5.2 SETTINGS_MAX_HEADER_LIST_SIZE is advice": (before_get(settings((MAX_HEADER_LIST_SIZE, 1 << 16))), answered),
    "6.5.2 all values at their ends": (before_get(settings((ENABLE_PUSH, 1), (INITIAL_WINDOW_SIZE, (1 << 31) - 1), (MAX_FRAME_SIZE, (1 << 24) - 1)),
                                                  settings((MAX_FRAME_SIZE, FRAME_MAX), (INITIAL_WINDOW_SIZE, WINDOW), (ENABLE_PUSH, 0))), answered),
    # PUSH_PROMISE, PING, GOAWAY
    "6.6 PUSH_PROMISE from a client": (then(open_post, lambda c: frame(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2" + block(c.head()))), dies(PROTOCOL_ERROR)),
    "6.6 PUSH_PROMISE on stream 0": (just(frame(PUSH_PROMISE, END_HEADERS, 0, b"\0\0\0\2")), dies(PROTOCOL_ERROR)),
    "6.7 PING on a stream": (just(frame(PING, 0, 1, bytes(8))), dies(PROTOCOL_ERROR)),
    "6.7 PING of 7 bytes": (just(frame(PING, 0, 0, bytes(7))), dies(FRAME_SIZE_ERROR)),
    "6.7 PING of 9 bytes": (just(frame(PING, 0, 0, bytes(9))), dies(FRAME_SIZE_ERROR)),
    "6.7 an ACK of nothing is harmless": (before_get(ping(flags=ACK)), answered),
    "6.8 GOAWAY on a stream": (just(goaway(stream=1)), dies(PROTOCOL_ERROR)),
    "6.8 GOAWAY of 7 bytes": (just(frame(GOAWAY, 0, 0, bytes(7))), dies(FRAME_SIZE_ERROR)),
    # WINDOW_UPDATE
    "6.9 WINDOW_UPDATE of 0 for the connection": (just(window(0, 0)), dies(PROTOCOL_ERROR)),
    "6.9 WINDOW_UPDATE of 0 for a stream": (then(open_post, window(1, 0)), either(PROTOCOL_ERROR)),
    "6.9 WINDOW_UPDATE of 3 bytes": (just(frame(WINDOW_UPDATE, 0, 0, bytes(3))), dies(FRAME_SIZE_ERROR)),
    "6.9 WINDOW_UPDATE of 5 bytes on a stream": (then(open_post, frame(WINDOW_UPDATE, 0, 1, bytes(5))), dies(FRAME_SIZE_ERROR)),
    "6.9 the reserved bit is ignored": (before_get(window(0, 1 | 1 << 31)), answered),
    "6.9.1 the connection's window beyond 2^31 - 1": (just(window(0, (1 << 31) - 1)), dies(FLOW_CONTROL_ERROR)),
    "6.9.1 the connection's window beyond 2^31 - 1 in two steps": (just(window(0, 1 << 30), window(0, 1 << 30)), dies(FLOW_CONTROL_ERROR)),
    "6.9.1 a stream's window beyond 2^31 - 1": (then(open_post, window(1, (1 << 31) - 1)), either(FLOW_CONTROL_ERROR)),
    "6.9.2 a stream's window beyond 2^31 - 1 by SETTINGS": (then(open_post, window(1, 1 << 30), settings((INITIAL_WINDOW_SIZE, (1 << 31) - 1))),
                                                             dies(FLOW_CONTROL_ERROR)),
    # CONTINUATION
    "6.10 a block in two": (continued(), answered),
    "6.10 a block in six, some empty": (continued(1, 0, 3, 0), answered),
    "6.10 CONTINUATION on stream 0": (lambda c: c.headers(1, c.head(), END_STREAM) + frame(CONTINUATION, END_HEADERS, 0, b""), dies(PROTOCOL_ERROR)),
    "6.10 CONTINUATION behind the end of a block": (lambda c: c.post(1) + frame(CONTINUATION, END_HEADERS, 1, b""), dies(PROTOCOL_ERROR)),
    "6.10 CONTINUATION behind the end of a block in two": (lambda c: continued()(c) + frame(CONTINUATION, END_HEADERS, 1, b""), dies(PROTOCOL_ERROR, STREAM_CLOSED)),
    "6.10 CONTINUATION behind DATA": (then(open_post, data(1, b"a"), frame(CONTINUATION, END_HEADERS, 1, b"")), dies(PROTOCOL_ERROR)),
    "7 unknown error codes are nothing special": (then(open_post, rst(1, 0xdeadbeef)), fine),

    # requests
    "8.1 fields behind the body without the end": (trailers(("x-a", "1"), flags=END_HEADERS), malformed),
    "8.1 trailers": (trailers(("x-a", "1")), comes_back(b"abc")),
    "8.1 trailers in two frames": (lambda c: c.post(1) + data(1, b"abc") + c.headers(1, [("x-a", "1")], END_STREAM)
                                   + frame(CONTINUATION, END_HEADERS, 1, literal("x-b", "2")), comes_back(b"abc")),
    "8.1 trailers right behind the head": (lambda c: c.post(1) + c.headers(1, [("x-a", "1")]), comes_back(b"")),
    "8.1 an empty body in its own frame": (then(open_post, data(1, b"", END_STREAM)), comes_back(b"")),
    "8.1.1 content-length without a body": (body(["3"]), malformed),
    "8.1.1 content-length longer than the body": (body(["4"], b"abc"), malformed),
    "8.1.1 content-length shorter than the body": (body(["2"], b"abc"), malformed),
    "8.1.1 content-length shorter than the body's first piece": (body(["2"], b"abc", b"def"), malformed),
    "8.1.1 content-length longer than several pieces": (body(["7"], b"abc", b"def"), malformed),
    "8.1.1 content-length as long as several pieces": (body(["6"], b"abc", b"def"), comes_back(b"abcdef")),
    "8.1.1 content-length longer than a body with trailers": (lambda c: c.post(1, "/body", ("content-length", "4")) + data(1, b"abc")
                                                              + c.headers(1, [("x-a", "1")]), malformed),
    "8.1.1 content-length twice, different": (body(["3", "4"], b"abc"), malformed),
    "8.1.1 content-length twice, equal": (body(["3", "3"], b"abc"), malformed),
    "8.1.1 content-length as a list": (body(["3, 3"], b"abc"), malformed),
    "8.1.1 content-length signed": (body(["+3"], b"abc"), malformed),
    "8.1.1 content-length empty": (body([""], b"abc"), malformed),
    "8.1.1 content-length of more digits than there are bytes": (body(["99999999999999999999999"], b"abc"), refused_or_malformed(413)),
    "8.1.1 content-length in words": (body(["three"], b"abc"), malformed),
    "8.1.1 content-length 0 and nothing": (body(["0"]), answered),
    # fields
    "8.2.1 an upper-case letter in a name": (with_field(("X-a", "1")), malformed),
    "8.2.1 a blank in a name": (with_field(("x a", "1")), malformed),
    "8.2.1 a blank behind a name": (with_field(("x-a ", "1")), malformed),
    "8.2.1 a colon in a name": (with_field(("x:a", "1")), malformed),
    "8.2.1 a NUL in a name": (with_field(("x\0a", "1")), malformed),
    "8.2.1 a line end in a name": (with_field(("x\r\nhost", "1")), malformed),
    "8.2.1 DEL in a name": (with_field(("x\x7fa", "1")), malformed),
    "8.2.1 a byte past ASCII in a name": (with_field(("x\xe9a", "1")), malformed),
    "8.2.1 an empty name": (with_field(("", "1")), malformed),
    "8.2.1 a NUL in a value": (with_field(("x-a", "1\x002")), malformed),
    "8.2.1 CR in a value": (with_field(("x-a", "1\r2")), malformed),
    "8.2.1 LF in a value": (with_field(("x-a", "1\n2")), malformed),
    "8.2.1 a request inside a value": (with_field(("x-a", "1\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n")), malformed),
    "8.2.1 a blank before a value": (with_field(("x-a", " 1")), malformed),
    "8.2.1 a tab before a value": (with_field(("x-a", "\t1")), malformed),
    "8.2.1 a blank behind a value": (with_field(("x-a", "1 ")), malformed),
    "8.2.1 a tab behind a value": (with_field(("x-a", "1\t")), malformed),
    "8.2.1 a bad name in trailers": (trailers(("X-A", "1")), malformed),
    "8.2.1 a bad value in trailers": (trailers(("x-a", "1\n2")), malformed),
    "8.2.1 an empty value": (with_field(("x-a", "")), answered),
    "8.2.2 connection": (with_field(("connection", "keep-alive")), malformed),
    "8.2.2 connection: close": (with_field(("connection", "close")), malformed),
    "8.2.2 proxy-connection": (with_field(("proxy-connection", "keep-alive")), malformed),
    "8.2.2 keep-alive": (with_field(("keep-alive", "timeout=5")), malformed),
    "8.2.2 transfer-encoding": (with_field(("transfer-encoding", "chunked")), malformed),
    "8.2.2 upgrade": (with_field(("upgrade", "h2c")), malformed),
    "8.2.2 te: trailers": (with_field(("te", "trailers")), answered),
    "8.2.2 te: trailers, deflate": (with_field(("te", "trailers, deflate;q=0.5")), malformed),
    "8.2.2 te: gzip": (with_field(("te", "gzip")), malformed),
    "8.2.2 transfer-encoding in trailers": (trailers(("transfer-encoding", "chunked")), malformed),
    # pseudo-fields
    "8.3 an unknown pseudo-field": (with_field((":unknown", "1")), malformed),
    "8.3 an unknown pseudo-field first": (lambda c: c.headers(1, [(":unknown", "1")] + c.head()), malformed),
    "8.3 a response's pseudo-field": (lambda c: c.headers(1, c.head() + [(":status", "200")]), malformed),
    "8.3 a pseudo-field behind a field": (lambda c: c.headers(1, [c.head()[0], ("x-a", "1"), *c.head()[1:]]), malformed),
    "8.3 the last pseudo-field behind a field": (lambda c: c.headers(1, [*c.head()[:3], ("x-a", "1"), c.head()[3]]), malformed),
    "8.3 a pseudo-field in trailers": (trailers((":method", "GET")), malformed),
    "8.3 a pseudo-field among trailers": (trailers(("x-a", "1"), (":path", "/")), malformed),
    "8.3 an upper-case pseudo-field": (odd_head(replace={":path": (":Path", "/")}), malformed),
    "8.3.1 no :method": (odd_head(drop=[":method"]), malformed),
    "8.3.1 no :scheme": (odd_head(drop=[":scheme"]), malformed),
    "8.3.1 no :path": (odd_head(drop=[":path"]), malformed),
    "8.3.1 an empty :path": (odd_head(path=""), malformed),
    "8.3.1 an empty :method": (odd_head(method=""), malformed),
    "8.3.1 an empty :scheme": (odd_head(replace={":scheme": (":scheme", "")}), malformed),
    "8.3.1 :method twice": (with_field((":method", "GET")), malformed),
    "8.3.1 :method twice in a row": (lambda c: c.headers(1, [(":method", "GET")] + c.head()), malformed),
    "8.3.1 :scheme twice": (lambda c: c.headers(1, [(":scheme", c.scheme)] + c.head()), malformed),
    "8.3.1 :path twice": (lambda c: c.headers(1, [(":path", "/a")] + c.head()), malformed),
    "8.3.1 :authority twice": (lambda c: c.headers(1, [(":authority", "a")] + c.head()), malformed),
    "8.3.1 a :path without a slash": (odd_head(path="index"), malformed),
    "8.3.1 a :path in absolute form": (odd_head(path="http://other.test/"), malformed),
    "8.3.1 a :path with a fragment": (odd_head(path="/a#b"), malformed),
    "8.3.1 a :path with a blank": (odd_head(path="/a b"), malformed),
    "8.3.1 a :path with a line end": (odd_head(path="/ HTTP/1.1\r\nHost: a\r\n"), malformed),
    "8.3.1 a :path of * that is not OPTIONS": (odd_head(path="*"), malformed),
    "8.3.1 OPTIONS *": (odd_head("OPTIONS", "*"), refused_or_malformed(200, 204, 404, 405)),
    "8.3.1 a :method that is no token": (odd_head("GE T"), malformed),
    "8.3.1 a :method with a line end": (odd_head("GET / HTTP/1.1\r\nA: "), malformed),
    "8.3.1 userinfo in :authority": (odd_head(replace={":authority": (":authority", "user@site.test")}), malformed),
    "8.3.1 a path in :authority": (odd_head(replace={":authority": (":authority", "site.test/a")}), malformed),
    "8.3.1 a blank in :authority": (odd_head(replace={":authority": (":authority", "site.test a")}), malformed),
    "8.3.1 an empty :authority": (odd_head(replace={":authority": (":authority", "")}), malformed),
    "8.3.1 neither :authority nor host": (odd_head(drop=[":authority"]), malformed),
    "8.3.1 host in the place of :authority": (odd_head(drop=[":authority"], more=[("host", "site.test")]), answered),
    "8.3.1 host equal to :authority": (with_field(("host", "site.test")), answered),
    "8.3.1 host that differs from :authority": (with_field(("host", "other.test")), malformed),
    "8.3.1 host twice": (odd_head(drop=[":authority"], more=[("host", "site.test"), ("host", "site.test")]), malformed),
    "8.3.1 a :scheme with a line end": (odd_head(replace={":scheme": (":scheme", "http\r\n")}), malformed),
    "8.5 CONNECT with :path": (lambda c: c.headers(1, c.head("CONNECT", "/")), malformed),
    "8.5 CONNECT without :authority": (lambda c: c.headers(1, CONNECT_HEAD[:1]), malformed),
    "8.5 CONNECT": (lambda c: c.headers(1, CONNECT_HEAD, END_HEADERS), refused_or_malformed(400, 405, 501)),
    "8.5 :protocol without SETTINGS_ENABLE_CONNECT_PROTOCOL": (
        lambda c: c.headers(1, c.head("CONNECT", "/") + [(":protocol", "websocket")]), malformed),

    # HPACK
    "RFC 7541 2.3.3 an index past the tables": (raw_block(integer(70, 7, 0x80)), dies(COMPRESSION_ERROR)),
    "RFC 7541 2.3.3 a name's index past the tables": (raw_block(integer(70, 4, 0) + b"\x01a"), dies(COMPRESSION_ERROR)),
    "RFC 7541 4.2 a table larger than allowed": (lambda c: c.headers(1, integer(4097, 5, 0x20) + block(c.head())), dies(COMPRESSION_ERROR)),
    "RFC 7541 4.2 a table as large as allowed": (lambda c: c.headers(1, integer(4096, 5, 0x20) + block(c.head())), answered),
    "RFC 7541 4.2 two changes of the table": (lambda c: c.headers(1, b"\x20" + integer(4096, 5, 0x20) + block(c.head())), answered),
    "RFC 7541 4.2 a change of the table at a block's end": (raw_block(b"\x20"), dies(COMPRESSION_ERROR)),
    "RFC 7541 5.1 an integer past all sizes": (raw_block(b"\xff" + b"\xff" * 12 + b"\x7f"), dies(COMPRESSION_ERROR)),
    "RFC 7541 5.1 an integer that does not end": (raw_block(b"\xff\x80\x80\x80\x80\x80\x80\x80\x80\x80"), dies(COMPRESSION_ERROR)),
    "RFC 7541 5.2 a string longer than its block": (raw_block(b"\x00\x01a\x20abc"), dies(COMPRESSION_ERROR)),
    "RFC 7541 5.2 a name without a value": (raw_block(b"\x00\x01a"), dies(COMPRESSION_ERROR)),
    "RFC 7541 5.2 Huffman padding of more than 7 bits": (raw_block(huffman(b"\x1f\xff")), dies(COMPRESSION_ERROR)),
    "RFC 7541 5.2 Huffman padding of zeros": (raw_block(huffman(b"\x18")), dies(COMPRESSION_ERROR)),
    "RFC 7541 5.2 the end mark inside Huffman": (raw_block(huffman(b"\xff\xff\xff\xff")), dies(COMPRESSION_ERROR)),
    "RFC 7541 6.1 index 0": (raw_block(b"\x80"), dies(COMPRESSION_ERROR)),
    "RFC 7541 6.2.3 a literal never indexed": (raw_block(b"\x10\x03x-a\x011"), answered),

    # priorities
    "RFC 9218 2.1 SETTINGS_NO_RFC7540_PRIORITIES 2": (just(settings((NO_RFC7540_PRIORITIES, 2))), dies(PROTOCOL_ERROR)),
    "RFC 9218 4 the priority field": (with_field(("priority", "u=1, i")), answered),
    "RFC 9218 4 a priority field out of range": (with_field(("priority", "u=9, i=7")), answered),
    "RFC 9218 4 a priority field that cannot be read": (with_field(("priority", "(((u=\"")), answered),
    "RFC 9218 4 a priority field twice": (with_field(("priority", "u=1"), ("priority", "u=7")), answered),
    "RFC 9218 7.1 PRIORITY_UPDATE": (lambda c: c.post(1) + priority_update(1, b"u=0, i") + data(1, b"abc", END_STREAM), answered),
    "RFC 9218 7.1 PRIORITY_UPDATE for a stream to come": (before_get(priority_update(1, b"u=5")), answered),
    "RFC 9218 7.1 PRIORITY_UPDATE for a stream that is over": (then(ended, priority_update(1, b"u=5")), fine),
    "RFC 9218 7.1 PRIORITY_UPDATE that cannot be read": (before_get(priority_update(1, b"\xff\xff((")), answered),
    "RFC 9218 7.1 PRIORITY_UPDATE on a stream": (then(open_post, priority_update(1, b"u=5", on=1)), dies(PROTOCOL_ERROR)),
    "RFC 9218 7.1 PRIORITY_UPDATE for stream 0": (just(priority_update(0, b"u=5")), dies(PROTOCOL_ERROR)),
    "RFC 9218 7.1 PRIORITY_UPDATE of 3 bytes": (just(frame(PRIORITY_UPDATE, 0, 0, bytes(3))), dies(FRAME_SIZE_ERROR, PROTOCOL_ERROR)),
}
