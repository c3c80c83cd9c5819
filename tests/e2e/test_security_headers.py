"""Security headers: defaults on files and own pages, the application's own, and what routes say."""
import pytest

DEFAULTS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "X-Frame-Options": "SAMEORIGIN"}
APP = '''
def application(environ, start):
    fields = {"/plain": [], "/own": [("x-frame-options", "DENY"), ("Server", "mine"), ("Content-Security-Policy", "default-src 'self'")],
              "/send": [("X-Accel-Redirect", "/static/a.txt"), ("x-frame-options", "DENY")],
              "/docs/x": [("X-Frame-Options", "DENY"), ("x-frame-options", "SAMEORIGIN"), ("X-Powered-By", "Python"), ("Vary", "Cookie")]}
    start("200 OK", fields.get(environ["PATH_INFO"], []))
    return [b"hello"]
'''
FILES = {"static/a.txt": "a", "media/a.txt": "a"}
OPTIONS = ["--static", "/static/=static", "--media", "/media/=media"]
NAMES = [*DEFAULTS, "Strict-Transport-Security", "Cross-Origin-Opener-Policy"]


def security(r):
    return {name: r[name] for name in NAMES if name in r}


def test_defaults_are_for_what_the_edge_answers(quintet):
    site = quintet(APP, files=FILES, options=OPTIONS)
    for target in ("/static/a.txt", "/media/a.txt", "/static/none"):
        assert security(site.get(target)) == DEFAULTS, target
    assert security(site.get("/static/a.txt", ("Range", "bytes=9-"))) == DEFAULTS
    assert security(site.request("POST", "/static/a.txt")) == DEFAULTS
    assert security(site.get("/plain")) == {}, "the application's answers are the application's"
    own = site.get("/own")
    assert security(own) == {"X-Frame-Options": "DENY"} and own["Content-Security-Policy"] == "default-src 'self'"


def test_never_twice(quintet):
    """A file that the application named carries what it said, and what it did not say once."""
    r = quintet(APP, files=FILES, options=OPTIONS).get("/send")
    assert r.body == b"a" and security(r) == {**DEFAULTS, "X-Frame-Options": "DENY"}


def test_routes_have_the_last_word(quintet):
    yaml = """
headers:
  X-Frame-Options: DENY
  X-Site: "yes"
  Referrer-Policy: ""
routes:
  - path: /docs/
    headers:
      X-Powered-By: ""
      Vary: Accept
      X-Site: docs
  - path: /static/
    headers: {Cache-Control: "no-store", X-Content-Type-Options: ""}
"""
    site = quintet(APP, files={**FILES, "quintet.yaml": yaml}, options=OPTIONS)
    r = site.get("/static/a.txt")
    assert security(r) == {"X-Frame-Options": "DENY"} and r["Cache-Control"] == "no-store" and r["X-Site"] == "yes"
    assert site.get("/static/a.txt", ("If-None-Match", r["ETag"]))["Cache-Control"] == "no-store"
    assert site.get("/static/none")["X-Frame-Options"] == "DENY", "own pages too"
    assert security(site.get("/media/a.txt")) == {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff"}
    r = site.get("/docs/x")
    assert r["X-Frame-Options"] == "DENY" and r["X-Site"] == "docs" and r["Vary"] == "Accept" and "X-Powered-By" not in r
    assert site.get("/own")["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Connection", "Date", "bad name"])
def test_headers_that_are_not_the_routes(quintet, name):
    site = quintet(APP, files={"quintet.yaml": "headers:\n  \"%s\": \"1\"\n" % name}, start=False)
    site.start(wait=False)
    site.exit_code = 2
    assert site.wait_exit() == 2 and name in site.said()
