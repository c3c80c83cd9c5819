"""Finding and importing the application, and what the supervisor hears when that fails."""

import shutil

import pytest
from harness import APPS, Worker

BROKEN = APPS / "broken"


@pytest.mark.parametrize(
    "name, body",
    [
        ("hello", b"hello"),
        ("hello:application", b"hello"),
        ("environ_only:app", None),
        ("many_names:Holder.app", b"hello"),
        ("many_names:create_app()", b"made"),
        ("many_names:create_app('given', twice=False)", b"given"),
        ("many_names:Holder.make(b'x', twice=True)", b"xx"),
        ("corners:Factory()", b"factory"),
    ],
)
def test_spellings(name, body):
    with Worker(name) as worker:
        response = worker.get("/")
        assert response.status == 200 and body in (None, response.body)


def failure(name, directory=BROKEN, **how):
    worker = Worker(name, boots=False, directory=directory, **how)
    try:
        kind, _, text, _ = worker.message()
        assert kind == "BOOT_FAILED"
        assert worker.wait() == 3
        return text.decode()
    finally:
        worker.close()


@pytest.mark.parametrize(
    "name, message",
    [
        ("missing", "missing: there is no module 'missing' in "),
        ("missing.wsgi:app", "missing.wsgi:app: there is no module 'missing' in "),
        ("many_names", "many_names has neither application nor app: name the callable as MODULE:NAME"),
        ("many_names:other", "many_names has no 'other'"),
        ("hello:nosuch", "hello has no 'nosuch'; it has 'application'"),
        ("many_names:Holder.other", "many_names has no 'other' (looking for 'Holder.other')"),
        ("many_names:not_callable", "many_names:not_callable: int is not callable, so it is no WSGI application"),
        ("many_names:1 + 1", "'1 + 1' is not a name or a call such as create_app()"),
        ("many_names:create_app(", "'create_app(' is not a name or a call such as create_app()"),
        ("many_names:create_app(open)", "'create_app(open)': the arguments of a factory must be literals"),
    ],
)
def test_wrong_names_need_no_traceback(name, message):
    text = failure(name, APPS)
    assert text.startswith(message) and "Traceback" not in text


def test_traceback_is_the_applications_own():
    text = failure("raising")
    assert "RuntimeError: no database today" in text and text.rstrip().endswith("ValueError: boot failed")
    assert "raising.py" in text and "importlib" not in text
    assert "application.py" not in text and "worker.py" not in text, "Quintet's own frames"


def test_import_error_inside_of_the_application():
    text = failure("importing")
    assert "importing.py" in text and "No module named 'does_not_exist'\nThe interpreter is /" in text


def test_syntax_error(tmp_path):
    shutil.copy(BROKEN / "syntax.py.txt", tmp_path / "syntax.py")
    text = failure("syntax", tmp_path)
    assert "syntax.py" in text and "SyntaxError" in text


def test_sys_exit_while_importing():
    assert "The application called sys.exit('SECRET_KEY is missing')" in failure("exiting")


def test_thread_does_not_keep_a_failed_boot_alive():
    assert "with a thread" in failure("threaded")


def test_long_message_is_cut_in_the_middle():
    text = failure("talkative")
    assert "talkative.py" in text and text.rstrip().endswith("the end") and "\n  ...\n" in text


def test_factory_that_raises():
    assert "TypeError: create_app() takes from 0 to 1 positional arguments" in failure("many_names:create_app(1, 2)", APPS)


def test_project_comes_first_on_the_path(tmp_path):
    (tmp_path / "worker.py").write_text("import sys\nfrom hello import application\nprint('mine', sys.path[0], sys.argv)\n")
    shutil.copy(APPS / "hello.py", tmp_path)
    with Worker("worker", directory=tmp_path) as worker:
        assert worker.await_line("mine")[1] == f"mine {tmp_path} ['quintet']"


def test_title_numbers_workers_from_one():
    with Worker("hello") as worker:
        with open(f"/proc/{worker.pid}/cmdline") as file:
            assert file.read().rstrip("\0") == "quintet: worker 1 (generation 7)"


def test_stop_while_importing(tmp_path):
    (tmp_path / "slow.py").write_text("import time\nprint('importing')\ntime.sleep(60)\n")
    worker = Worker("slow", boots=False, directory=tmp_path)
    worker.await_line("importing")
    assert worker.stop() == 0
    worker.close()
