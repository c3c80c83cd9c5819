"""Routes that are not for everybody: names and passwords, signed URLs."""
import base64
import ctypes
import json
import os
import re
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kit.waiting import until


sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
from quintet.signing import sign_url  # noqa: E402

APP = '''
import json
def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"user": environ.get("REMOTE_USER"), "auth": environ.get("HTTP_AUTHORIZATION"), "path": environ["PATH_INFO"],
                        "body": body.decode()}).encode()]
'''
KEY = "0123456789abcdef0123"
YAML = """
routes:
  - path: /staff/
    basic_auth: htpasswd
  - path: /staff/open/
    basic_auth: off
  - path: /staff/docs/
    root: docs
  - path: /signed/
    signed: url.key
  - path: /signed/docs/
    root: docs
"""


libcrypt = ctypes.CDLL("libcrypt.so.1")
libcrypt.crypt.restype = ctypes.c_char_p


def hashed(password, rounds=1000):
    return libcrypt.crypt(password.encode(), b"$6$rounds=%d$saltsalt" % rounds).decode()


def htpasswd(**users):
    return "# staff\n" + "".join("%s:%s\n" % (name, hashed(password)) for name, password in users.items())


@pytest.fixture
def access(quintet):
    return quintet(APP, files={"quintet.yaml": YAML, "htpasswd": htpasswd(anna="geheim:1", bert="zwei"), "url.key": KEY + "\n",
                               "docs/a b.txt": "a document"})


def basic(name, password):
    return "Authorization", "Basic " + base64.b64encode(("%s:%s" % (name, password)).encode()).decode()


def test_name_and_password(access):
    r = access.get("/staff/x")
    assert r.status == 401 and r["WWW-Authenticate"] == 'Basic realm="restricted", charset="UTF-8"'
    for _ in range(3):
        r = access.get("/staff/x", basic("anna", "geheim:1"))
        assert r.status == 200 and json.loads(r.body)["user"] == "anna" and json.loads(r.body)["auth"].startswith("Basic ")
    for wrong in [("anna", "zwei"), ("anna", ""), ("bert", "geheim:1"), ("carl", "zwei"), ("", "zwei"), ("anna", "geheim:1x"), ("anna\0", "x")]:
        r = access.get("/staff/x", basic(*wrong))
        assert r.status == 401 and r["WWW-Authenticate"], wrong


@pytest.mark.parametrize("value", [
    "Basic", "Basic ", "Basic !!!", "Basic YW5uYQ==", "Bearer abc", "Basic YW5uYTpnZWhlaW06MQ=", "Basic " + "QUFB" * 2000, "basic,",
])
def test_other_credentials_are_none(access, value):
    assert access.get("/staff/x", ("Authorization", value)).status == 401


def test_scheme_in_any_case(access):
    value = basic("anna", "geheim:1")[1]
    assert access.get("/staff/x", ("Authorization", value.replace("Basic", "bASIC"))).status == 200


def test_what_is_inside_is_protected(access):
    assert access.get("/staff/docs/a%20b.txt").status == 401
    r = access.get("/staff/docs/a%20b.txt", basic("bert", "zwei"))
    assert r.body == b"a document" and "private" in r["Cache-Control"]
    assert access.get("/staff/open/x").status == 200 and json.loads(access.get("/staff/open/x").body)["user"] is None
    assert access.get("/%73taff/x").status == 401 and access.get("//staff/x").status in (400, 401)


def test_body_of_a_request_that_is_compared_first(access):
    body = b"x" * 300000
    r = access.request("POST", "/staff/x", [basic("bert", "zwei")], body=body)
    assert r.status == 200 and json.loads(r.body)["body"] == body.decode()
    assert access.request("POST", "/staff/x", [basic("bert", "no")], body=body).status == 401
    assert access.request("POST", "/staff/x", body=body).status == 401


def test_a_new_password_counts_from_the_reload_on(access):
    assert access.get("/staff/x", basic("anna", "geheim:1")).status == 200
    (access.project / "htpasswd").write_text(htpasswd(anna="neu"))
    assert access.command("reload").returncode == 0
    assert access.get("/staff/x", basic("anna", "geheim:1")).status == 401
    assert access.get("/staff/x", basic("anna", "neu")).status == 200
    (access.project / "htpasswd").write_text("anna:$apr1$x$y\n")
    access.expected.append("htpasswd")
    refused = access.command("reload")
    assert refused.returncode != 0 and "htpasswd -B" in refused.stdout + refused.stderr
    assert access.get("/staff/x", basic("anna", "neu")).status == 200


