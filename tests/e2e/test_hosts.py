"""Unknown hosts and the way to HTTPS, answered by the edge after Django's settings, for files as well."""
import subprocess

import pytest
from kit import client
from kit.instance import BINARY, PYTHON, environment
from kit.project import PROJECT, seen


@pytest.mark.parametrize("path", ["/", "/static/a.css", "/nowhere"])
def test_unknown_hosts_get_nothing(project, path):
    site = project()
    c = site.client()
    for host in ("evil.test", "xshop.test", "shop.test.evil.test", "127.0.0.1", "b.test:80.evil.test", "[::1]"):
        r = site.get(path, host=host)
        assert r.status == 400, host
    for host in ("shop.test", "SHOP.test", "shop.test.", "shop.test:8000", "b.test", "x.b.test"):
        assert c.get(path, host=host).status == 200, host
    assert site.wait_message(message="a request for an unknown host", host="evil.test")


def test_refusals_are_counted(project):
    site = project(trusted="127.0.0.1", options=["--metrics-bind", "127.0.0.1:0"])
    site.get("/", host="evil.test")
    site.get("/", ("Forwarded", "x"), host="shop.test")
    host, _, port = site.status()["metrics"].split("://")[1].rpartition(":")
    c = client.Client(client.connect((host, int(port))))
    text = c.get("/metrics").text
    c.close()
    assert 'refused_total{reason="host"} 1\n' in text and 'refused_total{reason="proxies"} 1\n' in text


def test_the_page_is_a_page(project):
    site = project()
    page = site.get("/", ("Accept", "text/html"), host="evil.test")
    assert page.status == 400 and page["Content-Type"].startswith("text/html") and "evil" not in page.text


def test_without_a_host(project):
    """HTTP/1.0 may come without one: then the connection's own address counts, as in Django."""
    site = project()
    c = site.client()
    c.send(b"GET / HTTP/1.0\r\n\r\n")
    assert c.response().status == 400
    site = project("ALLOWED_HOSTS = ['127.0.0.1']")
    c = site.client()
    c.send(b"GET / HTTP/1.0\r\n\r\n")
    assert c.response().status == 200


def test_over_tls_the_wrong_name_is_misdirected(project, pair, authority):
    site = project(tls=[pair])
    context = authority.context()
    c = site.client(context, "localhost")
    assert c.get("/", host="evil.test").status == 421
    assert c.get("/", host="shop.test").status == 200
    context.check_hostname = False
    c = site.client(context, "evil.test")
    assert c.get("/", host="evil.test").status == 400


def test_health_is_for_everybody(project):
    site = project(options=["--health-path", "/up", "--shutdown-delay", "0"])
    assert site.get("/up", host="10.1.2.3").status == 200


def test_no_list(quintet, project):
    assert quintet("plain.py").get("/", host="whatever.test").status == 200
    assert project("ALLOWED_HOSTS = ['*']").get("/", host="whatever.test").status == 200


def test_to_https(project, pair, authority):
    site = project("SECURE_SSL_REDIRECT = True", tls=[pair], trusted="127.0.0.1", options=["--health-path", "/up", "--shutdown-delay", "0"])
    for method in ("GET", "HEAD", "POST"):
        r = site.request(method, "/a//b?c=d", host="shop.test:8000", body=b"" if method == "POST" else None)
        assert r.status == 301 and r["Location"] == "https://shop.test:8000/a//b?c=d", r
    assert site.get("/static/a.css", host="shop.test")["Location"] == "https://shop.test/static/a.css"
    assert site.get("/", host="evil.test").status == 400
    assert site.get("/up", host="shop.test").status == 200
    assert seen(site, ("X-Forwarded-Proto", "https"))["secure"] is True
    secure = site.client(authority.context(), "localhost")
    assert secure.get("/", host="shop.test").status == 200
    site = project("SECURE_SSL_REDIRECT = True\nSECURE_SSL_HOST = 'www.b.test'")
    assert site.get("/x", host="shop.test")["Location"] == "https://www.b.test/x"


def test_exceptions_are_the_applications_affair(project):
    site = project("SECURE_SSL_REDIRECT = True\nSECURE_REDIRECT_EXEMPT = ['^free$']")
    assert site.get("/free", host="shop.test").status == 200
    r = site.get("/x?y=z", host="shop.test")
    assert (r.status, r["Location"]) == (301, "https://shop.test/x?y=z")


def test_the_settings_own_header_counts(project):
    settings = "SECURE_SSL_REDIRECT = True\nSECURE_PROXY_SSL_HEADER = ('HTTP_X_SECURE', 'on')"
    site = project(settings, trusted="127.0.0.1")
    assert seen(site, ("X-Secure", "on"))["secure"] is True
    assert site.get("/", ("X-Secure", "off"), ("X-Forwarded-Proto", "https"), host="shop.test").status == 301
    site = project(settings)
    assert site.get("/", ("X-Secure", "on"), host="shop.test").status == 301


def test_check_tells_of_a_proxy_that_nobody_trusts(quintet, tmp_path):
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    settings = {"MORE_SETTINGS": "SECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')"}
    for words, told in (([], True), (["--trusted-proxies", "private"], False)):
        done = subprocess.run([BINARY, "check", "--python", PYTHON, "--bind", "127.0.0.1:0", *words], cwd=tmp_path, capture_output=True, text=True,
                              env=environment(**settings), timeout=60)
        assert ("trusted_proxies is empty" in done.stdout) == told, done.stdout
