"""haproxy and nginx in front: with the PROXY protocol, plain and over TLS, and with fields."""
import json
import subprocess
from pathlib import Path

import pytest
from kit import client as kit_client
from kit import proxies

PAGE = Path(__file__).resolve().parents[2] / "docs" / "user" / "proxies.md"


@pytest.fixture
def front():
    made = []

    def start(kind, *arguments, **more):
        made.append(kind(*arguments, **more))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def documented(first_words):
    """The lines of the example in docs/user/proxies.md that begins so: what people copy must not let a client say who he is."""
    block, = [b for b in PAGE.read_text().split("```") if b.lstrip().startswith(first_words)]
    return block.strip().splitlines()


def ask(address, *fields, tls=None, name=None, host="shop.test", source="127.0.0.1"):
    """What the view saw, and the port that we came from. 127.0.0.0/8 is all ours, so that a source tells a client from a proxy."""
    sock = kit_client.socket.socket()
    sock.settimeout(20)
    sock.bind((source, 0))
    sock.connect(address)
    port = sock.getsockname()[1]
    client = kit_client.Client(tls.wrap_socket(sock, server_hostname=name) if tls else sock)
    r = client.get("/a/", *fields, host=host)
    client.close()
    assert r.status == 200, r
    return json.loads(r.body), port


PROXY_PROTOCOL = {
    "haproxy send-proxy": lambda to: proxies.haproxy(to, "send-proxy"),
    "haproxy send-proxy-v2": lambda to: proxies.haproxy(to, "send-proxy-v2"),
    "haproxy with TLVs": lambda to: proxies.haproxy(to, "send-proxy-v2 proxy-v2-options ssl,cert-cn,crc32c,unique-id,authority",
                                                    lines=["unique-id-format %[uuid()]"]),
    "nginx stream": lambda to: proxies.nginx_stream(to),
}


@pytest.mark.parametrize("kind", PROXY_PROTOCOL)
def test_the_proxy_protocol(project, front, kind):
    site = project(trusted="127.0.0.1")
    proxy = front(PROXY_PROTOCOL[kind], site.address())
    # The client is a stranger by its address, whatever it says itself.
    got, _ = ask(proxy.address, ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), source="127.9.9.9")
    assert (got["address"], got["secure"], got["url"]) == ("127.9.9.9", False, "http://shop.test/a/")
    assert "HTTP_X_FORWARDED_FOR" not in got["fields"]
    # The client is a trusted proxy itself.
    got, _ = ask(proxy.address, ("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-Proto", "https"))
    assert (got["address"], got["secure"]) == ("198.51.100.7", True)
    assert site.wait_access(client="127.9.9.9")


@pytest.mark.parametrize("kind", ["haproxy send-proxy", "haproxy send-proxy-v2"])
def test_the_proxy_protocol_in_front_of_http2_in_clear_text(project, front, kind):
    site = project(trusted="127.0.0.1")
    proxy = front(PROXY_PROTOCOL[kind], site.address())
    done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "--interface", "127.9.9.8", "-H", "Host: shop.test",
                           "http://%s:%d/" % proxy.address], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert (got["address"], got["host"]) == ("127.9.9.8", "shop.test")


