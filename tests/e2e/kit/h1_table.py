"""HTTP/1 requests that can be read in two ways, or in none: what is sent, why it matters, and the one right reading.

A row: name, source (RFC section or the known class of attack), bytes, expected. Expected is a status of 400 and more: the request is refused, the
connection ends, nothing behind it is read. Or Reads: what the application must have seen, request by request, after which the connection is in step
(or has ended, where that was said). /smuggled is what an attacker wants to be taken for a request: no right reading ever has it.
"""
from collections import namedtuple

Row = namedtuple("Row", "name source data expected")
Seen = namedtuple("Seen", "method path body absent present")
Reads = namedtuple("Reads", "requests closes statuses")


def seen(method="GET", path="/", body=b"", absent=(), **present):
    """present: environ names and their values; absent: names that must not be there."""
    return Seen(method, path, body, tuple(absent), present)


def reads(*requests, closes=False, statuses=None):
    return Reads(requests, closes, statuses or [200] * len(requests))


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
N = len(SMUGGLED)


def lines(start, *fields):
    return b"\r\n".join([start, *fields]) + b"\r\n\r\n"


def get(*fields, target=b"/", method=b"GET", version=b"HTTP/1.1", host=b"Host: a"):
    return lines(b" ".join([method, target, version]), *([host] if host else []), *fields)


def post(*fields, body=b"", **more):
    return get(*fields, method=b"POST", **more) + body


def length(n):
    return b"Content-Length: %d" % n


def chunk(data, extension=b""):
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def chunked(*chunks, end=b"0\r\n\r\n", coding=b"Transfer-Encoding: chunked", fields=()):
    return post(coding, *fields, body=b"".join(chunks) + end)


LAST = b"0\r\n\r\n"
TE = b"Transfer-Encoding: chunked"
BODY = seen("POST", body=b"abc")
CLTE = chunk(b"")[:0] + LAST + SMUGGLED  # what follows is a request for who reads chunks, and body for who reads a length

# ---- framing: a length and a coding (RFC 9112 6) ----

BOTH = [
    ("length, then coding", "CL.TE, RFC 9112 6.1", post(length(5 + N), TE, body=CLTE), 400),
    ("coding, then length", "TE.CL, RFC 9112 6.1", post(TE, length(3), body=chunk(SMUGGLED) + LAST), 400),
    ("length 0 and coding", "CL.TE, RFC 9112 6.1", post(length(0), TE, body=CLTE), 400),
    ("coding and a malformed length", "TE.CL, RFC 9112 6.3", post(TE, b"Content-Length: x", body=CLTE), 400),
    ("length, coding without chunked", "CL.TE, RFC 9112 6.3", post(length(3), b"Transfer-Encoding: identity", body=b"abc"), 400),
    ("length and coding on GET", "CL.TE, RFC 9112 6.1", get(length(5 + N), TE) + CLTE, 400),
    ("length and coding on HTTP/1.0", "CL.TE, RFC 9112 6.1", post(length(5 + N), TE, version=b"HTTP/1.0", body=CLTE), 400),
    ("length and an empty coding", "CL.TE, RFC 9112 6.1", post(length(3), b"Transfer-Encoding:", body=b"abc"), 400),
]

