"""`quintet compress`: what it writes, what it leaves alone, and what it says."""
import os
import pty
import signal
import subprocess

import pytest

from kit import codings, waiting
from kit.instance import BINARY, PYTHON, environment

CSS = b"body { color: red; margin: 0 }\n" * 200
NOISE = b"".join(b"%x %x\n" % (n, n * n) for n in range(60_000))  # seconds of work


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "static"
    for name in ("site.css", "js/app.js"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(CSS)
        os.utime(root / name, ns=(1_700_000_000_123456789, 1_700_000_000_123456789))
    os.chmod(root / "js/app.js", 0o640)
    return root


def run(*words, code=0, cwd=None, env=None):
    done = subprocess.run([BINARY, "compress", *map(str, words)], capture_output=True, text=True, timeout=60, cwd=cwd, env=env or environment())
    assert done.returncode == code, done
    return done


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir())


ALL = ["js/app.js", "js/app.js.br", "js/app.js.gz", "js/app.js.zst", "site.css", "site.css.br", "site.css.gz", "site.css.zst"]


def test_writes_siblings(tree):
    said = run(tree)
    assert names(tree) == ALL and "2 files, 6 siblings written, 0 up to date" in said.stdout and not said.stderr
    for path in ("site.css", "js/app.js"):
        of = (tree / path).stat()
        for coding, suffix in codings.SUFFIXES.items():
            sibling = tree / (path + suffix)
            assert codings.decode(coding, sibling.read_bytes()) == CSS
            st = sibling.stat()
            assert (st.st_mtime_ns, st.st_mode, st.st_uid, st.st_gid) == (of.st_mtime_ns, of.st_mode, of.st_uid, of.st_gid)


def test_what_is_up_to_date_is_left_alone(tree):
    run(tree)
    before = {n: (tree / n).stat().st_ino for n in ALL}
    assert "0 siblings written, 6 up to date" in run(tree).stdout
    assert {n: (tree / n).stat().st_ino for n in ALL} == before
    tree_file = tree / "site.css"
    tree_file.write_bytes(CSS * 2)
    (tree / "js/app.js.gz").write_bytes(b"somebody else's, younger than the file")
    assert "3 siblings written, 3 up to date" in run(tree).stdout
    assert codings.decode("br", (tree / "site.css.br").read_bytes()) == CSS * 2
    assert (tree / "js/app.js.gz").read_bytes() == b"somebody else's, younger than the file"


def test_what_is_not_worth_it(tree):
    for name, content in [("tiny.css", b"a{}"), ("photo.png", CSS), (".hidden.css", CSS), (".git/x.css", CSS), ("noise.txt", os.urandom(5000)),
                          ("archive.css.gz", CSS)]:
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_bytes(content)
    (tree / "noise.txt.br").write_bytes(b"of a noise that was")
    os.utime(tree / "noise.txt.br", (1000, 1000))
    said = run(tree)
    assert "3 files, 6 siblings written, 0 up to date, 3 not worth it" in said.stdout
    assert set(names(tree)) - set(ALL) == {"tiny.css", "photo.png", ".hidden.css", ".git/x.css", "noise.txt", "archive.css.gz"}


