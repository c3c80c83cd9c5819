"""Right applications: what PEP 3333 lets them do arrives as it should."""

import json

import pytest
from harness import DATA, DONE, END, HEAD, RUNNING, Response, Worker, lib


def closed(worker):
    return json.loads(worker.get("/take_closed").body)


@pytest.mark.parametrize(
    "path, status, body, length",
    [
        ("/generator", 200, b"one two", None),
        ("/empty_first", 404, b"changed", None),
        ("/late_start", 201, b"x", None),
        ("/no_body", 200, b"", "0"),
        ("/several", 200, b"abc", "3"),
        ("/not_modified", 304, b"", None),
        ("/no_content", 204, b"", None),
        ("/writes", 200, b"first second third", None),
        ("/writes_with_length", 200, b"abcdef", "6"),
        ("/exc_info_before", 500, b"sorry", "5"),
        ("/keyword", 200, b"x", "1"),
        ("/changed_list", 200, b"x", "1"),
        ("/caught", 200, b"caught", "6"),
        ("/big_list", 200, b"q" * 1_000_000, "1000000"),
    ],
)
def test_body_and_length(corners, path, status, body, length):
    response = corners.get(path)
    assert (response.status, response.body, response.end) == (status, body, END)
    assert response.header("Content-Length") == ([length] if length else [])


@pytest.mark.parametrize("path", ["/generator", "/several", "/writes", "/big", "/file_plain", "/file_memory"])
def test_head_has_no_body(corners, path):
    response = corners.get(path, method="HEAD")
    assert (response.status, response.pieces, response.end) == (200, [], END)


def test_head_of_a_known_body_has_its_length(corners):
    assert corners.get("/several", method="HEAD").header("Content-Length") == ["3"]
    assert corners.get("/no_body", method="HEAD").header("Content-Length") == []


def test_the_length_of_a_file_that_the_edge_sends_is_no_rule_for_the_body(corners):
    response = corners.get("/names_a_file")
    assert response.end == END and response.header("X-Sendfile") == ["/a"] and response.header("X-A") == ["b"]
    assert "9" not in response.header("Content-Length")


@pytest.mark.parametrize("path, method", [("/endless", "HEAD"), ("/endless_304", "GET")])
def test_iteration_stops_where_no_body_is_sent(corners, path, method):
    response = corners.get(path, method=method)
    assert (response.pieces, response.end) == ([], END)
    assert closed(corners) == ["generator"]


def test_headers_arrive_as_given(corners):
    response = corners.get("/cookies")
    assert response.headers[1:5] == [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("x-case", "a b"), ("X-Empty", "")]
    assert corners.get("/tab_value").headers[0] == ("A", "b\tc")
    assert corners.get("/changed_list").headers == [("X-A", "1"), ("Content-Length", "1")]
    assert corners.get("/exc_info_before").headers[1] == ("X-New", "1")


def test_latin1_both_ways(corners):
    response = corners.get("/latin/\xe9\xff")
    assert response.reason == "Très bien"
    assert response.headers[:2] == [("X-Name", "déjà ÿ"), ("X-Path", "/latin/\xe9\xff")]


@pytest.fixture
def fresh():
    """A worker whose first request is the test's: no attention of an earlier one is mistaken for this one's."""
    with Worker("corners") as worker:
        yield worker


def test_small_response_is_one_data_frame_and_one_attention(fresh):
    attentions = 0
    for _ in range(100):
        slot = fresh.submit("/latin")
        while fresh.phase(slot) != DONE:
            attentions += lib.fake_wait(fresh.fake, 1000)
        attentions += lib.fake_wait(fresh.fake, 0)
        assert [kind for kind, _ in fresh.finish(slot).pieces] == [DATA]
    if attentions == 99:  # the last one comes behind DONE
        attentions += lib.fake_wait(fresh.fake, 1000)
    assert attentions == 100 and lib.fake_wait(fresh.fake, 20) == 0


@pytest.mark.parametrize("path", ["/steps", "/write_steps"])
def test_items_are_not_held_back(fresh, tmp_path, path):
    flag = tmp_path / "go"
    slot = fresh.submit(path, headers=[("X-Until", str(flag))])
    response = Response(slot)
    fresh.take_when_told(response, lambda: response.body == b"1")
    assert fresh.phase(slot) == RUNNING
    flag.touch()
    rest = fresh.finish(slot)
    assert rest.body == b"2" and rest.end == END


