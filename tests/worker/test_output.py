"""What the application prints arrives by lines, each with its request."""

from harness import Worker


def of(worker, request):
    return [text for id, text in worker.lines() if id == request]


def test_every_way_to_print(corners):
    corners.get("/prints", request_id="printing")
    corners.await_line("unfinished")
    assert of(corners, "printing") == [
        "printed twice",
        "two",
        "lines",
        "to wsgi.errors",
        "from lines",
        "logged: ünïcödé",
        "binary",
        "unfinished",
    ]


def test_long_lines_are_cut(corners):
    corners.get("/prints_long", request_id="long")
    corners.get("/prints", request_id="after long")
    corners.wait_for(lambda: of(corners, "after long"), "the next request's line")
    lines = of(corners, "long")
    assert "".join(lines) == "L" * 20_000 and max(map(len, lines)) < 8192


def test_raw_output_has_no_mark(corners):
    corners.get("/prints_raw", request_id="raw")
    corners.await_line("from a child")
    assert (None, "raw line") in corners.lines() and (None, "from a child") in corners.lines()


def test_a_request_id_cannot_forge_a_line(corners):
    corners.get("/prints", request_id="a\x1fb\nc")
    corners.wait_for(lambda: of(corners, "a?b?c"), "the line")


def test_unfinished_line_of_a_thread_that_ends(corners):
    corners.get("/thread_prints")
    assert corners.await_line("from a helper") == ("", "from a helper")


def test_output_outside_of_requests():
    with Worker("prints_at_import") as worker:
        assert worker.await_line("while importing") == ("", "while importing")
        worker.get("/")
    assert ("", "at exit") in worker.lines() and ("", "unfinished at exit") in worker.lines()
