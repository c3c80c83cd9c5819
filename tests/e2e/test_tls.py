"""TLS: versions, certificates by name, resumption, ALPN, reload, and who may read keys."""
import json
import os
import shutil
import signal
import socket
import ssl
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from kit import client, processes
from kit.certificates import RSA, Pair
from kit.instance import for_other_users
from kit.waiting import until


@pytest.fixture
def site(quintet, pair):
    return quintet("plain.py", tls=[pair])


def peer(c):
    return dict(rdn[0] for rdn in c.sock.getpeercert()["subject"])["commonName"]


@pytest.mark.parametrize("protocols", [["http/1.1"], ["h2", "http/1.1"]])
def test_handshakes_anywhere_connections_at_home(site, authority, protocols):
    """Half the cores serve; the others make handshakes, and keep nobody."""
    cores = len(os.sched_getaffinity(0))
    homes, lanes, clients = max(1, min(cores // 2, 8)), max(1, min(cores, 8)), 40
    context = authority.context()
    context.set_alpn_protocols(protocols)

    def connections():
        return site.status()["edge"]["open"]

    socks = [client.connect(site.address("https")) for _ in range(clients)]
    until(lambda: sum(connections()) == clients, "all to be accepted")
    assert len(connections()) == lanes
    assert all(n >= clients // lanes - 2 for n in connections()), connections()
    with ThreadPoolExecutor(8) as pool:
        socks = list(pool.map(lambda s: context.wrap_socket(s, server_hostname="localhost"), socks))
    until(lambda: connections()[homes:] == [0] * (lanes - homes), "all to have gone home")
    assert sum(connections()) == clients
    if protocols == ["http/1.1"]:
        for _ in range(2):
            assert all(client.Client(s).get("/").body == b"hello\n" for s in socks)
    else:
        assert all(s.selected_alpn_protocol() == "h2" for s in socks)
    for s in socks:
        s.close()
    until(lambda: sum(connections()) == 0, "all to be gone")


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


def test_requests_that_come_while_others_lie_ready(site, authority, tmp_path):
    """Two in one packet, a record each, and a third while the first is answered: when the second is read, nothing tells of the third any more."""
    c = site.client(authority.context(), "localhost")
    at, until_ = tmp_path / "at", tmp_path / "until"
    c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
    c.send(b"GET /gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (bytes(at), bytes(until_)))
    c.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
    until(at.exists, "the first is under way")
    c.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(0.2)  # so that it has come; earlier there is nothing to see
    until_.touch()
    assert c.response().body.startswith(b"through")
    assert [c.response().body for _ in range(2)] == [b"hello\n"] * 2


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


def resumer(site, context):
    """A function that connects with a session (or None) and tells (was it resumed, the session of now)."""
    def connect(session):
        raw = client.connect(site.address("https"))
        c = client.Client(context.wrap_socket(raw, server_hostname="localhost", session=session))
        assert c.get().body == b"hello\n"
        resumed, session = c.sock.session_reused, c.sock.session
        c.close()
        return resumed, session
    return connect


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_resumption_across_reload_and_upgrade(site, authority, version):
    """Another generation, the same configuration again, another program in the same process: the ring goes along."""
    connect = resumer(site, authority.context(version))
    _, session = connect(None)
    for words in (["reload"], ["reload", "--edge"]):
        assert site.command(*words).returncode == 0
        resumed, session = connect(session)
        assert resumed, words
    edge = site.edge_pid
    site.signal(signal.SIGUSR2)
    until(lambda: (site.try_status() or {}).get("edge", {}).get("pid", edge) != edge and site.status()["edge"]["state"] == "up"
          and len(site.status()["generations"]) == 1, "the new program's edge")
    assert connect(session)[0]


def test_no_resumption_after_a_renewal(quintet, authority, tmp_path):
    old, new = authority.pair("localhost"), authority.pair("localhost")
    live = Pair(tmp_path / "live.pem", tmp_path / "live.key", old.ca)
    shutil.copy(old.cert, live.cert), shutil.copy(old.key, live.key)
    site = quintet("plain.py", tls=[live])
    connect = resumer(site, authority.context())
    _, session = connect(None)
    assert connect(session)[0]
    shutil.copy(new.cert, live.cert), shutil.copy(new.key, live.key)
    assert site.command("reload", "--edge").returncode == 0
    assert not connect(session)[0]


def test_the_key_that_the_client_can_use(quintet, authority):
    """Two pairs for one name."""
    site = quintet("plain.py", tls=[authority.pair("localhost", key_kind=RSA), authority.pair("localhost")])
    for ciphers in ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"):
        context = authority.context(ssl.TLSVersion.TLSv1_2)
        context.set_ciphers(ciphers)
        c = site.client(context, "localhost")
        assert c.sock.cipher()[0] == ciphers and c.get().status == 200


# ---- certificates of clients ----


def with_own(authority, pair, version=None):
    context = authority.context(version)
    context.load_cert_chain(pair.cert, pair.key)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_clients_must_have_a_certificate(quintet, authority, pair, version, tmp_path):
    site = quintet("plain.py", tls=[pair], options=["--tls-client-ca", authority.ca, "--edge-threads", "1"])
    c = site.client(with_own(authority, authority.person("Anna"), version), "localhost")
    for _ in range(2):
        got = json.loads(c.get("/environ", ("SSL-Client-Verify", "SUCCESS"), ("SSL-Client-S-DN", "CN=root")).body)
        assert got["SSL_CLIENT_VERIFY"] == "SUCCESS"
        assert got["SSL_CLIENT_S_DN"] == "CN=Anna,O=Quintet"
        assert got["SSL_CLIENT_I_DN"] == "CN=test authority"
        assert int(got["SSL_CLIENT_M_SERIAL"], 16) > 0
    stranger = type(authority)(tmp_path).person("Anna")
    for context in (authority.context(version), with_own(authority, stranger, version)):
        with pytest.raises((ssl.SSLError, ConnectionResetError)) as caught:
            site.client(context, "localhost").get()
        if caught.type is ssl.SSLError:
            assert "ALERT" in str(caught.value).upper()
    said = site.wait_message(message="a client's certificate is missing or not accepted")
    assert said["client"] == "127.0.0.1" and said["why"]
    resumed = resumer(site, with_own(authority, authority.person("Bert"), version))
    _, session = resumed(None)
    assert resumed(session)[0]


def test_clients_may_have_a_certificate(quintet, authority, pair):
    """And one that is revoked is worse than none."""
    anna, bert = authority.person("Anna"), authority.person("Bert")
    site = quintet("plain.py", tls=[pair], files={"staff.pem": authority.ca.read_text() + authority.revocation(bert)},
                   options=["--tls-client-ca", "staff.pem", "--tls-client-auth", "optional"])
    got = json.loads(site.client(authority.context(), "localhost").get("/environ").body)
    assert got["SSL_CLIENT_VERIFY"] == "NONE" and "SSL_CLIENT_S_DN" not in got
    got = json.loads(site.client(with_own(authority, anna), "localhost").get("/environ").body)
    assert (got["SSL_CLIENT_VERIFY"], got["SSL_CLIENT_S_DN"]) == ("SUCCESS", "CN=Anna,O=Quintet")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        site.client(with_own(authority, bert), "localhost").get()
    assert site.wait_message(message="a client's certificate is missing or not accepted")["why"] == "certificate revoked"
    # whoever is on plain HTTP was not asked
    assert "SSL_CLIENT_VERIFY" not in json.loads(site.get("/environ").body)


def test_authorities_are_reloaded(quintet, authority, pair):
    anna = authority.person("Anna")
    site = quintet("plain.py", tls=[pair], files={"staff.pem": authority.ca.read_text()}, options=["--tls-client-ca", "staff.pem"])
    connect = resumer(site, with_own(authority, anna))
    _, session = connect(None)
    site.write("staff.pem", authority.ca.read_text() + authority.revocation(anna))
    assert site.command("reload", "--edge").returncode == 0
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        connect(session)
    site.write("staff.pem", "nothing\n")
    failed = site.command("reload", "--edge")
    assert failed.returncode != 0 and "staff.pem: no certificates of authorities" in failed.stdout + failed.stderr
    site.expected += ["staff.pem"]


# ---- what there is to know of certificates ----


def test_status_names_certificates(quintet, authority):
    pair, rsa = authority.pair("one.test", days=90), authority.pair("one.test", key_kind=RSA, days=90)
    site = quintet("plain.py", tls=[pair, rsa])
    first, second = site.status()["certificates"]
    assert (first["name"], first["key"], first["file"]) == ("one.test", "ECDSA 256", str(pair.cert))
    assert second["key"] == "RSA 2048"
    assert 89 * 86400 < first["expires"] - time.time() < 91 * 86400
    assert "one.test (RSA 2048) ends in 89d" in site.command("status").stdout


def test_the_end_is_near(quintet, authority):
    """Said in the log and by `check`."""
    soon = authority.pair("localhost", days=90, age=89)
    site = quintet("plain.py", tls=[soon])
    said = site.wait_message(message="a certificate expires soon")
    assert said["name"] == "localhost" and said["certificate"] == str(soon.cert) and said["days"] in (0, 1)
    checked = site.command("check", "app:application", "--chdir", site.project, "--tls-bind", "127.0.0.1:0", "--certfile", soon.cert, "--keyfile", soon.key)
    assert "%s ends in " % soon.cert in checked.stdout + checked.stderr
    site.expected.append("a certificate expires soon")


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


def test_an_edge_that_dies_while_the_files_are_bad(quintet, authority, tmp_path):
    """The next one gets the certificates that the last one had."""
    pair = authority.pair("localhost")
    live = Pair(tmp_path / "live.pem", tmp_path / "live.key", pair.ca)
    shutil.copy(pair.cert, live.cert)
    shutil.copy(pair.key, live.key)
    site = quintet("plain.py", tls=[live])
    for text in ("nonsense", None):
        live.cert.unlink()
        if text:
            live.cert.write_text(text)
        edge = site.edge_pid
        os.kill(edge, signal.SIGKILL)
        until(lambda: site.status()["edge"]["pid"] not in (0, edge) and site.status()["edge"]["state"] == "up", "another edge")
        assert site.client(authority.context(), "localhost").get().status == 200
        assert site.wait_message(message="the certificates cannot be used", instead="those that were used before")
    site.expected += ["edge died", "the certificates cannot be used"]


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
