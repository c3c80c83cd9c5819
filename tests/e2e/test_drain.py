"""How it leaves: readiness fails first, then it serves on, then every answer says goodbye, then it ends."""
import os
import signal
import threading
import time

from kit.client import Client, connect
from kit.waiting import SLOW, until

HEALTH = ["--health-path", "/up"]


def state(site):
    return (site.try_status() or {}).get("state")


def gone(site):
    return site.process.poll() is not None


def refused(address):
    """Once the drain has begun a SYN gets no answer until the listener is closed: nobody waits for the second one here."""
    try:
        connect(address, timeout=0.1).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        pass
    return False


# ---- the delay ----

def test_serves_on_while_readiness_fails(quintet):
    """New connections and kept ones are served as before, and no answer says close, for the whole delay."""
    site = quintet("plain.py", options=[*HEALTH, "--shutdown-delay", "1s"])
    kept, address, begin = site.client(), site.address(), time.monotonic()
    assert kept.get("/up").status == 200
    site.signal(signal.SIGTERM)
    until(lambda: state(site) == "leaving", "the delay to begin")
    assert kept.get("/up").status == 503
    while state(site) == "leaving":
        fresh = Client(connect(address))
        r = fresh.get("/hello")
        assert r.status == 200 and ("Connection" not in r or state(site) != "leaving")
        fresh.close()
        assert kept.get("/hello").status == 200
        time.sleep(0.05)
    assert time.monotonic() - begin >= 0.9
    assert site.wait_exit() == 0


def test_no_delay_where_nobody_watches(quintet):
    site = quintet("plain.py", options=HEALTH)
    begin = time.monotonic()
    site.signal(signal.SIGTERM)
    assert site.wait_exit() == 0 and time.monotonic() - begin < 4
    assert site.messages(message="drain and stop")[0]["delay_ms"] == 0


def test_delay_where_readiness_is_watched(quintet):
    site = quintet("plain.py", options=HEALTH)
    assert site.get("/up").status == 200
    until(lambda: site.get("/up").status == 200, "the supervisor to be told")
    site.signal(signal.SIGTERM)
    until(lambda: state(site) == "leaving", "the delay to begin")
    until(lambda: site.messages(message="drain and stop"), "the log's writer to come to it")
    assert site.messages(message="drain and stop")[0]["delay_ms"] == 5000
    site.signal(signal.SIGTERM)  # a second one: at once
    assert site.wait_exit(3) == 0