@pytest.mark.parametrize("kind", ["haproxy send-proxy", "haproxy send-proxy-v2", "nginx stream"])
def test_the_proxy_protocol_in_front_of_tls(project, front, kind, pair, authority):
    site = project(trusted="127.0.0.1", tls=[pair])
    proxy = front(PROXY_PROTOCOL[kind], site.address("https"))
    got, _ = ask(proxy.address, tls=authority.context(), name="localhost", source="127.9.9.9")
    assert (got["address"], got["secure"], got["url"]) == ("127.9.9.9", True, "https://shop.test/a/")
    done = subprocess.run(["curl", "-sS", "--http2", "--cacert", str(authority.ca), "--interface", "127.9.9.8", "--resolve",
                           "site.test:%d:127.0.0.1" % proxy.address[1], "-H", "Host: shop.test",
                           "https://site.test:%d/" % proxy.address[1]], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["address"] == "127.9.9.8"


def test_tls_that_ends_at_the_proxy(project, front, pair, authority):
    """Only version 2 can say so: PP2_TYPE_SSL."""
    site = project(trusted="127.0.0.1")
    both = pair.cert.with_suffix(".both")
    both.write_bytes(pair.cert.read_bytes() + pair.key.read_bytes())
    for words, secure in (("send-proxy-v2-ssl", True), ("send-proxy", False)):
        proxy = front(proxies.haproxy, site.address(), words, bind_words="ssl crt %s" % both)
        got, _ = ask(proxy.address, tls=authority.context(), name="localhost", source="127.9.9.9")
        assert (got["address"], got["secure"]) == ("127.9.9.9", secure)


def test_health_checks_of_the_proxy_are_its_own(project, front):
    site = project(trusted="127.0.0.1", options=["--health-path", "/up", "--shutdown-delay", "0"])
    proxy = front(proxies.haproxy, site.address(), "send-proxy-v2 check inter 200ms", mode="http", lines=["option httpchk GET /up"])
    assert ask(proxy.address, source="127.9.9.9")[0]["address"] == "127.9.9.9"


def test_to_whom_nobody_is_trusted_it_is_no_request(project, front):
    site = project()
    proxy = front(proxies.haproxy, site.address(), "send-proxy")
    client = kit_client.Client(kit_client.connect(proxy.address))
    assert client.get("/").status == 400
    client.close()


def test_fields_of_nginx(project, front):
    """Its usual lines; it passes on what it is not told to write."""
    site = project(trusted="127.0.0.1")
    usual = ("proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; "
             "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;")
    proxy = front(proxies.nginx_http, site.address(), usual)
    got, _ = ask(proxy.address, ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.b.test"),
                 ("True-Client-IP", "6.6.6.6"), source="127.9.9.9")
    assert (got["address"], got["secure"], got["host"]) == ("127.9.9.9", False, "shop.test")
    assert "6.6.6.6" not in json.dumps(got) and got["fields"]["HTTP_X_REAL_IP"] == "127.9.9.9"
    assert got["fields"]["HTTP_X_FORWARDED_FOR"] == "127.9.9.9"
    # Host is nginx's default, the upstream's name; the client's own goes in X-Forwarded-Host.
    proxy = front(proxies.nginx_http, site.address(), "proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $http_host;")
    got, _ = ask(proxy.address, host="shop.test:8443", source="127.9.9.9")
    assert (got["address"], got["host"]) == ("127.9.9.9", "shop.test:8443")


def test_fields_of_haproxy(project, front):
    site = project(trusted="127.0.0.1")
    proxy = front(proxies.haproxy, site.address(), mode="http", lines=documented("option forwardfor"))
    spoofed = ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=6.6.6.6;proto=https")
    got, _ = ask(proxy.address, *spoofed, source="127.9.9.9")
    assert (got["address"], got["secure"]) == ("127.9.9.9", False)
    assert got["fields"]["HTTP_X_FORWARDED_FOR"] == "127.9.9.9"


def test_documented_fields_of_nginx(project, front):
    site = project(trusted="127.0.0.1")
    proxy = front(proxies.nginx_http, site.address(), "\n".join(documented("proxy_set_header Host")))
    spoofed = ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("Forwarded", "for=6.6.6.6;proto=https")
    got, _ = ask(proxy.address, *spoofed, source="127.9.9.9")
    assert (got["address"], got["secure"], got["host"]) == ("127.9.9.9", False, "shop.test")


def test_two_proxies(project, front):
    """nginx behind haproxy: fields through both, each hop adding one."""
    site = project(trusted="127.0.0.1")
    inner = front(proxies.nginx_http, site.address(), "proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")
    outer = front(proxies.haproxy, inner.address, mode="http", lines=["option forwardfor", "http-request set-header X-Forwarded-Proto https"])
    got, _ = ask(outer.address, ("X-Forwarded-For", "6.6.6.6"), source="127.9.9.9")
    assert (got["address"], got["secure"]) == ("127.9.9.9", True)
    assert got["fields"]["HTTP_X_FORWARDED_FOR"] == "127.9.9.9, 127.0.0.1"
