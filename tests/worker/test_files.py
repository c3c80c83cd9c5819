"""wsgi.file_wrapper: what is really a file goes as a descriptor, everything else as bytes."""

import json

import pytest
from harness import DATA, END, FILE

TEN_THOUSAND = b"0123456789" * 1000


@pytest.mark.parametrize(
    "path, pieces, content, length",
    [
        ("/file_plain", [(FILE, (0, 10_000))], TEN_THOUSAND, "10000"),
        ("/file_from_middle", [(FILE, (3, 10))], b"3456789012", "10"),
        ("/file_named", [(FILE, (0, 9))], b"temporary", "9"),
        ("/file_unbuffered", [(FILE, (0, 3))], b"raw", "3"),
    ],
)
def test_by_descriptor(corners, path, pieces, content, length):
    response = corners.get(path)
    assert (response.pieces, b"".join(response.files), response.end) == (pieces, content, END)
    assert response.header("Content-Length") == [length]


@pytest.mark.parametrize(
    "path, content",
    [
        ("/file_gzip", b"unpacked"),
        ("/file_memory", b"m" * 20_000),
        ("/file_pipe", b"piped"),
        ("/file_wrapped", b"ABC"),
        ("/file_closes", b"c"),
    ],
)
def test_by_reading(corners, path, content):
    response = corners.get(path)
    assert (response.body, response.files, response.end) == (content, [], END)


def test_blocks_have_the_size_asked_for(corners):
    assert [len(data) for kind, data in corners.get("/file_memory").pieces if kind == DATA] == [7000, 7000, 6000]


def test_empty_file(corners):
    response = corners.get("/file_empty")
    assert (response.pieces, response.end, response.header("Content-Length")) == ([], END, ["0"])


def test_close_of_the_file(corners):
    corners.get("/file_closes")
    assert json.loads(corners.get("/take_closed").body) == ["file"]


def test_head_sends_no_descriptor(corners):
    response = corners.get("/file_plain", method="HEAD")
    assert (response.pieces, response.header("Content-Length")) == ([], ["10000"])
