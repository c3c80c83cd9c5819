"""Options from four places, errors that help, and the commands."""
import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from kit import processes
from kit.instance import BINARY, PYTHON, environment, for_other_users
from kit.waiting import until


def run(*words, env=None, cwd="/", timeout=60):
    return subprocess.run([str(BINARY), *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=environment(**(env or {})), cwd=cwd, timeout=timeout)


def refused(done, *says, code=2):
    assert done.returncode == code, done
    for text in says:
        assert text in done.stderr, done.stderr
    assert "Traceback" not in done.stderr or code == 3
    return done.stderr


# ---- precedence ----

def test_precedence(quintet, tmp_path):
    """Command line, environment, file, default, each over the next; `config` says which it was."""
    project = tmp_path / "p"
    project.mkdir()
    (project / "quintet.yaml").write_text("timeout: 11s\nqueue_timeout: 12s\nkeep_alive: 13s\n")
    done = run("config", "--json", "--timeout", "31s", env={"QUINTET_TIMEOUT": "21s", "QUINTET_QUEUE_TIMEOUT": "22s"}, cwd=project)
    assert done.returncode == 0, done.stderr
    text = run("config", "--timeout", "31s", env={"QUINTET_TIMEOUT": "21s", "QUINTET_QUEUE_TIMEOUT": "22s"}, cwd=project).stdout
    rows = {line.split()[0]: line.split(None, 2)[1:] for line in text.splitlines()[1:]}
    assert rows["timeout"][0] == "31s" and rows["queue_timeout"][0] == "22s" and rows["keep_alive"][0] == "13s"
    assert "command line" in rows["timeout"][1] and "QUINTET_QUEUE_TIMEOUT" in rows["queue_timeout"][1]
    assert "quintet.yaml:3" in rows["keep_alive"][1] and "default" in rows["graceful_timeout"][1]
    assert json.loads(done.stdout)


def test_django_settings_are_the_fourth_place(shop_folder):
    text = run("config", "--python", PYTHON, cwd=shop_folder.project, env=shop_folder.env).stdout
    rows = {line.split()[0]: line.split(None, 2)[1:] for line in text.splitlines()[1:] if line.strip()}
    assert "/static/" in rows["static"][0] and "Django" in rows["static"][1]
    text = run("config", "--python", PYTHON, "--static", "/s/=/tmp", cwd=shop_folder.project, env=shop_folder.env).stdout
    assert re.search(r"^static +/s/=/tmp", text, re.MULTILINE)


def test_other_servers_variables(quintet):
    site = quintet("plain.py", options=["--bind", "127.0.0.1:0"], env={"WEB_CONCURRENCY": "3"}, start=False)
    at = site.arguments.index("--workers")
    del site.arguments[at:at + 2]
    site.start()
    assert len(site.worker_pids()) == 3


def test_application_environment(quintet, tmp_path):
    env_file = tmp_path / "env"
    env_file.write_text("# comment\nexport A=file\nB='quoted value'\nC=file\n")
    app = "import os, json\ndef app(e, s):\n  s('200 OK', [])\n  return [json.dumps(dict(os.environ)).encode()]\n"
    site = quintet(app, "app:app", options=["--env-file", env_file, "--env", "C=line", "--env", "D=x=y"])
    got = json.loads(site.get().body)
    assert (got["A"], got["B"], got["C"], got["D"]) == ("file", "quoted value", "line", "x=y")


# ---- errors ----

def test_unknown_names(tmp_path):
    refused(run("run", "--wrokers", "2", "app"), "--wrokers", "--workers")
    refused(run("run", "app", env={"QUINTET_TIMOUT": "2"}), "QUINTET_TIMOUT", "QUINTET_TIMEOUT")
    refused(run("rnu"), "rnu", "run")
    (tmp_path / "quintet.yaml").write_text("workers: 2\nqueue_tiemout: 3s\n")
    refused(run("run", "app", cwd=tmp_path), "quintet.yaml:2", "queue_tiemout", "queue_timeout")


@pytest.mark.parametrize("option, value, expected", [
    ("--timeout", "soon", "30s"), ("--workers", "-1", ""), ("--workers", "many", ""), ("--max-body-size", "10x", "10m"),
    ("--bind", "localhost", ""), ("--bind", "127.0.0.1:99999", ""), ("--trusted-proxies", "10.0.0.0/99", ""),
    ("--static", "nonsense", ""), ("--log-format", "xml", "json"), ("--umask", "9", ""), ("--threads", "0", ""),
])
def test_malformed_values(option, value, expected):
    said = refused(run("run", option, value, "app"), option, value)
    assert expected in said


def test_malformed_file(tmp_path):
    for text, line in [("workers: [1\n", 1), ("timeout: 3s\nworkers: lots\n", 2), ("- a\n", 1), ("workers: 1\nworkers: 2\n", 2)]:
        (tmp_path / "quintet.yaml").write_text(text)
        refused(run("run", "app", cwd=tmp_path), "quintet.yaml:%d" % line)
    refused(run("run", "-c", tmp_path / "none.yaml", "app"), "none.yaml")


def test_options_of_other_servers_get_an_answer():
    assert "--access-log" in refused(run("run", "--access-logfile", "-", "app"))


def test_no_application(tmp_path):
    done = run("run", "--python", PYTHON, cwd=tmp_path)
    assert done.returncode == 2 and "manage.py" in done.stderr


def test_no_python(tmp_path):
    refused(run("run", "--python", "/nowhere/python", "--bind", "127.0.0.1:0", "app", cwd=tmp_path), "/nowhere/python")


def test_no_python_for_a_django_project(tmp_path):
    """The interpreter is missing, not the project."""
    (tmp_path / "manage.py").write_text("")
    refused(run("run", "--python", "/nowhere/python", cwd=tmp_path), "--python: /nowhere/python is no program")


def test_a_virtual_environment_without_django(tmp_path):
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", ".venv"], cwd=tmp_path, check=True)
    (tmp_path / "settings.py").write_text("")
    (tmp_path / "manage.py").write_text("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n")
    said = refused(run("run", "--bind", "127.0.0.1:0", cwd=tmp_path), "No module named 'django'", "--python", code=3)
    assert f"The interpreter is {tmp_path}/.venv/bin/python" in said and "django_settings.py" not in said


def test_key_of_another_certificate(tmp_path, authority):
    a, b = (authority.pair(name) for name in ("a.example", "b.example"))
    refused(run("run", "--tls-bind", "127.0.0.1:0", "--certfile", a.cert, "--keyfile", b.key, "app", "--python", PYTHON, cwd=tmp_path),
            "the private key does not belong to the certificate", str(a.cert), str(b.key))


def test_help():
    for words in (["--help"], ["help"], ["run", "--help"], ["check", "--help"], ["reload", "--help"], ["stop", "--help"],
                  ["status", "--help"], ["config", "--help"], ["version", "--help"]):
        done = run(*words)
        assert done.returncode == 0 and "quintet" in done.stdout and done.stderr == "", words
        assert "?." not in done.stdout and " \n" not in done.stdout, words
    assert "--queue-timeout" in run("run", "--help").stdout
    assert re.fullmatch(r"(?i)quintet \d+\.\d+\.\d+.*\n", run("version").stdout)


# ---- failing starts ----

@pytest.mark.parametrize("app, says", [
    ("import nothing_like_it\n", "ModuleNotFoundError: No module named 'nothing_like_it'"),
    ("1/0\n", "ZeroDivisionError"),
    ("other = 1\n", "app"),
])
def test_failed_boot(quintet, app, says):
    """Exit 3 with the traceback, once: it is not tried in a loop."""
    site = quintet(app, "app:app", start=False)
    site.expected += ["boot", "Error", "app"]
    site.exit_code = 3
    site.start(wait=False)
    assert site.wait_exit() == 3
    said = site.stderr.read_text() + site.log.read_text()
    assert says in said
    if says.endswith("Error"):
        assert 'app.py' in said and "line 1" in said
        assert said.count(says) <= 2


def test_address_in_use(quintet):
    one = quintet("plain.py")
    address = "127.0.0.1:%d" % one.address()[1]
    two = quintet("plain.py", options=["--bind", address], start=False)
    two.expected.append("cannot listen")
    two.exit_code = 1
    two.start(wait=False)
    assert two.wait_exit() == 1
    assert address in two.said()
    assert one.get().status == 200


def test_second_instance(quintet):
    one = quintet("plain.py")
    two = quintet("plain.py", options=["--control", one.control], start=False)
    two.expected.append("already running")
    two.exit_code = 1
    two.start(wait=False)
    assert two.wait_exit() == 1
    assert "already running" in two.said() and str(one.pid) in two.said()
    assert one.command("status").returncode == 0 and one.get().status == 200


def test_stale_control_socket(quintet):
    site = quintet("plain.py", start=False)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(site.control))
    site.start()
    assert site.get().status == 200
    assert stat.S_IMODE(os.stat(site.control).st_mode) == 0o600


