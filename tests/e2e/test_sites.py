"""Sites and routes of quintet.yaml."""
import pytest

from kit import client, instance

ECHO = '''
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Powered-By", "app"), ("X-Frame-Options", "ALLOWALL")])
    return [("app %s" % environ["PATH_INFO"]).encode("latin-1")]
'''


@pytest.fixture
def site(quintet):
    """One site from the routes' YAML (and what else stands at the top of the file)."""
    def make(yaml, files=None, **more):
        return quintet(ECHO, files={"quintet.yaml": yaml, **(files or {})}, **more)
    return make


def host(one, name, path, method="GET", **more):
    return one.request(method, path, host=name, **more)


SITES = """
headers: {X-Everywhere: "1"}
sites:
  - hosts: [www.example.com, "*.example.org"]
    headers: {X-Frame-Options: DENY, X-Powered-By: ""}
    routes:
      - path: /docs/
        root: docs/
      - path: /docs/old/
        redirect: /docs/new/
      - path: /robots.txt
        exact: yes
        respond: "User-agent: *"
      - path: /gone
        status: 410
      - path: /upload
        max_body_size: 10
        headers: {X-Frame-Options: SAMEORIGIN}
  - hosts: example.com
    redirect: https://www.example.com
"""
DOCS = {"docs/index.html": "the docs", "docs/a/index.html": "a", "docs/b.txt": "b"}


def test_hosts_choose_the_site(site):
    one = site(SITES, DOCS)
    for name in ["www.example.com", "WWW.Example.COM", "www.example.com.", "www.example.com:8000", "a.example.org"]:
        assert host(one, name, "/x").body == b"app /x", name
    r = host(one, "example.com", "/x/y?z=%20")
    assert r.status == 301 and r["Location"] == "https://www.example.com/x/y?z=%20" and r["X-Everywhere"] == "1"
    for name in ["a.b.example.org", "example.org", "evil.test", "127.0.0.1", "xexample.com"]:
        assert host(one, name, "/x").status == 421, name
    assert one.wait_message(message="a request for an unknown host", host="evil.test")["status"] == 421


def test_unknown_hosts_are_counted(site):
    one = site(SITES, DOCS, options=["--metrics-bind", "127.0.0.1:0"])
    assert host(one, "evil.test", "/").status == 421
    at = one.status()["metrics"].split("://")[1].rpartition(":")
    c = client.Client(client.connect((at[0], int(at[2]))))
    assert 'refused_total{reason="host"} 1\n' in c.get("/metrics").text
    c.close()


def test_the_longest_path_answers(site):
    one = site(SITES, DOCS)
    www = lambda path, method="GET", **more: host(one, "www.example.com", path, method, **more)
    assert www("/docs/").body == b"the docs" and www("/docs/")["Content-Type"].startswith("text/html")
    assert www("/docs/a/").body == b"a" and www("/docs/b.txt").body == b"b"
    r = www("/docs/a?q")
    assert r.status == 301 and r["Location"] == "/docs/a/?q"
    assert www("/docs/nothing").status == 404 and www("/docs/../quintet.yaml").status in (400, 404)
    assert www("/docs").body == b"app /docs", "a path that ends with a slash is what is below it"
    assert www("/docs/old/x/y?a=b")["Location"] == "/docs/new/x/y?a=b"
    assert www("/docs/old/", "POST", body=b"x").status == 308
    assert www("/robots.txt").body == b"User-agent: *" and www("/robots.txt")["Content-Type"] == "text/plain; charset=utf-8"
    assert www("/robots.txt/x").body == b"app /robots.txt/x"
    assert www("/robots.txt", "HEAD")["Content-Length"] == "13"
    assert www("/gone").status == 410 and www("/gone/x").status == 410 and www("/gonex").status == 200


def test_headers_are_set_and_removed(site):
    one = site(SITES, DOCS)
    for path in ["/x", "/docs/", "/robots.txt", "/docs/old/", "/gone", "/docs/nothing"]:
        r = host(one, "www.example.com", path)
        assert r.all("X-Frame-Options") == ["DENY"] and "X-Powered-By" not in r and r["X-Everywhere"] == "1", path
    r = host(one, "www.example.com", "/upload")
    assert r.all("X-Frame-Options") == ["SAMEORIGIN"] and "X-Powered-By" not in r, "headers merge"


def test_body_size_of_a_route(site):
    one = site(SITES, DOCS)
    assert host(one, "www.example.com", "/upload", "POST", body=b"x" * 10).status == 200
    assert host(one, "www.example.com", "/upload/a", "POST", body=b"x" * 11).status == 413
    assert host(one, "www.example.com", "/x", "POST", body=b"x" * 11).status == 200


BYPASS = """
routes:
  - path: /admin/
    status: 403
  - path: /admin/open/
    app: yes
  - path: /files/
    root: docs/
  - path: /files/secret/
    status: 403
"""


@pytest.mark.parametrize("path", [
    "/admin/", "/admin/x", "/%61dmin/", "/admin%2fx", "/adm%69n%2Fx", "//admin/", "///admin//x", "/./admin/", "/%2e/admin/x",
    "/x/../admin/", "/x/%2e%2e/admin/", "/x/..%2fadmin/x", "/x%2f..%2fadmin%2fx", "/admin/../x", "/admin/open/../x", "/admin/open/%2e%2e/x",
    "/admin/open/..%2fx", "/../admin/x", "/admin/./x", "/files/secret/a.txt", "/files/%73ecret/a.txt", "/files//secret/a.txt",
    "/files/./secret/a.txt", "/files/x/../secret/a.txt", "/files/secret%2fa.txt", "/files/..//files/secret/a.txt", "/admin/open/..",
])
def test_no_spelling_slips_past_a_rule(path, bypass):
    r = bypass.get(path)
    assert r.status in (400, 403, 404), (path, r.status, r.body)
    assert b"secret text" not in r.body


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("bypass")


@pytest.fixture(scope="module")
def bypass(module_folder):
    one = instance.Instance(module_folder, files={"app.py": ECHO, "quintet.yaml": BYPASS, "docs/secret/a.txt": "secret text", "docs/a.txt": "a"})
    one.start()
    yield one
    one.finish()


def test_ordinary_paths_reach_what_they_name(bypass):
    for path in ["/admin/open/x", "/administrator", "/x/admin/", "/x/./y", "/a//b", "/%41", "/admin"]:
        assert bypass.get(path).status == 200, path
    assert bypass.get("/files/a.txt").body == b"a" and bypass.get("/files/%61.txt").body == b"a"