def test_delay_in_kubernetes_and_an_option_that_wins(quintet):
    site = quintet("plain.py", env={"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    site.signal(signal.SIGTERM)
    assert site.wait_message(message="drain and stop")["delay_ms"] == 5000
    site.signal(signal.SIGINT)
    assert site.wait_exit(3) == 0
    other = quintet("plain.py", env={"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, options=["--shutdown-delay", "0"])
    other.signal(signal.SIGTERM)
    assert other.wait_exit() == 0
    assert other.messages(message="drain and stop")[0]["delay_ms"] == 0


def test_deaths_during_the_delay(quintet):
    """The edge and a worker die while it serves on: replaced as ever, and the new edge knows that it is leaving."""
    site = quintet("plain.py", options=[*HEALTH, "--shutdown-delay", "5s"])
    site.expected.append("edge died")
    address, edge, worker = site.address(), site.edge_pid, site.worker_pids()[0]
    site.signal(signal.SIGTERM)
    until(lambda: state(site) == "leaving", "the delay to begin")
    os.kill(worker, signal.SIGKILL)
    os.kill(edge, signal.SIGKILL)

    def answer(path):
        c = Client(connect(address))
        try:
            return c.get(path).status
        except (OSError, AssertionError):
            return None
        finally:
            c.close()

    until(lambda: answer("/hello") == 200, "the next edge")
    assert answer("/up") == 503
    assert site.wait_exit() == 0


def test_no_reload_while_it_leaves(quintet):
    site = quintet("plain.py", options=["--shutdown-delay", "2s"])
    site.signal(signal.SIGTERM)
    until(lambda: state(site) == "leaving", "the delay to begin")
    done = site.command("reload")
    assert done.returncode == 1 and "stopping" in done.stderr
    assert site.wait_exit() == 0


# ---- the drain ----

def test_idle_connection_has_a_moment_for_a_request(quintet, tmp_path):
    """The answer before said nothing of closing, so what the client sends now is answered, and says it.

    Who has connected and said nothing yet is still with the kernel: the listener is not closed before it is let in."""
    site = quintet("plain.py")
    kept, idle, address = site.client(), site.client(), site.address()
    assert kept.get("/hello").status == 200 and idle.get("/hello").status == 200
    fresh = site.client()
    site.signal(signal.SIGTERM)
    until(lambda: kept.get("/hello").get("Connection") == "close", "the drain")
    kept.nothing_more()
    until(lambda: refused(address), "the listener to close")
    r = fresh.get("/hello")
    assert r.status == 200 and r["Connection"] == "close"
    fresh.nothing_more()
    begin = time.monotonic()
    idle.nothing_more()
    assert time.monotonic() - begin < 2 * SLOW
    assert site.wait_exit() == 0


def test_answer_begun_before_the_drain(quintet, tmp_path):
    """Its head could not say close: the next request on that connection is answered, too."""
    site = quintet("plain.py")
    c, address = site.client(), site.address()
    at, go = tmp_path / "at", tmp_path / "go"
    c.send(b"GET /stream_gate?at=%s&until=%s HTTP/1.1\r\nHost: a\r\n\r\n" % (str(at).encode(), str(go).encode()))
    until(at.exists, "the worker")
    head = c.head_of_response()
    assert "Connection" not in head
    site.signal(signal.SIGTERM)
    until(lambda: refused(address), "the listener to close")
    go.touch()
    assert c._chunks() == b"first\nlast\n"
    r = c.get("/hello")
    assert r.status == 200 and r["Connection"] == "close"
    assert site.wait_exit() == 0


def test_handshake_during_the_drain(quintet, authority, pair):
    site = quintet("plain.py", tls=[pair])
    raw, address = connect(site.address("https")), site.address("https")
    until(lambda: sum(site.status()["edge"]["open"]) == 1, "the connection")
    site.signal(signal.SIGTERM)
    until(lambda: refused(address), "the listener to close")
    c = Client(authority.context().wrap_socket(raw, server_hostname="localhost"))
    r = c.get("/hello")
    assert r.status == 200 and r["Connection"] == "close"
    c.close()
    assert site.wait_exit() == 0


def test_keep_alive_clients_lose_nothing(quintet):
    """Clients that never pause, on connections that live until they are told to close: not one fails while it stops."""
    site = quintet("plain.py", options=["--shutdown-delay", "300ms"])
    address, failures, counts = site.address(), [], []

    def visit():
        c, n, told = Client(connect(address)), 0, False
        try:
            while not told:
                r = c.get("/hello")
                assert r.status == 200, r
                n, told = n + 1, "Connection" in r
            c.nothing_more()
        except (OSError, AssertionError) as error:
            failures.append(repr(error))
        counts.append(n)

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for t in threads:
        t.start()
    site.signal(signal.SIGTERM)
    for t in threads:
        t.join()
    assert not failures and len(counts) == 8 and min(counts) > 1
    assert site.wait_exit() == 0


def test_nobody_is_reset_at_the_door(quintet):
    """Clients with a connection for each request: each is answered or refused, none is let in and then reset."""
    site = quintet("plain.py")
    address, ends, answered = site.address(), [], []

    def visit():
        while True:
            try:
                s = connect(address, timeout=5.0)
            except ConnectionRefusedError:
                ends.append("refused")
                return
            except OSError as error:
                ends.append(repr(error))
                return
            c = Client(s)
            try:
                answered.append(c.get("/hello").status)
            except (OSError, AssertionError) as error:
                ends.append(repr(error))
                return
            finally:
                c.close()

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for t in threads:
        t.start()
    until(lambda: len(answered) > 100, "some answers")
    site.signal(signal.SIGTERM)
    for t in threads:
        t.join()
    assert ends == ["refused"] * 8 and set(answered) == {200}
    assert site.wait_exit() == 0
