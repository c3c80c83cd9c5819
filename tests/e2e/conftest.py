"""Fixtures: `quintet` starts real instances and asks its questions when the test is over."""
import pytest

from kit import certificates, instance, servers, shop, waiting
from kit.project import PROJECT


def pytest_collection_modifyitems(items):
    """Nothing hangs for ever: the first test that waits in vain says where."""
    for item in items:
        item.add_marker(pytest.mark.timeout(90 * waiting.SLOW))


def _instances(folder_of_all):
    """The factory and, behind it, the end of all it made."""
    made = []

    def factory(text="", app="app:application", files=None, start=True, **more):
        files = dict(files or {})
        if text:
            files["app.py"] = instance.APPS / text if text.endswith(".py") else text
        folder = folder_of_all / ("quintet%d" % len(made))
        folder.mkdir()
        made.append(instance.Instance(folder, app, files, **more))
        return made[-1].start() if start else made[-1]

    yield factory
    instance.finish_all(made)


@pytest.fixture
def quintet(tmp_path):
    """quintet(app text or file name in apps/, …) → a running Instance; see Instance for the rest.

    Every instance of the test is stopped at its end and asked what it left: also when the test failed, so that a
    failure shows all it can.
    """
    yield from _instances(tmp_path)


@pytest.fixture(scope="module")
def quintet_of_module(tmp_path_factory):
    """The same for all tests of a file: for those that only look."""
    yield from _instances(tmp_path_factory.mktemp("module"))


@pytest.fixture
def project(quintet):
    """project(settings, trusted="private", …) → the Django project of kit/project.py, served."""
    def start(settings="", trusted=None, options=(), **more):
        trusts = ["--trusted-proxies", trusted] if trusted else []
        return quintet(app=None, files=PROJECT, options=["--workers", "1", *trusts, *options], env={"MORE_SETTINGS": settings}, **more)

    return start


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def pair(authority):
    """The usual certificate."""
    return authority.pair("localhost", "site.test", "127.0.0.1")


@pytest.fixture(scope="session")
def postgres():
    server = servers.Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis():
    server = servers.Redis()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def prepared_shop(tmp_path_factory):
    """The shop on SQLite with its demo data: look, do not change."""
    return shop.Shop(tmp_path_factory.mktemp("shop")).prepare()


@pytest.fixture
def shop_folder(prepared_shop, tmp_path):
    """A copy of it."""
    return prepared_shop.copy(tmp_path)


@pytest.fixture(scope="session")
def prepared_on_postgres(prepared_shop, postgres, redis, tmp_path_factory):
    """The shop prepared on a database of PostgreSQL, which serves as a template for the tests' own."""
    return prepared_shop.copy(tmp_path_factory.mktemp("shop"), DATABASE_URL=postgres.database(), REDIS_URL=redis.url).prepare()


@pytest.fixture(params=["sqlite", "postgres+redis"])
def open_shop(request, quintet, prepared_shop, tmp_path):
    """open_shop(…) → the shop, served: on SQLite, and on PostgreSQL with Redis."""
    if request.param == "sqlite":
        project = prepared_shop.copy(tmp_path)
    else:
        postgres, redis = request.getfixturevalue("postgres"), request.getfixturevalue("redis")
        prepared = request.getfixturevalue("prepared_on_postgres")
        redis.command("FLUSHALL")
        template = prepared.env["DATABASE_URL"].partition("@/")[2].partition("?")[0]
        project = prepared.copy(tmp_path, DATABASE_URL=postgres.database(template))

    def start(**more):
        return quintet(app=None, project=project.project, env=project.env, **more)

    start.project = project
    return start
