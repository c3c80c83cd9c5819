import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import Worker  # noqa: E402


@pytest.fixture(scope="module")
def corners_worker():
    """One worker for all tests of a file: what one request breaks, the next one would meet."""
    with Worker("corners") as worker:
        yield worker


@pytest.fixture
def corners(corners_worker):
    corners_worker.get("/take_closed")
    return corners_worker