CODINGS = [
    ("chunked twice", "TE.TE, RFC 9112 6.1", post(b"Transfer-Encoding: chunked, chunked", body=CLTE), 400),
    ("chunked in two fields", "TE.TE, RFC 9112 6.1", post(TE, TE, body=CLTE), 400),
    ("chunked, then identity", "TE.TE, RFC 9112 6.3", post(TE, b"Transfer-Encoding: identity", body=CLTE), 400),
    ("identity, then chunked", "TE.TE, RFC 9112 6.1", post(b"Transfer-Encoding: identity", TE, body=CLTE), 501),
    ("identity alone", "TE.TE, RFC 9112 6.3", post(b"Transfer-Encoding: identity", body=CLTE), 400),
    ("gzip, chunked", "RFC 9112 6.1", post(b"Transfer-Encoding: gzip, chunked", body=CLTE), 501),
    ("chunked, gzip", "RFC 9112 6.3", post(b"Transfer-Encoding: chunked, gzip", body=CLTE), 400),
    ("gzip alone", "RFC 9112 6.3", post(b"Transfer-Encoding: gzip", body=CLTE), 400),
    ("xchunked", "TE.TE", post(b"Transfer-Encoding: xchunked", body=CLTE), 400),
    ("chunkedx", "TE.TE", post(b"Transfer-Encoding: chunkedx", body=CLTE), 400),
    ("chunk", "TE.TE", post(b"Transfer-Encoding: chunk", body=CLTE), 400),
    ("a quoted chunked", "TE.TE", post(b'Transfer-Encoding: "chunked"', body=CLTE), 400),
    ("chunked behind VT", "TE.TE", post(b"Transfer-Encoding: \x0bchunked", body=CLTE), 400),
    ("chunked behind FF", "TE.TE", post(b"Transfer-Encoding: \x0cchunked", body=CLTE), 400),
    ("chunked behind NBSP", "TE.TE", post(b"Transfer-Encoding: \xa0chunked", body=CLTE), 400),
    ("chunked before NUL", "TE.TE", post(b"Transfer-Encoding: chunked\0", body=CLTE), 400),
    ("chunked with a parameter", "TE.TE, RFC 9112 7", post(b"Transfer-Encoding: chunked;a=b", body=CLTE), 400),
    ("an empty member before chunked", "TE.TE, RFC 9110 5.6.1", post(b"Transfer-Encoding: , chunked", body=CLTE), 400),
    ("an empty member behind chunked", "TE.TE, RFC 9110 5.6.1", post(b"Transfer-Encoding: chunked,", body=CLTE), 400),
    ("an empty coding", "TE.TE", post(b"Transfer-Encoding:", body=CLTE), 400),
    ("a blank before the colon of the coding", "TE.TE, RFC 9112 5.1", post(b"Transfer-Encoding : chunked", body=CLTE), 400),
    ("a tab before the colon of the coding", "TE.TE, RFC 9112 5.1", post(b"Transfer-Encoding\t: chunked", body=CLTE), 400),
    ("a folded coding", "TE.TE, RFC 9112 5.2", post(b"Transfer-Encoding:\r\n chunked", body=CLTE), 400),
    ("a coding folded into another field", "TE.TE, RFC 9112 5.2", post(b"X: y\r\n Transfer-Encoding: chunked", body=CLTE), 400),
    ("a coding behind a bare LF", "TE.TE, RFC 9112 2.2", post(b"X: y\nTransfer-Encoding: chunked", body=CLTE), 400),
    ("a coding behind a bare CR", "TE.TE, RFC 9112 2.2", post(b"X: y\rTransfer-Encoding: chunked", body=CLTE), 400),
    ("a coding on HTTP/1.0", "RFC 9112 6.1", post(TE, version=b"HTTP/1.0", body=CLTE), 400),
    ("an underscored coding", "TE.TE, twins", post(b"Transfer_Encoding: chunked", length(3), body=b"abc"),
     reads(seen("POST", body=b"abc", absent=["HTTP_TRANSFER_ENCODING"]))),
    ("CHUNKED", "RFC 9112 7", post(b"Transfer-Encoding: CHUNKED", body=chunk(b"abc") + LAST), reads(BODY)),
    ("chunked between blanks", "RFC 9110 5.6.3", post(b"Transfer-Encoding: \t chunked \t", body=chunk(b"abc") + LAST), reads(BODY)),
    ("TRANSFER-ENCODING", "RFC 9110 5.1", post(b"TRANSFER-ENCODING: chunked", body=chunk(b"abc") + LAST), reads(BODY)),
]