@pytest.mark.parametrize("path", ["/slow_close", "/slow_after_the_last"])
def test_client_waits_for_nothing_that_comes_after_the_body(fresh, tmp_path, path):
    first, flag = tmp_path / "first", tmp_path / "go"
    slot = fresh.submit(path, headers=[("X-First", str(first)), ("X-Until", str(flag))])
    response = Response(slot)
    fresh.take_when_told(response, lambda: response.body == b"answer")
    first.touch()
    fresh.take_when_told(response, lambda: response.end == END)
    assert fresh.phase(slot) == RUNNING
    flag.touch()
    fresh.finish(slot)
    assert closed(fresh) == ["slow"]


def test_close_is_called(corners):
    corners.get("/closes")
    assert closed(corners) == ["closes"]


def test_generator_runs_to_its_end(corners):
    assert corners.get("/after_last").end == END
    assert closed(corners) == ["ran on"]


def test_back_pressure(corners):
    slot = corners.submit("/big")
    response = Response(slot)
    # Nothing is taken: the ring fills and the worker waits.
    corners.wait_for(lambda: corners.next(response), "the head")
    while len(response.body) < 60_000:
        corners.wait_for(lambda: corners.next(response), "data")
    assert corners.phase(slot) == RUNNING
    rest = corners.finish(slot)
    whole = response.body + rest.body
    assert whole == b"".join(bytes([i]) * 100_000 for i in range(20))
    assert closed(corners) == ["big"]


@pytest.mark.parametrize("path, noted", [("/endless", "generator"), ("/endless_write", "BrokenPipeError")])
def test_client_leaves(corners, path, noted):
    slot = corners.submit(path)
    response = Response(slot)
    corners.wait_for(lambda: corners.next(response) and response.pieces, "some data")
    corners.cancel(slot)
    rest = corners.finish(slot)
    assert rest.end is None
    assert closed(corners) == [noted]
    assert not [line for line in corners.lines() if path in line[1]]  # it is not the application's fault


def test_client_leaves_while_the_worker_waits_for_room(corners):
    slot = corners.submit("/endless")
    corners.wait_for(lambda: corners.phase(slot) == RUNNING, "a taken request")
    response = Response(slot)
    corners.wait_for(lambda: corners.next(response) and response.pieces, "some data")
    corners.cancel(slot)
    corners.finish(slot)
    assert closed(corners) == ["generator"]


# ---- environ ----


def environ(worker, **how):
    return json.loads(worker.get("/environ_json", **how).body)


