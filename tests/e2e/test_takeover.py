"""USR2: another program takes over in the same process, and nobody who is being served notices."""
import os
import re
import shutil
import signal
import ssl
import threading

import pytest

from kit import client, instance, processes
from kit.visitors import Visitors
from kit.waiting import SLOW, until
from test_systemd import Manager, socket_activated

APP = """
import time

def app(environ, start):
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(float(environ["QUERY_STRING"] or 1))
    if path == "/echo":
        body = environ["wsgi.input"].read()
        start("200 OK", [("Content-Length", str(len(body)))])
        return [body]
    if path == "/big":
        start("200 OK", [("Content-Length", str(64 << 20))])
        return (bytes(1 << 20) for _ in range(64))
    start("200 OK", [])
    return [b"one"]
"""
VERSION = re.search(r"version: '([^']+)'", (instance.ROOT / "meson.build").read_text())[1].encode() + b"\0"


def version(digit):
    """Another version, of the same length: 0.1.0 becomes 9.9.9."""
    return re.sub(b"[0-9]", str(digit).encode(), VERSION)


NEXT = version(9)
# The sanitizers' build is run by a script: what is copied and replaced is the program itself.
BINARY = instance.BINARY.with_name("quintet") if instance.SANITIZED else instance.BINARY
PRELOAD = re.findall(r'export (LD_PRELOAD)="(.*)"', instance.BINARY.read_text()) if instance.SANITIZED else []


class Program:
    """A copy of the binary that may be replaced. Versions differ in a string of the same length."""

    def __init__(self, folder):
        self.path = folder / "quintet"
        self.put(BINARY.read_bytes())

    def put(self, content, mode=0o755):
        """As a package manager does: written beside, then moved over."""
        aside = self.path.with_name("aside")
        aside.write_bytes(content)
        aside.chmod(mode)
        aside.rename(self.path)

    def upgrade(self, version=NEXT):
        content = BINARY.read_bytes()
        assert VERSION in content
        self.put(content.replace(VERSION, version))


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path)


@pytest.fixture
def served(quintet, program):
    def start(text=APP, before=lambda site: None, **more):
        env = {"QUINTET_PACKAGE_DIR": str(BINARY.parent / "python"), **dict(PRELOAD), **more.pop("env", {})}
        site = quintet(text, more.pop("app", "app:app"), start=False, env=env, **more)
        site.binary = program.path
        before(site)
        return site.start()
    return start


def settled(site):
    now = site.try_status()
    return now and now["reload"] == "idle" and len(now["generations"]) == 1 and now


def taken_over(site, old_edge, version=NEXT):
    def done():
        now = settled(site)
        return now and now["version"].encode() + b"\0" == version and now["edge"]["pid"] != old_edge
    until(done, lambda: "the takeover\n" + site.said(), 20)


def take_over(site, version=NEXT):
    old = site.edge_pid
    site.signal(signal.SIGUSR2)
    taken_over(site, old, version)
    return old


def booting(site):
    """The new program's generation boots."""
    until(lambda: (site.try_status() or {}).get("reload") == "booting", lambda: "its boot\n" + site.said())


def test_under_load(served, program):
    """The same process, another program; old processes are gone, and every request was answered."""
    site = served()
    pid, workers, started = site.pid, site.worker_pids(), processes.stat(site.pid)
    with Visitors(site, 3, "/") as visitors, Visitors(site, 2, "/echo") as posts:
        until(lambda: visitors.count > 50 and posts.count > 20, "some visits")
        program.upgrade()
        old = take_over(site)
        seen = visitors.count
        until(lambda: visitors.count > seen + 50, "more visits")
    assert not visitors.failures and not posts.failures, (visitors.failures + posts.failures)[:5]
    assert processes.title(pid) == "quintet: supervisor"
    assert site.status()["pid"] == pid and processes.stat(pid)[2] == started[2]
    until(lambda: not [p for p in [old, *workers] if processes.alive(p)], "the old processes to be gone")
    assert NEXT[:-1].decode() in site.command("version").stdout
    assert site.status()["generations"][0]["generation"] == 2
    assert site.command("reload").returncode == 0
    assert site.get().body == b"one"


