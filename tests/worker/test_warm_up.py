"""--warmup: requests of the worker to itself, before it says that it is ready."""

import json

import pytest
from harness import APPS, Worker


def warm(*paths, **how):
    return Worker("warm", options=[word for path in paths for word in ("--warmup", path)], **how)


def test_each_is_asked_in_turn_and_closed():
    with warm("/", "/b%C3%A4r") as worker:
        found = json.loads(worker.get("/asked").body)
        assert found["asked"] == ["/", "/b\u00e4r".encode().decode("latin-1")]
        assert found["closed"] == ["iterated", "closed"] * 2
        assert worker.lines() == []


def test_environ_is_as_a_visitors():
    with warm("/") as worker:
        mine = json.loads(worker.get("/asked").body)["environ"][0]
        worker.get("/theirs", headers=[("Host", "h"), ("User-Agent", "u"), ("Accept", "*/*")])
        assert mine["HTTP_HOST"] == mine["SERVER_NAME"] == "localhost" and mine["REQUEST_METHOD"] == "GET"
        assert mine["wsgi.url_scheme"] == "http" and mine["SERVER_PORT"] == "80" and "HTTPS" not in mine
        assert {"REMOTE_ADDR", "wsgi.multithread", "HTTP_X_REQUEST_ID", "SCRIPT_NAME"} <= set(mine)


def test_https():
    with Worker("warm", options=["--scheme", "https", "--warmup", "/"]) as worker:
        mine = json.loads(worker.get("/asked").body)["environ"][0]
        assert mine["wsgi.url_scheme"] == "https" and mine["HTTPS"] == "on" and mine["SERVER_PORT"] == "443"


@pytest.mark.parametrize("path, status", [("/away", "302 Found"), ("/missing", "404 Not Found")])
def test_no_success_is_said(path, status):
    with warm(path) as worker:
        worker.await_line(f"warm-up: GET {path} was answered with {status}")


def failure(worker):
    try:
        kind, _, text, _ = worker.message()
        assert kind == "BOOT_FAILED" and worker.wait() == 3
        return text.decode()
    finally:
        worker.close()


@pytest.mark.parametrize(
    "path, says",
    [
        ("/bad", ["warm-up: GET /bad was answered with 503 Not Today"]),
        ("/raises", ["Traceback", "warm.py", "LookupError: not warm", "warm-up: GET /raises raised LookupError"]),
        ("/raises_late", ["warm.py", "ZeroDivisionError", "warm-up: GET /raises_late raised ZeroDivisionError"]),
        ("/silent", ["start_response was never called", "warm-up: GET /silent raised"]),
        ("/exits", ["sys.exit(4)", "warm-up: GET /exits raised SystemExit"]),
    ],
)
def test_errors_fail_the_boot(path, says):
    text = failure(warm("/", path, boots=False))
    assert [part for part in says if part not in text] == []
    assert "python/quintet/" not in text  # none of our own frames


# ---- Django ----

SETTINGS = 'SECURE_SSL_REDIRECT=True, PREPEND_WWW=True, ALLOWED_HOSTS=[".example.org"],'
MIDDLEWARE = 'MIDDLEWARE=["django.middleware.security.SecurityMiddleware", '


def test_a_django_page_is_not_redirected(tmp_path):
    """With hosts, a redirect to TLS and one to www: the page itself is what is asked for."""
    source = (APPS / "django_site.py").read_text()
    source = source.replace('ALLOWED_HOSTS=["*"],', SETTINGS).replace("MIDDLEWARE=[", MIDDLEWARE)
    source = source.replace('return HttpResponse("plain")', 'print(request.build_absolute_uri()); return HttpResponse("plain")')
    (tmp_path / "redirecting_site.py").write_text(source)
    with Worker("redirecting_site", directory=tmp_path, options=["--warmup", "/plain"]) as worker:
        assert worker.await_line("https://")[1] == "https://www.example.org/plain"
        assert not [line for _, line in worker.lines() if "warm-up" in line]


def test_the_exception_behind_djangos_500():
    text = failure(Worker("django_site", boots=False, options=["--warmup", "/plain", "--warmup", "/error"]))
    assert "ValueError: deliberate" in text and "in error" in text
    assert text.rstrip().endswith("warm-up: GET /error was answered with 500 Internal Server Error")
