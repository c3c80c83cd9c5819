"""A Django site through the worker."""

import json
import tempfile

import pytest
from harness import APPS, DATA, END, FILE, Worker

HEADERS = [("Host", "example.org")]


@pytest.fixture(scope="module")
def site():
    with Worker("django_site") as worker:
        yield worker


def test_plain(site):
    response = site.get("/plain", headers=HEADERS)
    assert (response.status, response.body, response.end) == (200, b"plain", END)
    assert response.header("Content-Length") == ["5"]
    assert [kind for kind, _ in response.pieces] == [DATA]


def test_stream(site):
    response = site.get("/stream", headers=HEADERS)
    assert response.body == b"".join(b"%d\n" % i for i in range(1000))
    assert response.header("Content-Length") == [] and len(response.pieces) == 1000


@pytest.mark.parametrize("path", ["/download", "/wrapped_file"])
def test_file_response_goes_by_descriptor(site, path):
    response = site.get(path, headers=HEADERS)
    assert response.pieces == [(FILE, (0, 50_000))] and response.files == [b"r" * 50_000]
    assert response.header("Content-Length") == ["50000"]


def test_file_response_is_closed(site):
    site.get("/take_finished", headers=HEADERS)
    site.get("/download", headers=HEADERS)
    assert json.loads(site.get("/take_finished", headers=HEADERS).body) == ["download"]


def test_compressed_download_is_no_file(site):
    response = site.get("/download", headers=HEADERS + [("Accept-Encoding", "gzip")])
    assert response.header("Content-Encoding") == ["gzip"] and response.files == []


def form(size):
    boundary = "xxBOUNDARYxx"
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="field"\r\n\r\nvälue\r\n'.encode()
        + f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n'.encode()
        + content
        + f"\r\n--{boundary}--\r\n".encode()
    )
    return body, HEADERS + [("Content-Type", f"multipart/form-data; boundary={boundary}")]


@pytest.mark.parametrize("size, kind", [(500, "InMemoryUploadedFile"), (50_000, "TemporaryUploadedFile")])
def test_upload(site, size, kind):
    body, headers = form(size)
    found = json.loads(site.post("/upload", body, headers=headers).body)
    assert found == {"name": "f.bin", "size": size, "field": "välue", "class": kind}


def test_large_upload_by_descriptor(site):
    from test_input import worker_asked

    body, headers = form(5_000_000)
    slot = site.submit("/upload", method="POST", body=body, as_fd=True, headers=headers)
    site.wait_for(lambda: worker_asked(site, slot), "wish for the body")
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        site.send_body(slot, file.fileno())
    assert json.loads(site.finish(slot).body)["size"] == 5_000_000


def test_json_body_over_tls(site):
    headers = HEADERS + [("Content-Type", "application/json")]
    response = site.post("/body", b'{"a": 1}', headers=headers, scheme="https", server_port="443")
    assert json.loads(response.body) == {"got": {"a": 1}, "secure": True, "uri": "https://example.org/body"}


def test_error_page_and_log(site):
    response = site.get("/error", headers=HEADERS)
    assert (response.status, response.end) == (500, END)
    site.await_line("about to fail", site.last_request)
    site.await_line("ValueError: deliberate", site.last_request)


def test_head(site):
    response = site.get("/plain", method="HEAD", headers=HEADERS)
    assert (response.body, response.header("Content-Length"), response.end) == (b"", ["5"], END)


def test_broken_urls_fail_the_boot(tmp_path):
    source = (APPS / "django_site.py").read_text()
    (tmp_path / "site_with_broken_urls.py").write_text(source.replace("ROOT_URLCONF=__name__", "ROOT_URLCONF='no_urls'"))
    worker = Worker("site_with_broken_urls", boots=False, directory=tmp_path)
    kind, _, text, _ = worker.message()
    assert kind == "BOOT_FAILED" and "No module named 'no_urls'" in text.decode()
    assert worker.wait() == 3
    worker.close()


def test_nothing_is_left_behind(site):
    body, headers = form(20_000)

    def memory():
        with open(f"/proc/{site.pid}/statm") as file:
            return int(file.read().split()[1])

    def run(n):
        for _ in range(n):
            site.get("/plain", headers=HEADERS)
            site.get("/download", headers=HEADERS)
            site.post("/upload", body, headers=headers)

    def growth():
        before = memory()
        run(150)
        return memory() - before

    run(60)
    # What is lost is lost in every round; an allocator (the sanitizer's above all) takes some rounds to have all it wants.
    rounds = []
    while len(rounds) < 4 and (not rounds or rounds[-1] >= 256):
        rounds.append(growth())
    assert rounds[-1] < 256, "pages: %s" % rounds
