"""Own pages for errors that Quintet answers, by status, class and form, for the whole, a site and a route."""
import json

import pytest

APP = '''
def application(environ, start):
    if environ["PATH_INFO"] == "/broken":
        raise RuntimeError("on purpose")
    start("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"app's"]
'''
PAGES = {
    "errors/404.html": "<h1>{{status}} {{ reason }}</h1><p>{{request_id}}</p>",
    "errors/4xx.html": "<h1>class {{status}}</h1>",
    "errors/5xx.html": "<h1>five</h1>",
    "errors/404.json": '{"code": {{status}}, "id": "{{request_id}}"}',
    "errors/500.txt": "five hundred in text",
    "errors/style.css": "body{}",
    "static/a.txt": "a",
}
HTML, JSON = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8"), ("Accept", "application/json")


@pytest.fixture
def site(quintet):
    one = quintet(APP, files=PAGES, options=["--static", "/static/=static", "--error-pages", "errors/"])
    one.expected += ["on purpose", "failed"]
    return one


def test_by_status_class_and_form(site):
    r = site.get("/static/none", HTML, ("X-Request-ID", "ignored"))
    assert r.status == 404 and r.text == "<h1>404 Not Found</h1><p>%s</p>" % r["X-Request-ID"]
    assert r["Content-Type"] == "text/html; charset=utf-8" and r["Cache-Control"] == "no-store"
    assert r["X-Content-Type-Options"] == "nosniff"
    r = site.request("POST", "/static/a.txt", [HTML])
    assert r.status == 405 and r.text == "<h1>class 405</h1>" and r["Allow"] == "GET, HEAD, OPTIONS"
    r = site.get("/static/none", JSON)
    assert json.loads(r.body) == {"code": 404, "id": r["X-Request-ID"]} and r["Content-Type"] == "application/json"
    r = site.request("POST", "/static/a.txt", [JSON])
    assert json.loads(r.body)["status"] == 405, "no page in the form that was asked for: ours"
    assert site.get("/static/none").text.startswith("<h1>404"), "who names no form takes any"
    assert site.get("/static/none", ("Accept", "text/plain")).text.startswith("404 Not Found\nRequest ")
    r = site.request("HEAD", "/static/none", [HTML])
    assert r.status == 404 and int(r["Content-Length"]) == len(site.get("/static/none", HTML).body)


def test_errors_of_the_application(site):
    r = site.get("/broken", HTML)
    assert r.status == 500 and r.text == "<h1>five</h1>"
    assert site.get("/broken").text == "five hundred in text"
    r = site.get("/none", HTML)
    assert r.status == 404 and r.body == b"app's", "what the application answers is its own"


def test_a_request_that_cannot_be_read(site):
    c = site.client()
    c.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nAccept: text/html\r\n\r\n")
    r = c.response()
    assert r.status == 400 and r.text == "<h1>class 400</h1>"


def test_while_the_application_boots(quintet):
    app = 'import os, time\nwhile not os.path.exists("go"):\n    time.sleep(0.01)\n' + APP
    one = quintet(app, files=PAGES, options=["--error-pages", "errors", "--queue-timeout", "200ms"], start=False)
    one.start(wait=False)
    one.wait_message(message="the application takes long to boot: files are served, its requests wait")
    r = one.get("/", HTML)
    assert r.status == 503 and r.text == "<h1>five</h1>" and int(r["Retry-After"]) >= 1
    one.write("go", "")
    one.wait_ready()


def test_of_sites_and_routes(quintet):
    yaml = """
error_pages: errors
sites:
  - hosts: [shop.test]
    error_pages: shop
    routes:
      - path: /docs/
        root: docs
        error_pages: docs/errors
  - hosts: ["*"]
"""
    files = {**PAGES, "quintet.yaml": yaml, "shop/4xx.html": "shop {{status}}", "docs/errors/404.html": "docs", "docs/index.html": "index"}
    one = quintet(APP, files=files, options=["--static", "/static/=static"])

    def ask(host, target):
        return one.client().request("GET", target, [HTML], host=host).text

    assert ask("shop.test", "/static/none") == "shop 404"
    assert ask("shop.test", "/docs/none") == "docs" and ask("shop.test", "/docs/") == "index"
    assert ask("other.test", "/static/none").startswith("<h1>404 Not Found")


def test_changed_pages_come_with_a_reload(site):
    site.write("errors/404.html", "changed")
    assert site.get("/static/none", HTML).text.startswith("<h1>404")
    assert site.command("reload").returncode == 0
    assert site.get("/static/none", HTML).text == "changed"


def test_what_cannot_be_used_is_left_out_and_said(quintet):
    one = quintet(APP, files={"static/a.txt": "a", "errors/404.html": "x" * 65537}, options=[
        "--static", "/static/=static", "--error-pages", "errors"])
    assert "404" in one.get("/static/none", HTML).text
    assert one.wait_message(message="an error page is left out", level="warning")["page"] == "404.html"


def test_a_directory_that_is_not_there(quintet):
    one = quintet(APP, files={"static/a.txt": "a"}, options=["--static", "/static/=static", "--error-pages", "nowhere"])
    assert one.get("/static/none", HTML).status == 404
    assert one.wait_message(level="warning", directory="nowhere")