# ---- commands ----

def test_status(quintet):
    site = quintet("plain.py")
    site.get()
    got = json.loads(site.command("status", "--json").stdout)
    assert got["pid"] == site.pid and got["state"] == "running"
    assert [w["state"] for w in got["generations"][0]["workers"]] == ["up", "up"]
    assert got["edge"]["requests"] >= 1 and got["edge"]["queued"] == 0 and got["edge"]["descriptors"] > 0
    assert {s["worker"] for s in got["edge"]["generations"][0]["seats"]} == {w["worker"] for w in got["generations"][0]["workers"]}
    assert got["uptime"] == round(got["uptime"], 3) and not re.search(r"\.\d{7}", site.command("status", "--json").stdout)
    table = site.command("status").stdout
    assert re.search(r"^generation 1: serving, 1 thread a worker$", table, re.MULTILINE)
    for pid in (site.pid, site.edge_pid, *site.worker_pids()):
        assert str(pid) in table
    assert "http://127.0.0.1:" in table


def test_stop(quintet):
    site = quintet("plain.py")
    done = site.command("stop")
    assert done.returncode == 0 and not processes.alive(site.pid), "it returns when it is gone"


def test_commands_without_an_instance(tmp_path):
    for word in ("status", "reload", "stop"):
        done = run(word, "--control", tmp_path / "none.sock", cwd=tmp_path)
        assert done.returncode == 1 and f"{tmp_path}/none.sock" in done.stderr and "--chdir" in done.stderr


