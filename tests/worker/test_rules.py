"""Wrong applications: the client gets a 500 (or a broken-off response), the log the rule, and the next request is served."""

import json

import pytest
from harness import END, FAIL

# path: what the log must say of it
REFUSED = {
    "no_start": "start_response must be called before the first body item",
    "no_start_empty": "start_response must be called before the body ends",
    "no_start_generator": "start_response must be called before the first body item; got bytes b''",
    "str_item": "body items must be bytes; got str 'text'",
    "str_body": "not the body itself; got str 'text'",
    "bytes_body": "not the body itself; got bytes b'text'",
    "none_body": "the application must return an iterable of bytes; got None",
    "int_body": "the application must return an iterable of bytes; got int 7",
    "int_status": "the status must be a str; got int 200",
    "bytes_status": "the status must be a str; got bytes b'200 OK'",
    "bare_status": "three digits, a space and a reason, like '200 OK'; got str '200'",
    "word_status": "three digits, a space and a reason, like '200 OK'; got str 'OK 200'",
    "early_status": "the status must be a final one, from 200 to 599; got str '100 Continue'",
    "line_status": "the status must not contain control characters; got str '200 OK\\r\\nX: y'",
    "greek_status": "the status must be latin-1 text; got str '200 \u03a9'",
    "surrogate_status": "the status must be latin-1 text; got str '200 \\ud800'",
    "tuple_headers": "the headers must be a list; got tuple (('A', 'b'),)",
    "dict_headers": "the headers must be a list; got dict",
    "list_header": "each header must be a tuple (name, value); got list ['A', 'b']",
    "triple_header": "each header must be a tuple (name, value); got tuple ('A', 'b', 'c')",
    "bytes_name": "header names and values must be str; got tuple (b'A', 'b')",
    "int_value": "header names and values must be str; got tuple ('Content-Length', 1)",
    "space_name": "a header name must be a token",
    "empty_name": "a header name must not be empty",
    "colon_name": "a header name must be a token",
    "lf_value": "a header value must not contain control characters such as CR, LF or NUL; got tuple ('A', 'b\\nSet-",
    "cr_value": "a header value must not contain control characters",
    "nul_value": "a header value must not contain control characters",
    "greek_value": "a header value must be latin-1 text",
    "hop_header": "hop-by-hop headers belong to the server, the application must not set them; got tuple ('Connection', '",
    "chunked_header": "hop-by-hop headers belong to the server",
    "bad_length": "Content-Length must be a decimal number; got tuple ('Content-Length', '-1')",
    "two_lengths": "Content-Length must not be given twice",
    "many_headers": "there must not be more than 256 headers",
    "huge_header": "status and headers must not exceed",
    "three_arguments": "start_response takes status, headers and optionally exc_info, by position",
    "one_argument": "start_response takes status, headers and optionally exc_info, by position",
    "bad_exc_info": "exc_info must be the tuple of sys.exc_info(); got str 'error'",
    "start_twice": "start_response must not be called again without exc_info",
    "write_str": "write() takes bytes; got str 'text'",
    "too_short_empty": "as many bytes as its Content-Length says: 9, got 0",
}


@pytest.mark.parametrize("path", REFUSED)
def test_refused_with_500(corners, path):
    response = corners.get("/" + path)
    assert (response.status, response.pieces, response.end) == (None, [], FAIL)
    corners.await_line(REFUSED[path], corners.last_request)
    corners.await_line(f"GET /{path}: the application broke a rule of WSGI (PEP 3333): ", corners.last_request)
    said_once(corners)
    assert corners.get("/several").body == b"abc"


def said_once(corners):
    """The rule stands in the line itself; a second time only below a traceback."""
    lines = [text for request, text in corners.lines() if request == corners.last_request]
    assert len(lines) == 1 or lines[1].startswith("Traceback")


# The head is out: the response breaks off.
BROKEN_OFF = {
    "str_item_later": (b"first", "body items must be bytes; got str 'second'"),
    "exc_info_after": (b"sent", "ValueError: deliberate"),
    "too_short": (b"short", "as many bytes as its Content-Length says: 9, got 5"),
    "raises_iterating": (b"x", "ValueError: deliberate"),
    "file_too_short": (b"", "as many bytes as its Content-Length says: 20000, got 10000"),
}


@pytest.mark.parametrize("path", BROKEN_OFF)
def test_broken_off(corners, path):
    body, line = BROKEN_OFF[path]
    response = corners.get("/" + path)
    assert (response.status, response.body, response.end) == (200, body, FAIL)
    corners.await_line(line, corners.last_request)
    assert corners.get("/several").body == b"abc"


# The client has a whole response; the log complains.
LOGGED = {
    "too_long": (b"abc", "not have more bytes than its Content-Length says: 3, got 3 more"),
    "too_long_write": (b"abc", "write() must not exceed the Content-Length of 3: 3 bytes were written before, now 1 more"),
    "raises_closing": (b"x", "ValueError: deliberate"),
}


@pytest.mark.parametrize("path", LOGGED)
def test_whole_but_logged(corners, path):
    body, line = LOGGED[path]
    response = corners.get("/" + path)
    assert (response.status, response.body, response.end) == (200, body, END)
    corners.await_line(line, corners.last_request)


@pytest.mark.parametrize("path", ["raises", "raises_started", "raises_first"])
def test_exceptions_before_the_head(corners, path):
    response = corners.get(f"/{path}?secret=1")
    assert (response.status, response.end) == (None, FAIL)
    corners.await_line("ValueError: deliberate", corners.last_request)
    lines = [text for id, text in corners.lines() if id == corners.last_request]
    assert lines[0] == f"GET /{path}?secret=1: ValueError in the application"
    assert any("corners.py" in line for line in lines) and "ValueError: deliberate" in lines


@pytest.mark.parametrize(
    "path, name",
    [("raises_iterating", "iterating"), ("raises_first", "first"), ("too_long", "too long"), ("raises_closing", "closing")],
)
def test_close_is_called_after_errors_too(corners, path, name):
    corners.get("/" + path)
    assert json.loads(corners.get("/take_closed").body) == [name]


def test_surplus_stops_the_iteration(corners):
    assert corners.get("/too_long").pieces == [(2, b"ab"), (2, b"c")]


def test_what_is_kept_of_a_request_is_dead_afterwards(corners):
    assert corners.post("/keep", b"body").body == b"kept"
    assert corners.get("/several").body == b"abc"
    assert json.loads(corners.get("/use_kept").body) == ["ValueError", "BrokenRule", "BrokenRule"]
    assert corners.post("/reads", b"abc", query="read").body == b'["abc"]'


def test_too_long_is_no_matter_for_head(corners):
    assert corners.get("/too_long", method="HEAD").end == END
    assert corners.get("/too_short", method="HEAD").end == END
    assert not [line for line in corners.lines() if line[1].startswith("HEAD ")]