LENGTHS = [
    ("two lengths", "CL.CL, RFC 9112 6.3", post(length(0), length(N), body=SMUGGLED), 400),
    ("the same length twice", "CL.CL, RFC 9110 8.6", post(length(3), length(3), body=b"abc"), 400),
    ("a list of lengths", "CL.CL, RFC 9110 8.6", post(b"Content-Length: 3, 3", body=b"abc"), 400),
    ("a list of two lengths", "CL.CL, RFC 9110 8.6", post(b"Content-Length: 0, %d" % N, body=SMUGGLED), 400),
    ("a length with +", "RFC 9110 8.6", post(b"Content-Length: +3", body=b"abc"), 400),
    ("a length with -", "RFC 9110 8.6", post(b"Content-Length: -3", body=b"abc"), 400),
    ("a length with 0x", "RFC 9110 8.6", post(b"Content-Length: 0x3", body=b"abc"), 400),
    ("a length with a point", "RFC 9110 8.6", post(b"Content-Length: 3.0", body=b"abc"), 400),
    ("a length with an exponent", "RFC 9110 8.6", post(b"Content-Length: 3e0", body=b"abc"), 400),
    ("a length with an underscore", "RFC 9110 8.6", post(b"Content-Length: 1_0", body=b"abcdefghij"), 400),
    ("a length with a blank inside", "RFC 9110 8.6", post(b"Content-Length: 1 0", body=b"abcdefghij"), 400),
    ("a length with a letter", "RFC 9110 8.6", post(b"Content-Length: 3a", body=b"abc"), 400),
    ("a length of other digits", "RFC 9110 8.6", post("Content-Length: ٣".encode(), body=b"abc"), 400),
    ("a quoted length", "RFC 9110 8.6", post(b'Content-Length: "3"', body=b"abc"), 400),
    ("an empty length", "RFC 9110 8.6", post(b"Content-Length:", body=b"abc"), 400),
    ("a length of 2^63", "RFC 9110 8.6", post(b"Content-Length: 9223372036854775808", body=b"abc"), 400),
    ("a length of 2^64 + 3", "RFC 9110 8.6", post(b"Content-Length: 18446744073709551619", body=b"abc"), 400),
    ("a length of 40 digits", "RFC 9110 8.6", post(b"Content-Length: " + b"9" * 40, body=b"abc"), 400),
    ("a length above the limit", "RFC 9110 15.5.14", post(length(1 << 40), body=b"abc"), 413),
    ("a blank before the colon of the length", "RFC 9112 5.1", post(b"Content-Length : %d" % N, body=SMUGGLED), 400),
    ("a folded length", "RFC 9112 5.2", post(b"Content-Length:\r\n %d" % N, body=SMUGGLED), 400),
    ("a length behind a bare LF", "RFC 9112 2.2", post(b"X: y\nContent-Length: %d" % N, body=SMUGGLED), 400),
    ("a length behind a bare CR", "RFC 9112 2.2", post(b"X: y\rContent-Length: %d" % N, body=SMUGGLED), 400),
    ("a length with VT", "RFC 9110 5.5", post(b"Content-Length: \x0b3", body=b"abc"), 400),
    ("an underscored length", "twins", get(b"Content_Length: %d" % N), reads(seen(absent=["CONTENT_LENGTH", "HTTP_CONTENT_LENGTH"]))),
    ("a length with leading zeros", "RFC 9110 8.6", post(b"Content-Length: 0003", body=b"abc"), reads(BODY)),
    ("a length between blanks", "RFC 9110 5.6.3", post(b"Content-Length: \t3 \t", body=b"abc"), reads(BODY)),
    ("a length of 0", "RFC 9110 8.6", post(length(0)), reads(seen("POST"))),
    ("no length", "RFC 9112 6.3", post(), reads(seen("POST"))),
    ("a request as a body", "CL.0", post(length(N), body=SMUGGLED), reads(seen("POST", body=SMUGGLED))),
    ("GET with a body", "CL.0, RFC 9110 9.3.1", get(length(N)) + SMUGGLED, reads(seen(body=SMUGGLED))),
    ("HEAD with a body", "CL.0, RFC 9110 9.3.2", get(length(N), method=b"HEAD") + SMUGGLED, reads(seen("HEAD", body=SMUGGLED))),
    ("DELETE with a body", "CL.0, RFC 9110 9.3.5", get(length(N), method=b"DELETE") + SMUGGLED, reads(seen("DELETE", body=SMUGGLED))),
    ("OPTIONS with a body", "CL.0, RFC 9110 9.3.7", get(length(N), method=b"OPTIONS") + SMUGGLED, reads(seen("OPTIONS", body=SMUGGLED))),
    ("a body where nobody reads it", "CL.0", get(length(N), target=b"/up") + SMUGGLED, reads(closes=True, statuses=[200])),
    ("chunks where nobody reads them", "TE.0", get(TE, target=b"/up") + CLTE, reads(closes=True, statuses=[200])),
    ("a body behind a connection that ends", "RFC 9112 9.6", post(length(3), b"Connection: close", body=b"abc" + SMUGGLED),
     reads(BODY, closes=True)),
]

# ---- chunks (RFC 9112 7.1) ----