def test_a_broken_file_is_named_once(quintet, tmp_path):
    (tmp_path / "quintet.yaml").write_text("wrokers: 2\n")
    done = run("status", "--control", "none.sock", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.count("wrokers") == 1
    site = quintet("plain.py")
    done = run("status", "--control", site.control, cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == "", "who answers needs no file"


def test_control_socket_is_robust(quintet):
    """Nonsense, half a request and clients that leave do no harm."""
    site = quintet("plain.py")
    for data in (b"nonsense\n", b"{}\n", b'{"command":7}\n', b'{"command":"explode"}\n', b"[1]\n", b"x" * 100000, b'{"comm',
                 b'{"command":"status"}\n{"command":"status"}\n', b"\0\n"):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(site.control))
            try:
                s.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass
    assert site.status()["state"] == "running" and site.get().status == 200


def test_pid_file(quintet, tmp_path):
    path = tmp_path / "pid"
    site = quintet("plain.py", options=["--pid", path])
    assert int(path.read_text()) == site.pid
    site.signal(signal.SIGTERM)
    site.wait_exit()
    until(lambda: not path.exists(), "the file to go")


def test_umask_and_user(quintet, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("another user needs root")
    env = for_other_users(tmp_path)
    app = "import os\ndef app(e, s):\n  u = os.umask(0)\n  os.umask(u)\n  s('200 OK', [])\n" \
          "  return [('%o %d %d %s' % (u, os.getuid(), os.getgid(), os.environ.get('HOME'))).encode()]\n"
    site = quintet(app, "app:app", options=["--user", "www-data", "--umask", "027"], env=env)
    assert site.get().text.split()[:3] == ["27", "33", "33"]


def test_check(quintet, tmp_path):
    """0 when it would start; 1 with every fault in one go."""
    (tmp_path / "app.py").write_text("def application(e, s):\n  s('200 OK', [])\n  return []\n")
    words = ("check", "--python", PYTHON, "--bind", "127.0.0.1:0")
    good = run(*words, "app", cwd=tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    (tmp_path / "bad.py").write_text("import nothing_like_it\n")
    pages = run(*words, "--error-pages", "none/", "app", cwd=tmp_path)
    assert pages.returncode == 0 and "none/, which error_pages names, is no directory" in pages.stdout
    bad = run(*words, "--certfile", "none.pem", "--keyfile", "none.key", "--tls-bind", "127.0.0.1:0", "bad", cwd=tmp_path)
    said = bad.stdout + bad.stderr
    assert bad.returncode == 1 and "nothing_like_it" in said and "none.pem" in said


def test_check_of_the_shop(shop_folder):
    done = run("check", "--python", PYTHON, "--bind", "127.0.0.1:0", cwd=shop_folder.project, env=shop_folder.env)
    assert done.returncode == 0, done.stdout + done.stderr
    debug = run("check", "--python", PYTHON, "--bind", "127.0.0.1:0", cwd=shop_folder.project, env={**shop_folder.env, "DEBUG": "1"})
    assert debug.returncode == 1 and "DEBUG" in debug.stdout + debug.stderr
