"""Warm-up requests: what --warmup names is asked of the application before the worker says that it is ready.

They go through the real WSGI callable with an environ as a visitor's request would have, so that caches are filled, connections
opened and templates compiled, and so that a release that answers with errors never gets a visitor. An exception or a
status of 500 and above fails the boot; another one that is no success is worth a line in the log.
"""

import contextlib
import io
import sys
from urllib.parse import unquote_to_bytes


class WarmUpError(Exception):
    """The application has failed a warm-up request. The message is for the user; `cause`: its exception, or None."""

    def __init__(self, message, cause=None):
        super().__init__(message)
        self.cause = cause


def django_settings():
    """The settings of a Django application that has been imported, or None."""
    module = sys.modules.get("django.conf")
    settings = getattr(module, "settings", None)
    return settings if settings is not None and settings.configured else None


def host_of(settings):
    """A name that the site answers to: the first of ALLOWED_HOSTS that is one."""
    names = [str(name) for name in getattr(settings, "ALLOWED_HOSTS", None) or ()]
    usable = [name.lstrip(".") for name in names if name.lstrip(".") and "*" not in name]
    host = usable[0] if usable else "localhost"
    if getattr(settings, "PREPEND_WWW", False) and not host.startswith("www."):
        host = "www." + host
    return host


def scheme_of(settings, scheme):
    return "https" if getattr(settings, "SECURE_SSL_REDIRECT", False) else scheme


def environ_of(shared, target, host, scheme):
    environ = {
        **shared,
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": target,
        "PATH_INFO": unquote_to_bytes(target).decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": host,
        "SERVER_PORT": "443" if scheme == "https" else "80",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "0",
        "HTTP_HOST": host,
        "HTTP_USER_AGENT": "quintet (warm-up)",
        "HTTP_ACCEPT": "text/html,*/*;q=0.8",
        "HTTP_X_REQUEST_ID": "warm-up",
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(),
        "quintet.queue_time": 0.0,
        "quintet.edge_time": 0.0,
    }
    if scheme == "https":
        environ["HTTPS"] = "on"
    return environ


def ask(app, environ):
    """The status line. The body is iterated and closed as for a client."""
    given = []

    def start_response(status, headers, exc_info=None):
        given[:] = [status]
        return lambda data: None

    result = app(environ, start_response)
    try:
        for _ in result:
            pass
    finally:
        if hasattr(result, "close"):
            result.close()
    if not given:
        raise AssertionError("start_response was never called")
    return given[0]


@contextlib.contextmanager
def django_errors(seen):
    """Django turns an exception into a page: the signal that it sends first tells which one it was."""
    if "django.core.signals" not in sys.modules:
        yield
        return
    from django.core.signals import got_request_exception

    def note(**_):
        seen.append(sys.exc_info()[1])

    got_request_exception.connect(note)
    try:
        yield
    finally:
        got_request_exception.disconnect(note)


def one(app, shared, target, scheme):
    settings, seen = django_settings(), []
    try:
        with django_errors(seen):
            status = ask(app, environ_of(shared, target, host_of(settings), scheme_of(settings, scheme)))
    except (Exception, SystemExit) as error:
        raise WarmUpError(f"warm-up: GET {target} raised {type(error).__name__}", error) from None
    code = int(status[:3]) if status[:3].isdigit() else 500
    if code >= 500:
        raise WarmUpError(f"warm-up: GET {target} was answered with {status}", seen[-1] if seen else None)
    if not 200 <= code < 300:
        print(f"warm-up: GET {target} was answered with {status}: it has warmed up little", file=sys.stderr)


def run(app, shared, targets, scheme):
    """Asks for each of them in turn; `shared`: wsgi.constants(). Raises WarmUpError at the first that fails."""
    for target in targets:
        one(app, shared, target, scheme)