CHUNKS = [
    ("one chunk", "RFC 9112 7.1", chunked(chunk(b"abc")), reads(BODY)),
    ("chunk by chunk", "RFC 9112 7.1", chunked(chunk(b"a"), chunk(b"b"), chunk(b"c")), reads(BODY)),
    ("no chunk but the last", "RFC 9112 7.1", chunked(), reads(seen("POST"))),
    ("a request in a chunk", "TE.CL", chunked(chunk(SMUGGLED)), reads(seen("POST", body=SMUGGLED))),
    ("a size with leading zeros", "RFC 9112 7.1", chunked(b"0003\r\nabc\r\n"), reads(BODY)),
    ("a size in upper case", "RFC 9112 7.1", chunked(b"A\r\nabcdefghij\r\n"), reads(seen("POST", body=b"abcdefghij"))),
    ("several zeros at the end", "RFC 9112 7.1", chunked(chunk(b"abc"), end=b"000\r\n\r\n"), reads(BODY)),
    ("an extension", "RFC 9112 7.1.1", chunked(chunk(b"abc", b";a=b")), reads(BODY)),
    ("an extension without a value", "RFC 9112 7.1.1", chunked(chunk(b"abc", b";a")), reads(BODY)),
    ("a quoted extension", "RFC 9112 7.1.1", chunked(chunk(b"abc", b';a="b;c"')), reads(BODY)),
    ("an extension of the last chunk", "RFC 9112 7.1.1", chunked(chunk(b"abc"), end=b"0;a=b\r\n\r\n"), reads(BODY)),
    ("an extension with CR", "TERM.EXT, RFC 9112 7.1.1", chunked(chunk(b"abc", b";a\rb")), 400),
    ("an extension ended by LF", "TERM.EXT, CVE-2024-6827 class", chunked(b"3;a\nabc\r\n"), 400),
    ("an extension with NUL", "EXT", chunked(chunk(b"abc", b";a\0b")), 400),
    ("an extension with a request", "EXT.TERM", chunked(b"0;\n\r\n" + SMUGGLED), 400),
    ("an extension without end", "CVE-2023-39326 class", chunked(b"3;" + b"a" * 20000 + b"\r\nabc\r\n"), 400),
    ("an extension without a semicolon", "RFC 9112 7.1.1", chunked(chunk(b"abc", b" a=b")), 400),
    ("a size with a blank behind", "RFC 9112 7.1", chunked(b"3 \r\nabc\r\n"), 400),
    ("a size with a blank before", "RFC 9112 7.1", chunked(b" 3\r\nabc\r\n"), 400),
    ("a size with a sign", "RFC 9112 7.1", chunked(b"+3\r\nabc\r\n"), 400),
    ("a negative size", "CVE-2013-2028", chunked(b"-3\r\nabc\r\n"), 400),
    ("a size with 0x", "RFC 9112 7.1", chunked(b"0x3\r\nabc\r\n"), 400),
    ("a size with an underscore", "RFC 9112 7.1", chunked(b"1_0\r\n" + b"a" * 16 + b"\r\n"), 400),
    ("no size", "RFC 9112 7.1", chunked(b"\r\nabc\r\n"), 400),
    ("no size but an extension", "RFC 9112 7.1", chunked(b";a=b\r\nabc\r\n"), 400),
    ("a size of 2^64 + 3", "CVE-2013-2028", chunked(b"10000000000000003\r\nabc\r\n"), 400),
    ("a size of 2^63", "CVE-2002-0392", chunked(b"8000000000000000\r\nabc\r\n"), 400),
    ("a size of 17 digits", "RFC 9112 7.1", chunked(b"fffffffffffffffff\r\nabc\r\n"), 400),
    ("a size ended by LF", "RFC 9112 7.1", chunked(b"3\nabc\r\n"), 400),
    ("a size ended by CR", "RFC 9112 7.1", chunked(b"3\rabc\r\n"), 400),
    ("a chunk ended by LF", "RFC 9112 7.1", chunked(b"3\r\nabc\n"), 400),
    ("a chunk ended by any two bytes", "CVE-2022-32213 class", chunked(b"3\r\nabcXX"), 400),
    ("a chunk longer than its size", "RFC 9112 7.1", chunked(b"3\r\nabcd\r\n"), 400),
    ("a last chunk ended by LF", "RFC 9112 7.1", chunked(chunk(b"abc"), end=b"0\n\n"), 400),
    ("the end by a bare LF", "RFC 9112 7.1", chunked(chunk(b"abc"), end=b"0\r\n\n"), 400),
    ("a trailer", "RFC 9112 7.1.2", chunked(chunk(b"abc"), end=b"0\r\nX-T: 1\r\n\r\n"), reads(seen("POST", body=b"abc", absent=["HTTP_X_T"]))),
    ("a trailer that frames", "RFC 9110 6.5.1", chunked(chunk(b"abc"), end=b"0\r\nContent-Length: %d\r\n\r\n" % N),
     reads(seen("POST", body=b"abc", absent=["HTTP_CONTENT_LENGTH"]))),
    ("a trailer that names a host", "RFC 9110 6.5.1", chunked(chunk(b"abc"), end=b"0\r\nHost: evil\r\n\r\n"),
     reads(seen("POST", body=b"abc", HTTP_HOST="a"))),
    ("a trailer that authorizes", "RFC 9110 6.5.1", chunked(chunk(b"abc"), end=b"0\r\nAuthorization: x\r\n\r\n"),
     reads(seen("POST", body=b"abc", absent=["HTTP_AUTHORIZATION"]))),
    ("a trailer with a blank before the colon", "RFC 9112 5.1", chunked(chunk(b"abc"), end=b"0\r\nX : 1\r\n\r\n"), 400),
    ("a folded trailer", "RFC 9112 5.2", chunked(chunk(b"abc"), end=b"0\r\nX: 1\r\n 2\r\n\r\n"), 400),
    ("a trailer with LF", "RFC 9112 2.2", chunked(chunk(b"abc"), end=b"0\r\nX: 1\n\r\n"), 400),
    ("a trailer without a colon", "RFC 9112 5", chunked(chunk(b"abc"), end=b"0\r\nGET /smuggled HTTP/1.1\r\n\r\n"), 400),
    ("trailers without end", "RFC 9112 7.1.2", chunked(chunk(b"abc"), end=b"0\r\n" + b"X: 1\r\n" * 20000 + b"\r\n"), 431),
]

