"""Fixtures of the faults: a site under load, with a table of PostgreSQL that its rows are counted in.

Each fault lasts FAULTS_SECONDS (a few by default, minutes in `make soak`).
"""
import os
import resource
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from kit import certificates, instance, servers, waiting  # noqa: E402
from rig.ground import Ground  # noqa: E402

SECONDS = float(os.environ.get("FAULTS_SECONDS", "4"))


def pytest_configure():
    """Thousands of connections need as many descriptors, here and in the edge, which inherits the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    hard = max(hard, 20000) if os.geteuid() == 0 else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.timeout((90 + 4 * SECONDS) * waiting.SLOW))


@pytest.fixture(scope="session")
def seconds():
    """How long a fault goes on."""
    return SECONDS


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def postgres():
    server = servers.Postgres()
    yield server
    server.stop()


class Table:
    def __init__(self, server):
        self._server = server
        self.url = server.database()
        self._name = self.url.partition("@/")[2].partition("?")[0]
        assert server.sql("create table written (run text, client int, number int)", self._name) is not None

    def rows(self, run):
        """How often each (client, number) of this run is there."""
        text = self._server.sql("select client, number, count(*) from written where run = '%s' group by 1, 2" % run, self._name)
        assert text is not None
        return Counter({(int(c), int(n)): int(times) for c, n, times in (line.split("|") for line in text.splitlines())})


@pytest.fixture(scope="session")
def table(postgres):
    return Table(postgres)


@pytest.fixture
def ground(tmp_path, table, authority):
    """ground(options, …) → a running site (see Ground). It is stopped at the end and asked what it left."""
    made = []

    def start(*options, **more):
        folder = tmp_path / ("site%d" % len(made))
        folder.mkdir()
        made.append(Ground(folder, table, authority, options, **more))
        return made[-1]

    yield start
    instance.finish_all(made)
