"""TLS: versions, certificates by name, resumption, ALPN, reload, and who may read keys."""
import json
import os
import shutil
import signal
import ssl
import warnings

import pytest

from kit import client, processes
from kit.certificates import Pair
from kit.instance import for_other_users
from kit.waiting import until


@pytest.fixture
def site(quintet, pair):
    return quintet("plain.py", tls=[pair])


def peer(c):
    return dict(rdn[0] for rdn in c.sock.getpeercert()["subject"])["commonName"]


def test_old_versions_are_refused(site, authority):
    """By the server: its alert says so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.ca)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        site.client(context, "localhost")


@pytest.mark.parametrize("version, shown", [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")])
def test_versions(site, authority, version, shown):
    c = site.client(authority.context(version), "localhost")
    got = json.loads(c.get("/environ").body)
    assert c.sock.version() == shown
    assert (got["wsgi.url_scheme"], got["HTTPS"], got["SSL_PROTOCOL"]) == ("https", "on", shown)
    assert got["SSL_CIPHER"] == c.sock.cipher()[0]


def test_everything_over_tls(site, authority):
    """Bodies both ways, larger than records and buffers."""
    c = site.client(authority.context(), "localhost")
    data = os.urandom(3 << 20)
    assert c.request("POST", "/body", body=data).body == data
    assert len(c.get("/stream?n=100&size=30000").body) == 3000000
    c.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
    assert all(c.response().body == b"hello\n" for _ in range(20))


def test_files_over_tls(quintet, authority, pair):
    data = os.urandom(2 << 20)
    site = quintet("plain.py", tls=[pair], files={"static/big.bin": data}, options=["--static", "/static/=static"])
    c = site.client(authority.context(), "localhost", receive_buffer=8192)
    assert c.get("/static/big.bin").body == data
    assert c.get("/static/big.bin", ("Range", "bytes=1000000-1000009")).body == data[1000000:1000010]


def test_certificate_by_name(quintet, authority, pair):
    other = authority.pair("other.test", "*.wild.test")
    site = quintet("plain.py", tls=[pair, other])
    context = authority.context()
    assert peer(site.client(context, "localhost")) == "localhost"
    assert peer(site.client(context, "other.test")) == "other.test"
    assert peer(site.client(context, "any.wild.test")) == "other.test"
    unchecked = authority.context()
    unchecked.check_hostname = False
    assert peer(site.client(unchecked)) == "localhost", "the first one is for those who name nobody"
    with pytest.raises(ssl.SSLError, match="ALERT_UNRECOGNIZED_NAME|UNRECOGNIZED_NAME"):
        site.client(unchecked, "unknown.test")


def test_a_single_certificate_is_for_everybody(site, authority):
    """A server behind a CDN, or under an address: there is nobody whom it could be mistaken for."""
    unchecked = authority.context()
    unchecked.check_hostname = False
    assert peer(site.client(unchecked, "unknown.test")) == "localhost"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_resumption(site, authority, version):
    """Also by another edge, since the ticket key is the supervisor's."""
    context = authority.context(version)

    def connect(session):
        raw = client.connect(site.address("https"))
        c = client.Client(context.wrap_socket(raw, server_hostname="localhost", session=session))
        assert c.get().body == b"hello\n"
        resumed, session = c.sock.session_reused, c.sock.session
        c.close()
        return resumed, session

    resumed, session = connect(None)
    assert not resumed
    resumed, session = connect(session)
    assert resumed
    edge = site.edge_pid
    site.expected.append("edge died")
    os.kill(edge, signal.SIGKILL)
    until(lambda: site.status()["edge"]["pid"] not in (0, edge) and site.status()["edge"]["state"] == "up", "another edge")
    assert connect(session)[0]


def test_alpn(site, authority):
    assert site.client(authority.context(alpn=["http/1.1"]), "localhost").sock.selected_alpn_protocol() == "http/1.1"
    c = site.client(authority.context(alpn=["spdy/9", "http/1.1"]), "localhost")
    assert c.sock.selected_alpn_protocol() == "http/1.1" and c.get().status == 200
    assert site.client(authority.context(), "localhost").sock.selected_alpn_protocol() is None


def test_clients_that_do_not_speak_tls(site):
    c = site.client(scheme="https")
    c.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    try:
        assert not c.sock.recv(1000).startswith(b"HTTP")
    except ConnectionResetError:
        pass
    c = site.client(scheme="https")
    c.close()
    assert site.get().status == 200


def test_certificate_reload(quintet, authority, tmp_path):
    """New connections get the new certificate; the open one goes on."""
    old, new = authority.pair("localhost", "old.test"), authority.pair("localhost", "new.test")
    live = Pair(tmp_path / "live.pem", tmp_path / "live.key", old.ca)

    def install(pair):
        shutil.copy(pair.cert, live.cert)
        shutil.copy(pair.key, live.key)

    install(old)
    site = quintet("plain.py", tls=[live])
    c = site.client(authority.context(), "old.test")
    assert c.get().status == 200
    install(new)
    done = site.command("reload")
    assert done.returncode == 0, done.stderr
    assert c.get().status == 200
    assert site.client(authority.context(), "new.test").get().status == 200
    live.cert.write_text("nonsense")
    failed = site.command("reload")
    assert failed.returncode != 0 and "live.pem" in failed.stdout + failed.stderr
    assert site.client(authority.context(), "new.test").get().status == 200
    site.expected += ["certificate", "live.pem"]


@pytest.mark.skipif(os.geteuid() != 0, reason="dropping privileges needs them first")
def test_nobody_else_can_read_keys(quintet, authority, tmp_path):
    """The supervisor, root, reads them; the edge is nobody and may gain nothing, the workers are who they are told."""
    env = for_other_users(tmp_path)
    private = authority.pair("localhost")
    site = quintet("plain.py", tls=[private], options=["--user", "www-data"], env=env)
    assert os.stat(private.key).st_mode & 0o077 == 0
    assert site.client(authority.context(), "localhost").get().status == 200
    for pid in [site.edge_pid, *site.worker_pids()]:
        status = processes.status(pid)
        assert set(status["Uid"].split()) != {"0"} and "0" not in status["Uid"].split(), processes.title(pid)
        assert "0" not in status["Gid"].split() and status["Groups"].strip() in ("", status["Gid"].split()[0])
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0
        assert not [link for link in processes.descriptors(pid) if link == str(private.key)]
    assert processes.status(site.edge_pid)["NoNewPrivs"] == "1"


def test_mismatched_key(quintet, authority):
    one, two = authority.pair("localhost"), authority.pair("localhost")
    site = quintet("plain.py", tls=[Pair(one.cert, two.key, one.ca)], start=False)
    site.exit_code = 2
    site.start(wait=False)
    site.wait_exit()
    assert str(two.key.name) in site.said() or str(one.cert.name) in site.said()
    site.expected.append("")
