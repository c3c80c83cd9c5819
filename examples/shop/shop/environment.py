"""Reads the environment for settings.py: flags, lists, DATABASE_URL, the secret key.

Kept apart from settings.py so that it can be tested, and small so that the shop needs no
package for it.
"""
import os
import secrets
from urllib.parse import parse_qsl, unquote, urlsplit


def flag(name, default=False):
    """True for 1, true, yes and on; the default when the variable is unset or empty."""
    value = os.environ.get(name, "").strip().lower()
    return value in ("1", "true", "yes", "on") if value else default


def words(name, default=""):
    """A comma-separated variable as a list without blanks."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def database(url):
    """One entry of DATABASES from `sqlite:///PATH` or `postgres://USER:PASSWORD@HOST:PORT/NAME`.

    Query parameters become OPTIONS (`?sslmode=require`); `?host=/run/postgresql` names a socket.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "sqlite":
        name = unquote(parts.path[1:])
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "CONN_MAX_AGE": 60}
    if parts.scheme not in ("postgres", "postgresql"):
        # The scheme alone: what follows it may hold a password.
        raise ValueError("DATABASE_URL: expected sqlite:///PATH or postgres://USER:PASSWORD@HOST/NAME, found the scheme %r"
                         % parts.scheme)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", unquote(parts.hostname or "")),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def secret_key(path):
    """The key from $SECRET_KEY, else from the file `path`, which is made once with mode 0600.

    The file appears whole or not at all (written aside, then linked), because several workers
    may come here at the same moment.
    """
    if os.environ.get("SECRET_KEY"):
        return os.environ["SECRET_KEY"]
    if not path.exists():
        aside = path.with_name("%s.%d" % (path.name, os.getpid()))
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(aside)
    return path.read_text().strip()
