"""The example shop, prepared once a session for each kind of database, then copied for the tests that change it."""
import shutil
import subprocess
import uuid
from pathlib import Path

from kit.instance import PYTHON, ROOT, environment
from kit.waiting import SLOW

SHOP = ROOT / "examples" / "shop"


class Shop:
    """A copy of the project with a var/ of its own. env: what the server needs to run it."""

    def __init__(self, folder, **env):
        self.project = Path(folder) / "shop"
        shutil.copytree(SHOP, self.project, ignore=shutil.ignore_patterns("var", "__pycache__", ".quintet"))
        self.env = {"SHOP_DEMO": "1", **env}

    def manage(self, *words):
        done = subprocess.run([PYTHON, "manage.py", *words], cwd=self.project, env=environment(**self.env), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120 * SLOW)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prepare(self):
        self.manage("prepare")
        return self

    def copy(self, folder, **env):
        """Another one with the same data (SQLite's lies in var/)."""
        other = Shop.__new__(Shop)
        other.project = Path(folder) / ("shop" + uuid.uuid4().hex[:8])
        shutil.copytree(self.project, other.project, symlinks=True, ignore=shutil.ignore_patterns(".quintet"))
        other.env = {**self.env, **env}
        return other