def test_environ_of_a_plain_request(corners):
    found = environ(corners, query="a=b%20c", target="/environ%5Fjson?a=b%20c")
    expected = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/environ_json", "QUERY_STRING": "a=b%20c",
        "REQUEST_URI": "/environ%5Fjson?a=b%20c", "SERVER_NAME": "example.org", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "quintet", "REMOTE_ADDR": "192.0.2.7", "REMOTE_PORT": "54321",
        "wsgi.version": [1, 0], "wsgi.url_scheme": "http", "wsgi.multithread": False, "wsgi.multiprocess": False,
        "wsgi.run_once": False, "wsgi.input_terminated": True,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert found["HTTP_X_REQUEST_ID"].startswith("request-")
    assert 0 <= found["quintet.queue_time"] < 20
    assert not {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTPS", "SSL_PROTOCOL", "SSL_CIPHER"} & set(found)


def test_environ_of_tls(corners):
    found = environ(corners, scheme="https", tls_protocol="TLSv1.3", tls_cipher="TLS_AES_128_GCM_SHA256")
    assert (found["HTTPS"], found["wsgi.url_scheme"]) == ("on", "https")
    assert (found["SSL_PROTOCOL"], found["SSL_CIPHER"]) == ("TLSv1.3", "TLS_AES_128_GCM_SHA256")
    assert "HTTPS" not in environ(corners)


def test_environ_of_a_clients_certificate(corners):
    found = environ(corners, scheme="https", client_verify="SUCCESS", client_subject="CN=Anna", client_issuer="CN=staff", client_serial="0A")
    names = ("SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN", "SSL_CLIENT_I_DN", "SSL_CLIENT_M_SERIAL")
    assert [found[name] for name in names] == ["SUCCESS", "CN=Anna", "CN=staff", "0A"]
    assert not set(names) & set(environ(corners, scheme="https"))


def test_environ_of_headers(corners):
    found = environ(
        corners,
        headers=[
            ("Host", "h"), ("Accept", "a"), ("accept", "b"), ("Cookie", "c=1"), ("cookie", "d=2"), ("X-Y-Z", "1"),
            ("Content-Type", "text/x"), ("X-" + "L" * 300, "long"), ("X-High", "\xe9"), ("X-Empty", ""),
        ],
    )  # fmt: skip
    assert (found["HTTP_HOST"], found["HTTP_ACCEPT"], found["HTTP_COOKIE"]) == ("h", "a, b", "c=1; d=2")
    assert (found["HTTP_X_Y_Z"], found["CONTENT_TYPE"], found["HTTP_X_" + "L" * 300]) == ("1", "text/x", "long")
    assert (found["HTTP_X_HIGH"], found["HTTP_X_EMPTY"]) == ("\xe9", "")
    assert "HTTP_CONTENT_TYPE" not in found
    given = environ(corners, headers=[("X-Request-ID", "the client's")], request_id="the edge's")
    assert given["HTTP_X_REQUEST_ID"] == "the edge's"


def test_values_that_look_alike_are_kept_apart(corners):
    # U+00E9 in UTF-8 is the latin-1 of another text: a cache that compared the wrong bytes would mix them up.
    assert environ(corners, headers=[("X-V", "\xe9")])["HTTP_X_V"] == "\xe9"
    assert environ(corners, headers=[("X-V", "\xc3\xa9")])["HTTP_X_V"] == "\xc3\xa9"
    for value in ("one", "two", "two", "", "one"):
        assert environ(corners, headers=[("X-V", value)])["HTTP_X_V"] == value


def test_more_header_names_than_the_table_holds(corners):
    for start in range(0, 1000, 100):
        names = [f"X-N{i}" for i in range(start, start + 100)]
        found = environ(corners, headers=[(name, name) for name in names])
        assert all(found["HTTP_X_N" + name[3:]] == name for name in names)


def test_content_length_is_that_of_the_body(corners):
    body = json.loads(corners.post("/environ_json", b"abc", headers=[("Content-Length", "99")]).body)
    assert body["CONTENT_LENGTH"] == "3" and "HTTP_CONTENT_LENGTH" not in body
    assert json.loads(corners.post("/environ_json", b"").body)["CONTENT_LENGTH"] == "0"


def test_path_of_an_asterisk_request(corners):
    with Worker("environ_only") as worker:
        found = json.loads(worker.get("*", method="OPTIONS").body)
        assert (found["PATH_INFO"], found["REQUEST_URI"]) == ("", "*")


def test_environ_says_threads_and_processes():
    with Worker("corners", threads=3, workers=2) as worker:
        found = environ(worker)
        assert found["wsgi.multithread"] is True and found["wsgi.multiprocess"] is True


# ---- the validator ----


@pytest.fixture(scope="module")
def validated():
    with Worker("validated") as worker:
        yield worker


@pytest.mark.parametrize("path", "generator late_start no_body several writes closes big exc_info_before cookies".split())
def test_validator(validated, path):
    response = validated.get("/" + path, headers=[("Host", "example.org"), ("Accept", "*/*")])
    assert response.end == END, validated.lines()[-5:]


def test_validator_input(validated):
    response = validated.post("/reads", b"a\nb\nc", query="read:1+readline+iter", headers=[("Content-Type", "text/x")])
    assert json.loads(response.body) == ["a", "\n", "b\n", "c"]


def test_validator_has_nothing_to_say(validated):
    assert not [line for line in validated.lines() if "Warning" in line[1] or "Error" in line[1]]


def test_head_frame_comes_first(corners):
    slot = corners.submit("/generator")
    response = corners.finish(slot)
    assert response.status == 200 and HEAD not in [kind for kind, _ in response.pieces]