def test_slow_hashes_slow_nobody_else(quintet):
    one = quintet(APP, files={"quintet.yaml": YAML, "htpasswd": "anna:%s\n" % hashed("geheim", 500000), "url.key": KEY}, options=["--edge-threads", "1"])
    with ThreadPoolExecutor(12) as pool:
        tries = [pool.submit(one.get, "/staff/x", basic("anna", "wrong%d" % i)) for i in range(12)]
        took = []
        while not all(t.done() for t in tries):
            start = time.monotonic()
            assert one.get("/open").status == 200
            took.append(time.monotonic() - start)
    assert [t.result().status for t in tries] == [401] * 12
    assert sorted(took)[len(took) // 2] < 0.1, "the lane waits for a comparison"


def test_client_that_leaves_while_its_password_is_compared(quintet):
    one = quintet(APP, files={"quintet.yaml": YAML, "htpasswd": "anna:%s\n" % hashed("geheim", 300000), "url.key": KEY})
    for _ in range(5):
        c = one.client()
        c.send(("GET /staff/x HTTP/1.1\r\nHost: site.test\r\n%s: %s\r\n\r\n" % basic("anna", "geheim")).encode())
        c.close()
    assert one.get("/staff/x", basic("anna", "geheim")).status == 200


def test_signed_urls(access):
    good = sign_url("/signed/x?a=1&b=%20", 60, KEY)
    assert access.get(good).status == 200 and json.loads(access.get(good).body)["path"] == "/signed/x"
    assert access.request("HEAD", good).status == 200
    r = access.get(sign_url("/signed/docs/a%20b.txt", 60, KEY))
    assert r.body == b"a document" and "private" in r["Cache-Control"]
    assert access.get(sign_url("/signed/x", -1, KEY)).status == 410
    assert access.get(sign_url("/signed/%C3%BC", 60, KEY)).status == 200


def test_signatures_that_do_not_fit(access):
    good = sign_url("/signed/x?a=1", 60, KEY)
    for wrong in ["/signed/x", "/signed/x?a=1", good.replace("a=1", "a=2"), good.replace("/x", "/y"), good + "&b=1", good + "&expires=9999999999",
                  good[:-1], good + "A", good.replace("expires=", "expires=1"), good.replace("signature=", "signature"), good.replace("signature=", "Signature="),
                  good + "&signature=", "/signed/x?expires=&signature=", "/signed/x?signature=a", sign_url("/signed/x", 60, "another key, as long"),
                  "/signed/x?expires=99999999999999999999999&signature=" + "A" * 43, good.replace("&expires", "&&expires")]:
        assert access.get(wrong).status == 403, wrong
    assert access.request("POST", good, body=b"x").status == 403


@pytest.mark.parametrize("left", ["", " \n", "short"])
def test_a_key_that_went_bad_lets_nobody_in(access, left):
    """The edge is made anew at a moment when the file is empty: nobody may sign with the empty key."""
    good, old = sign_url("/signed/x", 60, KEY), access.edge_pid
    assert access.get(good).status == 200
    (access.project / "url.key").write_text(left)
    access.expected += ["url.key", "the edge died"]
    os.kill(old, signal.SIGKILL)
    until(lambda: (access.try_status() or {}).get("edge", {}).get("pid") not in (None, 0, old), "another edge")
    until(lambda: access.get("/open").status == 200, "it to serve")
    forged = sign_url("/signed/x", 60, left.strip().encode().ljust(16, b"\0"))  # to HMAC, zeros behind a key are nothing
    assert access.get(forged).status == 403 and access.get(good).status == 403
    access.wait_message(why=re.compile("url.key: expected a key of at least 16 bytes"))


@pytest.mark.parametrize("files, said", [
    ({}, "cannot read htpasswd"), ({"htpasswd": "anna\n"}, "line 1: expected NAME:HASH"), ({"htpasswd": ""}, "nobody is named"),
    ({"htpasswd": "anna:{SHA}abc\n"}, "htpasswd -B"), ({"url.key": "short"}, "at least 16 bytes"),
])
def test_files_that_do_not_fit_stop_the_start(quintet, files, said):
    good = {"htpasswd": htpasswd(anna="x"), "url.key": KEY}
    if not files:
        del good["htpasswd"]
    one = quintet(APP, files={"quintet.yaml": YAML, **good, **files}, start=False)
    one.exit_code = 2
    one.start(wait=False)
    assert one.wait_exit() == 2 and said in one.said()
    checked = one.command("check", "--chdir", str(one.project), "app:application")
    assert checked.returncode == 1 and said in checked.stdout
