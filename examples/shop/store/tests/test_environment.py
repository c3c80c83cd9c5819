"""Reading the environment: DATABASE_URL, flags, the secret key."""
import os
import stat
import tempfile
from pathlib import Path
from unittest import TestCase, mock

from shop import environment


class EnvironmentTest(TestCase):
    def test_postgres_with_everything(self):
        entry = environment.database("postgres://al:p%40ss@db.example:5433/shop?sslmode=require")
        self.assertEqual(entry["USER"], "al")
        self.assertEqual(entry["PASSWORD"], "p@ss")
        self.assertEqual((entry["HOST"], entry["PORT"]), ("db.example", "5433"))
        self.assertEqual((entry["NAME"], entry["OPTIONS"]), ("shop", {"sslmode": "require"}))

    def test_postgres_over_a_socket(self):
        entry = environment.database("postgresql:///shop?host=/run/postgresql")
        self.assertEqual((entry["HOST"], entry["PORT"]), ("/run/postgresql", ""))
        self.assertEqual(entry["OPTIONS"], {})

    def test_sqlite(self):
        self.assertEqual(environment.database("sqlite:////srv/a%20b.db")["NAME"], "/srv/a b.db")

    def test_another_database_is_refused(self):
        with self.assertRaisesRegex(ValueError, "'mysql'"):
            environment.database("mysql://localhost/shop")

    def test_flags(self):
        with mock.patch.dict(os.environ, {"X": "Yes", "Y": "0", "Z": ""}):
            self.assertTrue(environment.flag("X"))
            self.assertFalse(environment.flag("Y", True))
            self.assertTrue(environment.flag("Z", True))

    def test_words(self):
        with mock.patch.dict(os.environ, {"X": " a, b ,,c"}):
            self.assertEqual(environment.words("X"), ["a", "b", "c"])

    def test_secret_key_is_made_once_and_private(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ):
            os.environ.pop("SECRET_KEY", None)
            path = Path(folder) / "secret_key"
            key = environment.secret_key(path)
            self.assertGreaterEqual(len(key), 50)
            self.assertEqual(environment.secret_key(path), key)
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            self.assertEqual(os.listdir(folder), ["secret_key"])
            os.environ["SECRET_KEY"] = "from outside"
            self.assertEqual(environment.secret_key(path), "from outside")
