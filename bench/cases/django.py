"""Django: a view that does nothing, and a page of twenty rows by the ORM."""
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager

from harness.load import wrk
from harness.rounds import Case
from harness.site import APPS, PYTHON, ROOT

SITE = {"chdir": APPS / "pages", "app": "pages.wsgi:application"}
LIMIT = {"Python alone": {"cpu": 0.9}}


def filled(database):
    """Makes the table of the application in a database; the fields of Site with it."""
    env = {"BENCH_DATABASE": database}
    subprocess.run([PYTHON, "prepare.py"], cwd=APPS / "pages", env={**os.environ, **env}, check=True)
    return {"env": env}


@contextmanager
def sqlite():
    with tempfile.TemporaryDirectory(prefix="quintet-bench-db-") as folder:
        os.chmod(folder, 0o777)  # mod_wsgi is another user
        fields = filled(f"sqlite:{folder}/pages.sqlite3")
        os.chmod(f"{folder}/pages.sqlite3", 0o666)
        yield fields


@contextmanager
def postgresql():
    """A server of our own, the one of the tests."""
    sys.path.insert(1, str(ROOT / "tests" / "e2e"))
    from kit.servers import Postgres
    server = Postgres()
    try:
        os.chmod(server.folder, 0o755)
        server.sql("create role bench login", "postgres")
        server.sql("create database bench owner bench", "postgres")
        yield filled(f"postgresql:{server.folder}")
    finally:
        server.stop()


def get(server, seconds):
    return wrk(server.url(server.path), seconds)


CASES = [
    Case("django", "Django, a plain view", ("gunicorn", "nginx + gunicorn", "nginx + uwsgi", "apache + mod_wsgi", "uvicorn", "bjoern", "Python alone"),
         get, SITE, path="/plain/", must={"nginx + gunicorn": {"rate": 2.2, "cpu": 2.2}}),
    Case("rows-sqlite", "Django, 20 rows from SQLite", ("nginx + gunicorn", "nginx + uwsgi", "bjoern", "Python alone"),
         get, SITE, path="/rows/", must={"nginx + gunicorn": {"rate": 1.3, "cpu": 1.3}, **LIMIT}, prepare=sqlite),
    Case("rows-postgresql", "Django, 20 rows from PostgreSQL", ("nginx + gunicorn", "nginx + uwsgi", "bjoern", "Python alone"),
         get, SITE, path="/rows/", must={"nginx + gunicorn": {"rate": 1.3, "cpu": 1.3}, **LIMIT}, prepare=postgresql),
]