# ---- lines and fields (RFC 9112 2.2 and 5) ----

FIELDS = [
    ("a bare LF behind the request line", "RFC 9112 2.2", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("a bare LF behind a field", "RFC 9112 2.2", b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
    ("a bare LF as the empty line", "RFC 9112 2.2", b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
    ("bare LFs alone", "RFC 9112 2.2", b"GET / HTTP/1.1\nHost: a\n\n", 400),
    ("a bare CR behind the request line", "RFC 9112 2.2", b"GET / HTTP/1.1\rHost: a\r\n\r\n", 400),
    ("a bare CR in a value", "RFC 9112 2.2", get(b"X: y\rz"), 400),
    ("a bare CR at the end of a value", "RFC 9112 2.2", get(b"X: y\r"), 400),
    ("a bare CR in a name", "RFC 9112 5.1", get(b"X\rY: z"), 400),
    ("CR CR LF", "RFC 9112 2.2", b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400),
    ("LF CR", "RFC 9112 2.2", b"GET / HTTP/1.1\n\rHost: a\n\r\n\r", 400),
    ("a folded field", "RFC 9112 5.2", get(b"X: y\r\n z"), 400),
    ("a field folded with a tab", "RFC 9112 5.2", get(b"X: y\r\n\tz"), 400),
    ("a fold behind the request line", "RFC 9112 2.2", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("a fold with nothing", "RFC 9112 5.2", get(b"X: y\r\n "), 400),
    ("a blank before the colon", "RFC 9112 5.1", get(b"X : y"), 400),
    ("a blank in a name", "RFC 9110 5.1", get(b"X Y: z"), 400),
    ("a blank before the name", "RFC 9112 2.2", b"GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n", 400),
    ("no name", "RFC 9110 5.1", get(b": y"), 400),
    ("no colon", "RFC 9112 5", get(b"Xy"), 400),
    ("a name in brackets", "RFC 9110 5.1", get(b"(X): y"), 400),
    ("a quoted name", "RFC 9110 5.1", get(b'"X": y'), 400),
    ("a name of other letters", "RFC 9110 5.1", get("Ü: y".encode()), 400),
    ("NUL in a name", "RFC 9110 5.1", get(b"X\0: y"), 400),
    ("NUL in a value", "RFC 9110 5.5", get(b"X: y\0z"), 400),
    ("SOH in a value", "RFC 9110 5.5", get(b"X: y\x01z"), 400),
    ("DEL in a value", "RFC 9110 5.5", get(b"X: y\x7fz"), 400),
    ("ESC in a value", "RFC 9110 5.5", get(b"X: \x1b[2J"), 400),
    ("other bytes in a value", "RFC 9110 5.5", get(b"X: \xfcber"), reads(seen(HTTP_X="\xfcber"))),
    ("a tab in a value", "RFC 9110 5.5", get(b"X: y\tz"), reads(seen(HTTP_X="y\tz"))),
    ("an empty value", "RFC 9110 5.5", get(b"X:"), reads(seen(HTTP_X=""))),
    ("blanks around a value", "RFC 9112 5.1", get(b"X: \t y \t"), reads(seen(HTTP_X="y"))),
    ("every character of a token", "RFC 9110 5.6.2", get(b"x!#$%&'*+.^`|~9: y"), reads(seen())),
    ("an underscore in a name", "twins", get(b"X_Y: 1", b"X-Y: 2"), reads(seen(HTTP_X_Y="2"))),
    ("an underscored field alone", "twins", get(b"X_Forwarded_For: 6.6.6.6"), reads(seen(absent=["HTTP_X_FORWARDED_FOR"]))),
    ("Proxy", "CVE-2016-5385", get(b"Proxy: http://evil"), reads(seen(absent=["HTTP_PROXY"]))),
    ("a stranger's forwarding", "spoofing", get(b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-Proto: https", b"Forwarded: for=6.6.6.6"),
     reads(seen(absent=["HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED"], REMOTE_ADDR="127.0.0.1"))),
    ("two content types", "RFC 9110 5.3", post(length(0), b"Content-Type: text/plain", b"Content-Type: text/html"), 400),
    ("two authorizations", "RFC 9110 5.3", get(b"Authorization: a", b"Authorization: b"), 400),
    ("101 fields", "RFC 9110 5.4", get(*[b"X: y"] * 101), 431),
    ("a field of 17 KiB", "RFC 6585 5", get(b"X: " + b"y" * (17 << 10)), 431),
    ("a name of 17 KiB", "RFC 6585 5", get(b"X" * (17 << 10) + b": y"), 431),
    ("a head of 80 KiB", "RFC 6585 5", get(*[b"X: " + b"y" * 8000] * 10), 431),
]

HOP_BY_HOP = [
    ("a listed field", "RFC 9110 7.6.1", get(b"X-Hop: 1", b"Connection: X-Hop"), reads(seen(absent=["HTTP_X_HOP", "HTTP_CONNECTION"]))),
    ("a field listed twice", "RFC 9110 7.6.1", get(b"X-Hop: 1", b"Connection: a", b"Connection: x-hop, keep-alive"), reads(seen(absent=["HTTP_X_HOP"]))),
    ("Host is listed", "hop-by-hop abuse", get(b"Connection: Host"), reads(seen(HTTP_HOST="a"))),
    ("Content-Length is listed", "hop-by-hop abuse", post(length(N), b"Connection: Content-Length", body=SMUGGLED),
     reads(seen("POST", body=SMUGGLED, CONTENT_LENGTH=str(N)))),
    ("Transfer-Encoding is listed", "hop-by-hop abuse", chunked(chunk(b"abc"), fields=[b"Connection: Transfer-Encoding"]), reads(BODY)),
    ("Keep-Alive", "RFC 9110 7.6.1", get(b"Keep-Alive: timeout=99999"), reads(seen(absent=["HTTP_KEEP_ALIVE"]))),
    ("TE", "RFC 9110 10.1.4", get(b"TE: trailers", b"Connection: TE"), reads(seen(absent=["HTTP_TE"]))),
    ("Proxy-Connection", "RFC 9112 C.2.2", get(b"Proxy-Connection: close"), reads(seen(absent=["HTTP_PROXY_CONNECTION"]))),
    ("Upgrade to h2c", "RFC 9113 3.1", get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"),
     reads(seen(absent=["HTTP_UPGRADE", "HTTP_HTTP2_SETTINGS"]))),
    ("Upgrade to websocket", "RFC 6455 4.2", get(b"Connection: Upgrade", b"Upgrade: websocket"), reads(seen(absent=["HTTP_UPGRADE"]))),
    ("close", "RFC 9112 9.6", get(b"Connection: close"), reads(seen(), closes=True)),
    ("close in a list", "RFC 9112 9.6", get(b"Connection: X, CLOSE ,y"), reads(seen(), closes=True)),
    ("close and keep-alive", "RFC 9112 9.3", get(b"Connection: close, keep-alive"), reads(seen(), closes=True)),
    ("closed", "RFC 9112 9.6", get(b"Connection: closed"), reads(seen())),
]

# ---- request line and target (RFC 9112 3) ----

START = [
    ("one empty line before", "RFC 9112 2.2", b"\r\n" + get(), reads(seen())),
    ("two empty lines before", "RFC 9112 2.2", b"\r\n\r\n" + get(), reads(seen())),
    ("three empty lines before", "RFC 9112 2.2", b"\r\n\r\n\r\n" + get(), 400),
    ("a bare LF before", "RFC 9112 2.2", b"\n" + get(), 400),
    ("a blank before", "RFC 9112 3", b" " + get(), 400),
    ("two blanks", "RFC 9112 3", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("two blanks before the version", "RFC 9112 3", b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a blank at the end", "RFC 9112 3", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    ("tabs", "RFC 9112 3", b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("VT as a blank", "RFC 9112 3", b"GET\x0b/\x0bHTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("no version", "RFC 9112 3, HTTP/0.9", b"GET /\r\n\r\n", 400),
    ("no target", "RFC 9112 3", b"GET HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("no method", "RFC 9112 3", b"/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("a method in brackets", "RFC 9110 9.1", get(method=b"G(T"), 400),
    ("a method with NUL", "RFC 9110 9.1", get(method=b"GET\0"), 400),
    ("a method in lower case", "RFC 9110 9.1", get(method=b"get"), reads(seen("get"))),
    ("an unknown method", "RFC 9110 9.1", get(method=b"PURGE"), reads(seen("PURGE"))),
    ("a method of 9 KiB", "RFC 9112 3", get(method=b"M" * 9000), 414),
    ("CONNECT", "RFC 9110 9.3.6", get(method=b"CONNECT", target=b"a:80"), 501),
    ("CONNECT with a path", "RFC 9110 9.3.6", get(method=b"CONNECT"), 501),
    ("TRACE", "RFC 9110 9.3.8", get(method=b"TRACE"), 405),
    ("HTTP/1.2", "RFC 9112 2.3", get(version=b"HTTP/1.2"), 505),
    ("HTTP/2.0", "RFC 9112 2.3", get(version=b"HTTP/2.0"), 505),
    ("HTTP/3.7", "RFC 9112 2.3", get(version=b"HTTP/3.7"), 505),
    ("HTTP/0.9", "RFC 9112 2.3", get(version=b"HTTP/0.9"), 505),
    ("HTTP/1.10", "RFC 9112 2.3", get(version=b"HTTP/1.10"), 400),
    ("HTTP/01.1", "RFC 9112 2.3", get(version=b"HTTP/01.1"), 400),
    ("HTTP/1", "RFC 9112 2.3", get(version=b"HTTP/1"), 400),
    ("http/1.1", "RFC 9112 2.3", get(version=b"http/1.1"), 400),
    ("HTTPS/1.1", "RFC 9112 2.3", get(version=b"HTTPS/1.1"), 400),
    ("HTTP/1.0", "RFC 9112 9.3", get(version=b"HTTP/1.0"), reads(seen(), closes=True)),
    ("HTTP/1.0 without Host", "RFC 9112 3.2", get(version=b"HTTP/1.0", host=None), reads(seen(), closes=True)),
    ("HTTP/1.0 that stays", "RFC 9112 9.3", get(b"Connection: keep-alive", version=b"HTTP/1.0"), reads(seen())),
    ("a relative target", "RFC 9112 3.2", get(target=b"a"), 400),
    ("an empty path in dots", "RFC 9112 3.2", get(target=b".."), 400),
    ("a fragment", "RFC 9112 3.2", get(target=b"/a#b"), 400),
    ("a blank in the target", "RFC 9112 3.2", get(target=b"/a b"), 400),
    ("NUL in the target", "RFC 9112 3.2", get(target=b"/\0"), 400),
    ("%00 in the target", "CVE class: NUL", get(target=b"/a%00b"), 400),
    ("a control byte in the target", "RFC 9112 3.2", get(target=b"/\x01"), 400),
    ("DEL in the target", "RFC 9112 3.2", get(target=b"/\x7f"), 400),
    ("a target of 9 KiB", "RFC 9110 15.5.15", get(target=b"/" + b"a" * 9000), 414),
    ("an asterisk for GET", "RFC 9112 3.2.4", get(target=b"*"), 400),
    ("an asterisk with more", "RFC 9112 3.2.4", get(target=b"*x", method=b"OPTIONS"), 400),
    ("an asterisk for OPTIONS", "RFC 9112 3.2.4", get(target=b"*", method=b"OPTIONS"), reads(statuses=[204])),
    ("another scheme", "RFC 9112 3.2.2", get(target=b"ftp://a/"), 400),
    ("a scheme without an authority", "RFC 9112 3.2.2", get(target=b"http:///x"), 400),
    ("an authority with a user", "RFC 9112 3.2.2", get(target=b"http://me@a/"), 400),
    ("a hidden authority", "RFC 9112 3.2.2", get(target=b"http://a@evil/"), 400),
    ("an absolute target", "RFC 9112 3.2.2", get(target=b"http://a/x?y"), reads(seen(path="/x", QUERY_STRING="y"))),
    ("an absolute target in capitals", "RFC 9112 3.2.2", get(target=b"HTTP://A/x"), reads(seen(path="/x"))),
    ("an absolute target without a path", "RFC 9112 3.2.2", get(target=b"http://a"), reads(seen())),
    ("an absolute target and another Host", "RFC 9112 3.2.2, Host games", get(target=b"http://b/"), 400),
    ("an absolute target and another port", "RFC 9112 3.2.2, Host games", get(target=b"http://a:81/"), 400),
    ("an absolute target without Host", "RFC 9112 3.2", get(target=b"http://a/", host=None), 400),
    ("two slashes", "RFC 9112 3.2.1", get(target=b"//evil/x"), reads(seen(path="//evil/x"))),
    ("dots", "RFC 3986 6.2.2.3", get(target=b"/a/../b"), reads(seen(path="/a/../b"))),
]

HOST = [
    ("no Host", "RFC 9112 3.2", get(host=None), 400),
    ("two Hosts", "RFC 9112 3.2, Host games", get(b"Host: b"), 400),
    ("the same Host twice", "RFC 9112 3.2, Host games", get(b"Host: a"), 400),
    ("Host in two spellings", "RFC 9112 3.2, Host games", get(b"HOST: b"), 400),
    ("two Hosts in one", "Host games", get(host=b"Host: a, b"), 400),
    ("a Host with a blank", "Host games", get(host=b"Host: a b"), 400),
    ("a Host with a path", "Host games", get(host=b"Host: a/b"), 400),
    ("a Host with a question", "Host games", get(host=b"Host: a?b"), 400),
    ("a Host with a fragment", "Host games", get(host=b"Host: a#b"), 400),
    ("a Host with a user", "Host games", get(host=b"Host: a@b"), 400),
    ("a Host with a scheme", "Host games", get(host=b"Host: http://a"), 400),
    ("a Host with a backslash", "Host games", get(host=b"Host: a\\b"), 400),
    ("a Host with a quotation mark", "Host games", get(host=b'Host: a"b'), 400),
    ("a Host with NUL", "Host games", get(host=b"Host: a\0b"), 400),
    ("a Host with a letter as port", "Host games", get(host=b"Host: a:b"), 400),
    ("a Host with a port too large", "Host games", get(host=b"Host: a:65536"), 400),
    ("a Host with two ports", "Host games", get(host=b"Host: a:80:81"), 400),
    ("a Host with a signed port", "Host games", get(host=b"Host: a:+80"), 400),
    ("an open bracket", "Host games", get(host=b"Host: [::1"), 400),
    ("text behind the bracket", "Host games", get(host=b"Host: [::1]x"), 400),
    ("a Host of 300 bytes", "Host games", get(host=b"Host: " + b"a" * 300), 400),
    ("an underscored twin of Host", "twins", get(b"Ho_st: b"), reads(seen(HTTP_HOST="a"))),
    ("a folded Host", "RFC 9112 5.2", get(host=b"Host: a\r\n b"), 400),
    ("a Host with a blank before the colon", "RFC 9112 5.1", get(host=b"Host : a"), 400),
    ("a Host with a port", "RFC 9110 7.2", get(host=b"Host: a:8080"), reads(seen(HTTP_HOST="a:8080"))),
    ("an IPv6 Host", "RFC 9110 7.2", get(host=b"Host: [::1]:80"), reads(seen(HTTP_HOST="[::1]:80"))),
]

EXPECT = [
    ("another expectation", "RFC 9110 10.1.1", post(b"Expect: miracles", length(3), body=b"abc"), 417),
    ("100-continue and another", "RFC 9110 10.1.1", post(b"Expect: 100-continue, x", length(3), body=b"abc"), 417),
    ("an expectation with a blank", "Expect games", post(b"Expect: 100-continue\x0b", length(3), body=b"abc"), 400),
    ("100-continue with the body", "RFC 9110 10.1.1", post(b"Expect: 100-continue", length(3), body=b"abc"), reads(BODY)),
    ("100-Continue", "RFC 9110 10.1.1", post(b"Expect: 100-Continue", length(3), body=b"abc"), reads(BODY)),
    ("100-continue without a body", "Expect games", get(b"Expect: 100-continue"), reads(seen())),
    ("100-continue with chunks", "RFC 9110 10.1.1", chunked(chunk(b"abc"), fields=[b"Expect: 100-continue"]), reads(BODY)),
    ("100-continue on HTTP/1.0", "RFC 9110 10.1.1", post(b"Expect: 100-continue", length(3), version=b"HTTP/1.0", body=b"abc"), reads(BODY, closes=True)),
    ("100-continue, too large", "RFC 9110 10.1.1", post(b"Expect: 100-continue", length(1 << 40)), 413),
    ("100-continue where nobody reads", "0.CL, Expect games", get(b"Expect: 100-continue", length(N), target=b"/up") + SMUGGLED,
     reads(closes=True, statuses=[200])),
]

OTHER = [
    ("a TLS handshake", "CVE class: protocol confusion", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40) + b"\r\n\r\n", 400),
    ("binary", "protocol confusion", bytes(range(128, 256)) + b"\r\n\r\n", 400),
    ("SMTP", "protocol confusion", b"EHLO a\r\nMAIL FROM: <a>\r\n\r\n", 400),
    ("Redis", "protocol confusion", b"*1\r\n$4\r\nPING\r\n\r\n", 400),
    ("an answer", "protocol confusion", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    ("three at once", "RFC 9112 9.3.2", get(target=b"/1") + post(length(3), body=b"abc") + get(target=b"/3"),
     reads(seen(path="/1"), BODY, seen(path="/3"))),
    ("a good one before a bad one", "RFC 9112 9.3.2", get(target=b"/1") + get(b"X : y"), reads(seen(path="/1"), closes=True, statuses=[200, 400])),
]

ROWS = [Row(*row) for part in (BOTH, CODINGS, LENGTHS, CHUNKS, FIELDS, HOP_BY_HOP, START, HOST, EXPECT, OTHER) for row in part]
assert len({row.name for row in ROWS}) == len(ROWS) and len({row.data for row in ROWS}) == len(ROWS)