def test_open_connections_are_finished_by_the_old_edge(served, program):
    """A slow request, a slow upload and a slow download: begun before, ended after the new edge serves."""
    site = served()
    slow, upload, download = site.client(), site.client(), site.client(receive_buffer=4096)
    slow.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    upload.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\n" + b"a" * 1000)
    download.send(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
    head = download.head_of_response()
    assert head.status == 200 and download.read(1 << 20) == bytes(1 << 20)
    program.upgrade()
    old = site.edge_pid
    site.signal(signal.SIGUSR2)
    until(lambda: (site.try_status() or {"edge": {"pid": old}})["edge"]["pid"] != old, "the new edge", 20)
    assert site.get().body == b"one"
    assert processes.alive(old) and site.status()["edge_before"]["pid"] == old
    upload.send(b"b" * 1000)
    assert upload.response("POST").body == b"a" * 1000 + b"b" * 1000
    assert slow.response().body == b"one"
    assert download.read(63 << 20) == bytes(63 << 20)
    taken_over(site, old)
    until(lambda: not processes.alive(old), "the old edge to be gone")


def test_twice_in_a_row(served, program):
    site = served()
    with Visitors(site, 3, "/") as visitors:
        program.upgrade()
        old = site.edge_pid
        site.signal(signal.SIGUSR2)
        site.signal(signal.SIGUSR2)
        taken_over(site, old)
        program.upgrade(version(8))
        take_over(site, version(8))
    assert not visitors.failures, visitors.failures[:5]


@pytest.mark.parametrize("what, why", [
    ("script", "exited with 1: broken"),
    ("silent", "exited with 1 and said nothing"),
    ("truncated", ""),
    ("gone", ""),
    ("other", "another format"),
])
def test_a_program_that_cannot(served, program, what, why):
    """It is asked before anything happens: the old one goes on."""
    site = served()
    site.expected += ["cannot take over"]
    edge, workers = site.edge_pid, site.worker_pids()
    with Visitors(site, 2, "/") as visitors:
        if what == "gone":
            program.path.unlink()
        else:
            program.put({"script": b"#!/bin/sh\necho broken >&2\nexit 1\n", "silent": b"#!/bin/sh\nexit 1\n", "other": b"#!/bin/sh\necho hello\n",
                         "truncated": BINARY.read_bytes()[:100000]}[what])
        site.signal(signal.SIGUSR2)
        assert why in site.wait_message(message="the program on disk cannot take over: this one goes on")["text"]
    assert not visitors.failures, visitors.failures[:5]
    assert (site.edge_pid, site.worker_pids()) == (edge, workers)
    program.upgrade()
    take_over(site)


def test_a_wrong_configuration_is_found_before(served, program):
    site = served()
    site.expected += ["cannot take over"]
    site.write("quintet.yaml", "no_such_option: 1\n")
    site.signal(signal.SIGUSR2)
    said = site.wait_message(message="the program on disk cannot take over: this one goes on")
    assert "no_such_option" in said["text"] and said["text"].count("quintet.yaml:1") == 1


def test_an_application_that_does_not_boot(served, program):
    """The new supervisor keeps the old edge and workers; the next reload brings the new edge."""
    site = served()
    site.expected += ["reload failed", "boot"]
    edge, workers = site.edge_pid, site.worker_pids()
    with Visitors(site, 2, "/") as visitors:
        site.write("app.py", "import does_not_exist\n")
        program.upgrade()
        site.signal(signal.SIGUSR2)
        site.wait_message(message="reload failed: the serving generation stays")
        until(lambda: settled(site), "the end of it")
        assert site.status()["version"] == NEXT[:-1].decode()
        assert (site.edge_pid, site.worker_pids()) == (edge, workers)
        site.write("app.py", APP)
        assert site.command("reload").returncode == 0
        assert site.edge_pid != edge
        until(lambda: not processes.alive(edge), "the old edge to be gone")
    assert not visitors.failures, visitors.failures[:5]


def test_a_new_program_that_fails_after_the_exec_gives_back(served, program):
    """Its Python side is missing, which the probe does not look at: the program before is executed again, though its file is gone."""
    site = served()
    site.expected += ["could not take over"]
    edge, workers = site.edge_pid, site.worker_pids()
    content = BINARY.read_bytes()
    assert b"ticket_key\0" in content
    with Visitors(site, 2, "/") as visitors:
        program.put(content.replace(b"ticket_key\0", b"ticket_Key\0").replace(VERSION, NEXT))
        site.signal(signal.SIGUSR2)
        said = site.wait_message(message="the program on disk could not take over: this one goes on")
        assert "not in the form" in said["text"]
        until(lambda: settled(site), "an answer")
    assert not visitors.failures, visitors.failures[:5]
    assert site.status()["version"] == VERSION[:-1].decode()
    assert (site.edge_pid, site.worker_pids()) == (edge, workers)
    assert site.command("reload").returncode == 0
    program.upgrade()
    take_over(site)


def test_the_exec_itself_fails(served, program, tmp_path):
    """A script that gives the right answer and then takes its interpreter away: all is put back as it was."""
    site = served()
    site.expected += ["cannot take over", "died"]
    edge, workers = site.edge_pid, site.worker_pids()
    shell = tmp_path / "shell"
    shutil.copy("/bin/sh", shell)
    with Visitors(site, 2, "/") as visitors:
        program.put(b"#!%s\nrm %s\necho quintet handover format 1\n" % (bytes(shell), bytes(shell)))
        site.signal(signal.SIGUSR2)
        said = site.wait_message(message="the program on disk cannot take over: this one goes on")
        assert "no such file" in said["text"]
        assert (site.edge_pid, site.worker_pids()) == (edge, workers)
        os.kill(workers[0], signal.SIGKILL)

        new, old = until(lambda: site.workers_without(2, workers[0]), "another worker")
        # What had been kept open for the exec is not left to the children. A worker that imports or reads a file has one more for a moment.
        until(lambda: len(processes.descriptors(new)) == len(processes.descriptors(old)), "the same descriptors in both")
    assert not visitors.failures, visitors.failures[:5]
    program.upgrade()
    take_over(site)


def test_while_a_reload_is_under_way(served, program):
    """The reload comes to its end first, and who asked for it has his answer."""
    site = served()
    site.write("app.py", "import time\ntime.sleep(1)\n" + APP)
    program.upgrade()
    old, done = site.edge_pid, []
    with Visitors(site, 2, "/") as visitors:
        thread = threading.Thread(target=lambda: done.append(site.command("reload")))
        thread.start()
        booting(site)
        site.signal(signal.SIGUSR2)
        taken_over(site, old)
        thread.join()
    assert done[0].returncode == 0, done[0]
    assert not visitors.failures, visitors.failures[:5]
    assert site.status()["generations"][0]["generation"] == 3


def test_a_kept_generation_is_ended(served, program):
    site = served(options=["--keep-generation", "60"])
    site.more_descriptors = 8  # its pool's
    assert site.command("reload").returncode == 0
    assert len(site.status()["generations"]) == 2
    program.upgrade()
    take_over(site)
    assert site.command("reload").returncode == 0
    assert sorted(g["state"] for g in site.status()["generations"]) == ["kept", "serving"]
    assert site.command("rollback").returncode == 0


def test_preloaded_workers(served, program):
    """They stay children of the same process; one that dies meanwhile is forked from another preloader."""
    site = served(options=["--preload"])
    workers = site.worker_pids()
    site.write("app.py", "import time\ntime.sleep(2)\n" + APP)
    with Visitors(site, 2, "/") as visitors:
        program.upgrade()
        old = site.edge_pid
        site.signal(signal.SIGUSR2)
        booting(site)
        assert [pid for pid in workers if processes.alive(pid)] == workers
        os.kill(workers[0], signal.SIGKILL)
        taken_over(site, old)
        seen = visitors.count
        until(lambda: visitors.count > seen + 20, "more visits")
    assert not visitors.failures, visitors.failures[:5]
    until(lambda: not [pid for pid in workers if processes.alive(pid)], "the old workers to be gone")


def test_sockets_of_the_service_manager(quintet, program, tmp_path):
    """They stay; the manager hears that it reloads and is ready again, from the same process."""
    path, manager = tmp_path / "s", Manager(tmp_path / "n")
    site = socket_activated(quintet, [path], env={"QUINTET_PACKAGE_DIR": str(BINARY.parent / "python"), **dict(PRELOAD),
                                                  "NOTIFY_SOCKET": manager.name}, binary=program.path)
    until(path.exists, "the socket")
    client.connect(str(path)).close()
    site.wait_ready()
    manager.wait("^READY=1$")
    program.upgrade()
    take_over(site)
    manager.wait("^RELOADING=1$")
    manager.wait("^READY=1$", 2)
    c = client.Client(client.connect(str(path)))
    assert c.get("/").body == b"hello"
    c.close()
    assert site.status()["addresses"] == ["unix:%s" % path]


def test_stop_in_the_middle(served, program):
    """TERM while the old edge still has a download: both finish, then it ends."""
    site = served()
    slow = site.client()
    program.upgrade()
    old = site.edge_pid
    slow.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    site.signal(signal.SIGUSR2)
    until(lambda: (site.try_status() or {"edge": {"pid": old}})["edge"]["pid"] != old, "the new edge", 20)
    again = site.client()
    again.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    until(lambda: site.status()["edge"].get("requests", 1) > 0, "the request")
    site.signal(signal.SIGTERM)
    assert slow.response().body == b"one"
    assert again.response().body == b"one"
    assert site.wait_exit() == 0


def test_stop_while_it_boots(served, program):
    site = served(APP)
    site.write("app.py", "import time\ntime.sleep(60)\n")
    program.upgrade()
    site.signal(signal.SIGUSR2)
    booting(site)
    site.signal(signal.SIGTERM)
    assert site.wait_exit() == 0


def test_the_old_edge_is_killed_in_the_middle(served, program):
    """Before the switch another one of the new program takes its place; after it, its connections are all that is lost."""
    site = served()
    site.expected += ["edge"]
    old = site.edge_pid
    site.write("app.py", "import time\ntime.sleep(2)\n" + APP)
    program.upgrade()
    site.signal(signal.SIGUSR2)
    booting(site)
    os.kill(old, signal.SIGKILL)
    taken_over(site, old)
    assert site.get().body == b"one"
    last = site.edge_pid
    site.write("app.py", APP)
    slow = site.client()
    slow.send(b"GET /slow?5 HTTP/1.1\r\nHost: x\r\n\r\n")
    site.signal(signal.SIGUSR2)
    until(lambda: (site.try_status() or {"edge": {"pid": last}})["edge"]["pid"] != last, "the new edge", 20)
    os.kill(last, signal.SIGKILL)
    with pytest.raises(client.Closed):
        slow.response()
    taken_over(site, last)
    assert site.get().body == b"one"


def test_a_worker_dies_in_the_middle(served, program):
    site = served()
    old, workers = site.edge_pid, site.worker_pids()
    site.write("app.py", "import time\ntime.sleep(2)\n" + APP)
    with Visitors(site, 2, "/") as visitors:
        program.upgrade()
        site.signal(signal.SIGUSR2)
        booting(site)
        os.kill(workers[0], signal.SIGKILL)
        taken_over(site, old)
    assert not visitors.failures, visitors.failures[:5]


def test_addresses_of_the_new_configuration(served, program):
    """Those of both stay open, a new one is opened, one that is not wanted any more is closed; what its file is, too."""
    def configured(*names):
        return "bind:\n  - 127.0.0.1:0\n" + "".join("  - unix:%s\n" % (site.short / name) for name in names)

    def prepare(site_):
        nonlocal site
        site = site_
        i = site.arguments.index("--bind")
        del site.arguments[i:i + 2]
        site.write("quintet.yaml", configured("kept", "gone"))

    site = None
    served(before=prepare)
    port = site.address()[1]
    held = client.Client(client.connect(str(site.short / "gone")))
    assert held.get("/").body == b"one"
    site.write("quintet.yaml", configured("kept", "new"))
    program.upgrade()
    with Visitors(site, 2, "/") as visitors:
        take_over(site)
    assert not visitors.failures, visitors.failures[:5]
    assert site.address()[1] == port
    for name in ("kept", "new"):
        c = client.Client(client.connect(str(site.short / name)))
        assert c.get("/").body == b"one"
        c.close()
    assert sorted(p.name for p in site.short.iterdir()) == ["control.sock", "kept", "new"]
    held.close()


def test_an_address_that_cannot_be_opened(served, program):
    """The new program stays the supervisor, the old edge goes on."""
    site = None

    def prepare(site_):
        nonlocal site
        site = site_
        i = site.arguments.index("--bind")
        del site.arguments[i:i + 2]
        site.write("quintet.yaml", "bind: [127.0.0.1:0]\n")

    served(before=prepare)
    site.expected += ["reload failed"]
    edge = site.edge_pid
    site.write("quintet.yaml", "bind: [127.0.0.1:0, 192.0.2.1:80]\n")
    program.upgrade()
    site.signal(signal.SIGUSR2)
    assert "cannot listen on 192.0.2.1:80" in site.wait_message(message="reload failed: the serving generation stays")["text"]
    assert site.edge_pid == edge and site.get().body == b"one"
    site.write("quintet.yaml", "bind: [127.0.0.1:0]\n")
    assert site.command("reload").returncode == 0
    assert site.edge_pid != edge and site.get().body == b"one"


def test_tls_sessions_are_resumed(served, program, pair, authority):
    """The key of the session tickets is handed over."""
    site = served(tls=[pair])
    context = authority.context(ssl.TLSVersion.TLSv1_2)

    def visit(session=None):
        raw = client.connect(site.address("https"))
        sock = context.wrap_socket(raw, server_hostname="localhost", session=session)
        c = client.Client(sock)
        assert c.get("/").status == 200
        reused, session = sock.session_reused, sock.session
        c.close()
        return reused, session

    _, session = visit()
    program.upgrade()
    take_over(site)
    assert visit(session)[0]


def test_a_django_project(served, program, shop_folder):
    """Its settings are asked again; files and pages are served throughout."""
    site = served("", app=None, project=shop_folder.project, env=shop_folder.env)
    static = re.search(r'"(/static/[^"]+\.css)"', site.get("/", host="localhost").text)[1]
    with Visitors(site, 2, static, host="localhost") as files, Visitors(site, 2, "/", host="localhost") as pages:
        until(lambda: files.count > 20 and pages.count > 5, "some visits")
        program.upgrade()
        take_over(site)
    assert not files.failures and not pages.failures, (files.failures + pages.failures)[:3]
    assert site.get(static, host="localhost").status == 200


def test_files_that_name_it_stay(served, program, tmp_path):
    """The pid file and the control socket are its own before and after, and gone in the end."""
    site = served(options=["--pid", str(tmp_path / "pid")])
    program.upgrade()
    take_over(site)
    assert int((tmp_path / "pid").read_text()) == site.pid
    assert site.command("status").returncode == 0
    site.finish()
    assert not (tmp_path / "pid").exists()


def test_nothing_piles_up(served, program):
    """Six programs later the supervisor has as many descriptors, children and as much memory as at first."""
    site = served()
    seen = []
    with Visitors(site, 2, "/") as visitors:
        for i in range(6):
            program.upgrade(version(i + 1))
            take_over(site, version(i + 1))
            seen.append((len(processes.descriptors(site.pid)), processes.memory(site.pid)))
    assert not visitors.failures, visitors.failures[:5]
    assert max(n for n, _ in seen) <= seen[0][0] + 2, seen
    if not instance.SANITIZED:
        assert seen[-1][1] < seen[0][1] + (1 << 20), seen


def test_probes_and_scrapes_during_a_takeover(served, program):
    """Readiness never fails: the new edge answers probes when it serves, the old one no longer when it drains."""
    site = served(options=["--metrics-bind", "127.0.0.1:0"])
    host, _, port = site.status()["metrics"].split("://")[1].rpartition(":")
    program.upgrade()
    old, bad = site.edge_pid, []
    site.signal(signal.SIGUSR2)

    def probe():
        c = client.Client(client.connect((host, int(port))))
        r = c.get("/readyz")
        if r.status != 200:
            bad.append(r)
        assert c.get("/metrics").status == 200
        c.close()
        now = settled(site)
        return now and now["edge"]["pid"] != old

    until(probe, "the takeover", 20)
    for _ in range(20):
        probe()
    assert not bad, bad
    assert 'quintet_build_info{version="%s"} 1' % NEXT[:-1].decode() in site_metrics(host, port)


def site_metrics(host, port):
    c = client.Client(client.connect((host, int(port))))
    try:
        return c.get("/metrics").text
    finally:
        c.close()


def fail_to_boot(site):
    """A new program that comes to serve with the edge of the one before. Returns that edge and its workers."""
    site.expected += ["reload failed", "boot"]
    edge, workers = site.edge_pid, site.worker_pids()
    site.write("app.py", "import does_not_exist\n")
    site.signal(signal.SIGUSR2)
    site.wait_message(message="reload failed: the serving generation stays")
    until(lambda: settled(site), "the end of it")
    return edge, workers


def test_addresses_of_an_attempt_that_failed_are_closed(quintet, served, program):
    """Nobody accepts there: a client would wait for ever."""
    def prepare(site):
        i = site.arguments.index("--bind")
        del site.arguments[i:i + 2]
        site.write("quintet.yaml", "bind: 127.0.0.1:0\n")

    site = served(before=prepare)
    site.more_descriptors = 1
    new, level = site.short / "new", len(processes.descriptors(site.pid))
    site.write("quintet.yaml", "bind:\n  - 127.0.0.1:0\n  - unix:%s\n" % new)
    edge, _ = fail_to_boot(site)
    until(lambda: not new.exists(), "its socket to be gone")
    until(lambda: len(processes.descriptors(site.pid)) <= level, lambda: "descriptors: %r" % processes.descriptors(site.pid))
    site.write("app.py", APP)
    assert site.command("reload").returncode == 0
    assert site.edge_pid != edge
    c = client.Client(client.connect(str(new)))
    assert c.get("/").body == b"one"
    c.close()


def test_the_edge_of_a_program_before_is_still_that_when_a_third_one_gives_back(served, program):
    """The new generation of ours brings an edge of ours: old and new never share a pool."""
    site = served()
    edge, _ = fail_to_boot(site)
    site.expected += ["could not take over"]
    program.put(BINARY.read_bytes().replace(b"ticket_key\0", b"ticket_Key\0").replace(VERSION, NEXT))
    site.signal(signal.SIGUSR2)
    site.wait_message(message="the program on disk could not take over: this one goes on")
    until(lambda: settled(site), "an answer")
    site.write("app.py", APP)
    assert site.command("reload").returncode == 0
    assert site.edge_pid != edge
    until(lambda: not processes.alive(edge), "the old edge to be gone")


def test_a_stopped_worker_is_waited_for(served, program):
    """Of a stop the kernel tells once, and the new program would never know: the worker is replaced first."""
    site = served(options=["--timeout", "2s"])
    site.expected += ["stopped by a signal"]
    stopped = site.worker_pids()[0]
    os.kill(stopped, signal.SIGSTOP)
    site.wait_message(message="a process was stopped by a signal", pid=stopped)
    _, workers = fail_to_boot(site)
    assert not processes.alive(stopped)
    until(lambda: len(site.worker_pids()) == 2 or "paused" in [w["state"] for w in site.status()["generations"][0]["workers"]], "another")


def test_a_pause_whose_old_edge_dies(served, program):
    """It would have said that nothing runs there any more: when its workers have ended, nothing does."""
    site = served()
    site.expected += ["edge"]
    slow = site.client()
    slow.send(b"GET /slow?60 HTTP/1.1\r\nHost: x\r\n\r\n")
    old = site.edge_pid
    until(lambda: sum(g["slots_used"] for g in site.status()["edge"]["generations"]) == 1, "the request to run")
    site.signal(signal.SIGUSR2)
    until(lambda: (site.try_status() or {"edge": {"pid": old}})["edge"]["pid"] != old, "the new edge", 20)
    said = []
    thread = threading.Thread(target=lambda: said.append(site.command("pause", "--max", "80s")))
    thread.start()
    until(lambda: site.status()["paused"], "the pause")
    os.kill(old, signal.SIGKILL)
    thread.join(20 * SLOW)
    assert said and said[0].returncode == 0, said
    assert len(site.status()["generations"]) == 1
    assert site.command("resume").returncode == 0
    with pytest.raises(client.Closed):
        slow.response()
    assert site.get().body == b"one"


def test_who_watches_is_remembered(served, program):
    """A TERM soon after: the load balancer that has asked the old edge is given its delay."""
    site = served(options=["--health-path", "/up"])
    assert site.get("/up").status == 200
    site.status()  # an answer of the edge's, after what it has told of that
    program.upgrade()
    take_over(site)
    site.signal(signal.SIGTERM)
    assert site.wait_message(message="drain and stop")["delay_ms"] == 5000
    site.signal(signal.SIGTERM)
    assert site.wait_exit() == 0