def test_links(tree, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(CSS)
    (tree / "out.txt").symlink_to(outside / "secret.txt")
    (tree / "folder").symlink_to(outside)
    (tree / "nowhere.txt").symlink_to("nothing")
    (tree / "js/in.css").symlink_to("../site.css")
    run(tree)
    assert names(outside) == ["secret.txt"] and not (tree / "out.txt.br").exists()
    assert codings.decode("br", (tree / "js/in.css.br").read_bytes()) == CSS, "a link inside is served, too"


def test_failures(tree, tmp_path):
    (tree / "site.css.br").mkdir()
    said = run(tree, code=1)
    assert "site.css: " in said.stderr and "is a directory" in said.stderr
    assert set(ALL) - {"site.css.br"} <= set(names(tree)), "the others are done"
    assert not [n for n in names(tree) if os.path.basename(n).startswith(".")], "nothing lies about"
    assert "no such file or directory" in run(tmp_path / "nowhere", code=1).stderr
    assert "--chdir" in run("--chdir", tmp_path, tree, code=2).stderr
    assert "no such option" in run("--best", tree, code=2).stderr
    assert "STATIC_ROOT" in run(cwd=tmp_path, code=1).stderr


def test_names(tree):
    """Every name that a file may have, and one that no sibling could have."""
    for name in ("x" * 251 + ".css", "y" * 247 + ".css", "sp ace%41\n.css", "-r.css"):
        (tree / name).write_bytes(CSS)
    said = run(tree)
    assert "5 files, 15 siblings written" in said.stdout and not said.stderr
    for name in ("y" * 247 + ".css", "sp ace%41\n.css", "-r.css"):
        assert codings.decode("br", (tree / (name + ".br")).read_bytes()) == CSS
    (tree / "\x1b[2J.css.br").mkdir()
    (tree / "\x1b[2J.css").write_bytes(CSS)
    assert "quintet: ?[2J.css: is a directory" in run(tree, code=1).stderr


def leftovers(folder):
    return [n for n in names(folder) if os.path.basename(n).startswith(".")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_behind(tree, number):
    for i in range(30):
        (tree / f"{i}.txt").write_bytes(NOISE)
    process = subprocess.Popen([BINARY, "compress", tree], stderr=subprocess.PIPE)
    waiting.until(lambda: leftovers(tree), "a sibling that lies aside")
    process.send_signal(number)
    assert process.wait(timeout=60) == -number and not process.stderr.read()
    process.stderr.close()
    assert not leftovers(tree)


def test_what_a_killed_run_has_left_is_in_nobodys_way(tree):
    (tree / "noise.txt").write_bytes(NOISE)
    process = subprocess.Popen([BINARY, "compress", tree])
    waiting.until(lambda: leftovers(tree), "a sibling that lies aside")
    process.kill()
    process.wait(timeout=60)
    assert leftovers(tree) and set(names(tree)).isdisjoint(set(ALL) - {"site.css", "js/app.js"})
    assert "3 files, 9 siblings written" in run(tree).stdout


def test_several_directories(tree, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.html").write_bytes(CSS)
    lines = run("static", "other", cwd=tmp_path).stdout.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == ["static", "other"]
    assert (other / "a.html.br").exists()


def everything(master):
    """What is written to a terminal until nobody has it any more."""
    parts = []
    try:
        while part := os.read(master, 65536):
            parts.append(part)
    except OSError:  # Linux's way to say so
        pass
    os.close(master)
    return b"".join(parts)


def test_progress_on_a_terminal(tree):
    master, terminal = pty.openpty()
    process = subprocess.Popen([BINARY, "compress", tree], stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    seen = everything(master)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and b"[" in seen and b"100 %" in seen and seen.endswith(b"\r\x1b[K")
    assert b"\r" not in said


def test_the_files_of_a_django_project(quintet, tmp_path):
    project = tmp_path / "mysite"
    subprocess.run([PYTHON, "-m", "django", "startproject", "mysite", tmp_path], check=True, cwd=tmp_path)
    settings = project / "settings.py"
    settings.write_text(settings.read_text() + "\nSTATIC_ROOT = BASE_DIR / 'collected'\nDEBUG = False\nALLOWED_HOSTS = ['*']\n")
    env = environment(QUINTET_PYTHON=PYTHON)
    subprocess.run([PYTHON, "manage.py", "collectstatic", "--noinput"], check=True, cwd=tmp_path, env=env, capture_output=True)
    said = run(cwd=tmp_path, env=env)
    assert "siblings written" in said.stdout
    assert (tmp_path / "collected/admin/css/base.css.br").exists()
    site = quintet(app=None, project=tmp_path)
    r = site.get("/static/admin/css/base.css", ("Accept-Encoding", "br"))
    assert r["Content-Encoding"] == "br" and r["ETag"].startswith('"')
    assert codings.decoded(r) == (tmp_path / "collected/admin/css/base.css").read_bytes()
