"""What the project's Django settings say that the server should know, as one JSON object on standard output.

Run by the supervisor with the project's own interpreter, in the project's directory, once a start and once a reload:

    PYTHON .../quintet/django_settings.py [--app MODULE[:CALLABLE]] [--tls]

The settings are imported and nothing else: no apps are loaded, no database or cache is opened. manage.py and wsgi.py are
read, never run. Whatever the settings print goes to standard error. Exit 0 with the answer (also when there is no Django
project here: `found` is false and `why` says so), 3 with a traceback on standard error when the settings cannot be
imported. src/conf/django.c reads the answer:

    {"found": true, "options": {NAME: VALUE or [VALUE, ...]}, "facts": {...}, "findings": [{"id", "level", "what", "mend"}]}

`options` are rows of the option table (src/conf/options.c), `findings` what makes the project unfit for production.
Works with Django 3.2 and later, CPython 3.10 and later.
"""

import ast
import importlib.machinery
import importlib.util
import json
import os
import sys
from pathlib import Path

VARIABLE = "DJANGO_SETTINGS_MODULE"
LOCAL_HOSTS = [".localhost", "127.0.0.1", "[::1]"]  # what Django itself takes for ALLOWED_HOSTS = [] under DEBUG
MIDDLEWARE = "django.middleware.security.SecurityMiddleware"
# Django's own storages of static files, which need not be imported to be known (30 ms).
STORAGE = "django.contrib.staticfiles.storage."
MANIFESTS = {STORAGE + "StaticFilesStorage": None, STORAGE + "ManifestStaticFilesStorage": "staticfiles.json"}
BOOT_FAILED = 3
PACKAGE_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


# ---- which settings, which callable: read from source, without running any of it ----


def constant(node):
    """The text an expression gives: a literal, or the default of os.environ.get/os.getenv when that is not set."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Call) and len(node.args) == 2:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        key, default = map(constant, node.args)
        if name in ("get", "getenv") and key:
            return os.environ.get(key, default)
    return None


def assigned_settings(node):
    """The value of os.environ.setdefault(VARIABLE, value) or os.environ[VARIABLE] = value, else None."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setdefault":
        if len(node.args) == 2 and constant(node.args[0]) == VARIABLE:
            return constant(node.args[1])
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        if constant(node.targets[0].slice) == VARIABLE:
            return constant(node.value)
    return None


def settings_in_source(path):
    """The settings module a script such as manage.py or wsgi.py chooses, or None."""
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (OSError, SyntaxError, ValueError):
        return None
    return next(filter(None, map(assigned_settings, ast.walk(tree))), None)


def source_of(module, project):
    """The file of a module of the project, without importing it."""
    base = project.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def wsgi_beside(settings_module, project):
    """The project's wsgi module: a.b.settings has its wsgi.py in a.b or in a."""
    parts = settings_module.split(".")[:-1]
    while parts:
        module = ".".join([*parts, "wsgi"])
        if source_of(module, project):
            return module
        parts.pop()
    return None


def find_settings(app, project):
    """(settings module, None) or (None, why not).

    What serves wins over what manages: manage.py often names the development settings and wsgi.py the production ones.
    """
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE], None
    manage = project / "manage.py"
    managed = settings_in_source(manage)
    wsgi = app.partition(":")[0] if app else managed and wsgi_beside(managed, project)
    source = wsgi and source_of(wsgi, project)
    served = settings_in_source(source) if source else None
    if served or managed:
        return served or managed, None
    if manage.is_file():
        return None, f"manage.py does not say which settings it uses; set {VARIABLE}"
    return None, f"there is no manage.py here and {VARIABLE} is not set"


def find_app(settings, settings_module, project):
    named = getattr(settings, "WSGI_APPLICATION", None)
    if isinstance(named, str) and "." in named:
        module, _, name = named.rpartition(".")
        return f"{module}:{name}"
    wsgi = wsgi_beside(settings_module, project)
    return f"{wsgi}:application" if wsgi else "django.core.wsgi:get_wsgi_application()"


class Settings:
    """A settings module over Django's defaults, without django.conf, which imports asyncio, ssl and more: with those, and what its
    STATIC_URL takes along, an inspection took four times as long, and each start and reload waits for one. What else Django objects to
    it says in the workers."""

    def __init__(self, name):
        import django

        self._module, self._defaults = importlib.import_module(name), default_settings()
        self._given = frozenset(dir(self._module))  # as Django does: what only a module's __getattr__ knows is no setting
        # A site of Django 3.2 may well run with a set of hosts, or with "*" alone: only later ones object to it.
        for wrong in ("INSTALLED_APPS", "MIDDLEWARE", "ALLOWED_HOSTS")[: 3 if django.VERSION >= (4, 1) else 2]:
            if not isinstance(getattr(self, wrong), (list, tuple)):
                raise TypeError(f"{wrong} must be a list or a tuple")

    def __getattr__(self, name):
        return getattr(self._module if name in self._given else self._defaults, name)

    def is_known(self, name):
        """To this Django: what an older one had, or a newer one will have, may be left in a project's settings."""
        return hasattr(self._defaults, name)

    def is_overridden(self, name):
        return name in self._given


def default_settings():
    """django.conf.global_settings, which imports nothing itself. Found as any import would: Django may be a zip file, or without its source."""
    import django

    spec = importlib.machinery.PathFinder.find_spec("global_settings", [os.path.join(path, "conf") for path in django.__path__])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- options ----


def text_path(value, project):
    """An absolute path, or None for None, "", and what no answer in UTF-8 can name."""
    try:
        path = os.fsdecode(value)
        path.encode()
    except (TypeError, UnicodeEncodeError):
        return None
    return os.path.abspath(os.path.join(project, path)) if path and "\0" not in path else None


def local_url(value):
    """A URL prefix of this site with slashes at both ends, or None: another host's, or the whole site."""
    url = str(value or "")
    if not url.startswith("/") or url.startswith("//") or url.strip("/") == "":
        return None
    return url if url.endswith("/") else url + "/"


def url_setting(settings, name):
    """STATIC_URL or MEDIA_URL as Django completes it: without a leading slash it is relative to the script's prefix."""
    url = getattr(settings, name)
    if url is None or str(url).startswith(("http://", "https://", "/")):
        return url
    prefix = settings.FORCE_SCRIPT_NAME or "/"
    return (prefix if prefix.endswith("/") else prefix + "/") + str(url)


def publishes_source(directory, project):
    return Path(directory) == project or Path(directory) in project.parents


def file_map(url, root, project):
    """["/static/=/srv/static"], or [] when there is nothing for us to serve, or too much."""
    url, root = local_url(url), text_path(root, project)
    return [f"{url}={root}"] if url and root and not publishes_source(root, project) else []


def printable(value):
    return isinstance(value, str) and value != "" and all(" " <= c <= "~" for c in value)


def static_backend(settings):
    """The dotted name of the storage of static files: STORAGES since Django 4.2, STATICFILES_STORAGE before 5.1."""
    if settings.is_known("STATICFILES_STORAGE") and (settings.is_overridden("STATICFILES_STORAGE") or not settings.is_known("STORAGES")):
        return settings.STATICFILES_STORAGE
    storages = settings.STORAGES
    return storages.get("staticfiles", {}).get("BACKEND") if isinstance(storages, dict) else None


def manifest_name(backend):
    """What a storage of static files calls its manifest; None if it has none, or none on this machine's disk."""
    if backend in MANIFESTS:
        return MANIFESTS[backend]
    from django.contrib.staticfiles.storage import ManifestFilesMixin, StaticFilesStorage
    from django.utils.module_loading import import_string

    try:
        storage = import_string(backend)
        local = issubclass(storage, ManifestFilesMixin) and issubclass(storage, StaticFilesStorage)
    except Exception:  # a storage of the project may need its models, which are not loaded here
        return None
    return storage.manifest_name if local else None


def static_manifest(settings, project):
    """Where collectstatic writes staticfiles.json when the storage is a local manifest one, else None."""
    name, root = manifest_name(static_backend(settings)), text_path(settings.STATIC_ROOT, project)
    return os.path.join(root, name) if name and root else None


def referrer_policy(settings):
    policy = getattr(settings, "SECURE_REFERRER_POLICY", None)
    if not policy:
        return None
    return ",".join(part.strip() for part in (policy.split(",") if isinstance(policy, str) else policy))


def hsts(settings):
    if not settings.SECURE_HSTS_SECONDS:
        return None
    value = f"max-age={int(settings.SECURE_HSTS_SECONDS)}"
    value += "; includeSubDomains" if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else ""
    return value + ("; preload" if settings.SECURE_HSTS_PRELOAD else "")


def allowed_hosts(settings):
    hosts = [host for host in settings.ALLOWED_HOSTS if printable(host)]
    return hosts or (LOCAL_HOSTS if settings.DEBUG else [])


def proxy_ssl_header(settings):
    """("HTTP_X_FORWARDED_PROTO", "https") as the field it is on the wire: "X-FORWARDED-PROTO: https"."""
    header = settings.SECURE_PROXY_SSL_HEADER
    if not isinstance(header, (list, tuple)) or len(header) != 2 or not all(isinstance(part, str) for part in header):
        return None
    prefix, name, value = header[0][:5], header[0][5:].replace("_", "-"), header[1].strip()
    return f"{name}: {value}" if prefix == "HTTP_" and name and value else None


def ssl_redirect(settings):
    """Only what needs no regular expression of Python's: else the application redirects."""
    return bool(settings.SECURE_SSL_REDIRECT and MIDDLEWARE in settings.MIDDLEWARE and not settings.SECURE_REDIRECT_EXEMPT)


def collect_options(settings, settings_module, app, project):
    options = {
        "app": app or find_app(settings, settings_module, project),
        "django_settings": settings_module,
        "allowed_hosts": allowed_hosts(settings),
        "static": file_map(url_setting(settings, "STATIC_URL"), settings.STATIC_ROOT, project),
        "media": file_map(url_setting(settings, "MEDIA_URL"), settings.MEDIA_ROOT, project),
        "static_manifest": static_manifest(settings, project),
        "x_frame_options": getattr(settings, "X_FRAME_OPTIONS", None),
        "referrer_policy": referrer_policy(settings),
        "cross_origin_opener_policy": getattr(settings, "SECURE_CROSS_ORIGIN_OPENER_POLICY", None),
        "hsts": hsts(settings),
        "nosniff": bool(settings.SECURE_CONTENT_TYPE_NOSNIFF),
        "use_x_forwarded_host": bool(settings.USE_X_FORWARDED_HOST),
        "proxy_ssl_header": proxy_ssl_header(settings),
        "ssl_redirect": ssl_redirect(settings),
        "ssl_host": settings.SECURE_SSL_HOST or None,
        "debug": bool(settings.DEBUG),
    }
    fields = ("x_frame_options", "referrer_policy", "cross_origin_opener_policy", "proxy_ssl_header", "ssl_host")
    return {k: v for k, v in options.items() if v not in (None, []) and (k not in fields or printable(v))}


def engines(settings):
    databases = settings.DATABASES if isinstance(settings.DATABASES, dict) else {}
    return {name: str(conf.get("ENGINE", "")) for name, conf in databases.items() if isinstance(conf, dict)}


def collect_facts(settings):
    import django

    return {
        "django": django.get_version(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "executable": sys.executable,
        "databases": engines(settings),
        "ssl_redirect": bool(settings.SECURE_SSL_REDIRECT),
        "session_cookie_secure": bool(settings.SESSION_COOKIE_SECURE),
        "csrf_cookie_secure": bool(settings.CSRF_COOKIE_SECURE),
        "data_upload_max_memory_size": settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    }


# ---- findings: what is unfit for production, each with how to mend it ----


def finding(name, level, what, mend):
    return {"id": name, "level": level, "what": what, "mend": mend}


def check_debug(settings):
    if settings.DEBUG:
        yield finding("debug", "error", "DEBUG is on: errors show source, settings and queries to anybody",
                      "set DEBUG = False in the settings used in production")


def check_secret_key(settings):
    key = settings.SECRET_KEY
    key = key.decode("latin-1") if isinstance(key, bytes) else str(key or "")
    if not key:
        what = "SECRET_KEY is empty"
    elif key.startswith("django-insecure-"):
        what = "SECRET_KEY is the one startproject made (django-insecure-...)"
    elif len(key) < 50 or len(set(key)) < 5:
        what = "SECRET_KEY is short or has few different characters: sessions and signatures can be guessed"
    else:
        return
    yield finding("secret-key", "error", what, "read a random one of 50 characters or more from the environment, such as "
                  "SECRET_KEY = os.environ[\"SECRET_KEY\"]; make it with `python3 -c \"import secrets; "
                  "print(secrets.token_urlsafe(50))\"`")


def check_hosts(settings):
    if "*" in settings.ALLOWED_HOSTS:
        yield finding("allowed-hosts", "warning", "ALLOWED_HOSTS has '*': any Host is believed, in links of mails too",
                      "list the site's own names")
    elif not settings.ALLOWED_HOSTS:
        yield finding("allowed-hosts", "error", "ALLOWED_HOSTS is empty: every request is answered with 400 once DEBUG is off",
                      "list the site's own names, such as ALLOWED_HOSTS = [\"example.org\"]")
    wrong = [host for host in settings.ALLOWED_HOSTS if not printable(host)]
    if wrong:
        yield finding("allowed-hosts-form", "warning", f"ALLOWED_HOSTS has names no request can have: {wrong!r}",
                      "write international names in their ASCII form (xn--...)")


def check_static(settings, project):
    if "django.contrib.staticfiles" not in settings.INSTALLED_APPS or not local_url(url_setting(settings, "STATIC_URL")):
        return
    root = text_path(settings.STATIC_ROOT, project)
    manifest = static_manifest(settings, project)
    collect = "run `python manage.py collectstatic` at each deploy"
    if not root:
        yield finding("static-root", "error", "STATIC_ROOT is not set: static files have no place to be collected and served from",
                      "set STATIC_ROOT = BASE_DIR / \"staticfiles\" and " + collect)
    elif not os.path.isdir(root) or not os.listdir(root):
        yield finding("static-collected", "error", f"{root} (STATIC_ROOT) is empty: static files will be missing", collect)
    elif manifest and not os.path.isfile(manifest):
        yield finding("static-manifest", "error", f"{manifest} is missing: pages that use {{% static %}} will fail", collect)


def check_roots(settings, project):
    static, media = (text_path(root, project) for root in (settings.STATIC_ROOT, settings.MEDIA_ROOT))
    for name, root in (("STATIC_ROOT", static), ("MEDIA_ROOT", media)):
        if root and publishes_source(root, project):
            yield finding("publishes-source", "error", f"{name} is {root}: it holds the project's own source, so it is not served",
                          f"give {name} a directory of its own")
    if static and static == media:
        yield finding("media-in-static", "error", "MEDIA_ROOT is STATIC_ROOT: uploads would be served as trusted files of the site",
                      "give MEDIA_ROOT a directory of its own")


def check_tls(settings, tls):
    """Only of a site that is served over TLS, by us or by what stands in front."""
    if not (tls or settings.SECURE_SSL_REDIRECT or settings.SECURE_HSTS_SECONDS):
        return
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
        if not getattr(settings, name):
            yield finding(name.lower().replace("_", "-"), "warning", f"{name} is off: the cookie also travels without TLS",
                          f"set {name} = True")
    if not settings.SECURE_SSL_REDIRECT:
        yield finding("ssl-redirect", "warning", "SECURE_SSL_REDIRECT is off: pages can be read and changed on http://",
                      "set SECURE_SSL_REDIRECT = True")
    if not settings.SECURE_HSTS_SECONDS:
        yield finding("hsts", "warning", "SECURE_HSTS_SECONDS is 0: a browser's first request of each visit may go without TLS",
                      "set SECURE_HSTS_SECONDS = 3600, and more once all of the site works over TLS")


def check_middleware(settings):
    if MIDDLEWARE not in settings.MIDDLEWARE:
        yield finding("security-middleware", "warning", "SecurityMiddleware is not installed: the SECURE_* settings do nothing",
                      f"put \"{MIDDLEWARE}\" first in MIDDLEWARE")
    if "django.middleware.csrf.CsrfViewMiddleware" not in settings.MIDDLEWARE:
        yield finding("csrf-middleware", "warning", "CsrfViewMiddleware is not installed: other sites can post forms as your users",
                      "put \"django.middleware.csrf.CsrfViewMiddleware\" in MIDDLEWARE")


def check_databases(settings):
    for name, engine in engines(settings).items():
        if engine.endswith("sqlite3"):
            yield finding("sqlite", "warning", f"database '{name}' is SQLite: writers wait for each other, and one host only",
                          "use PostgreSQL, or keep SQLite knowingly for a small site on one machine")
        elif not settings.DATABASES[name].get("CONN_MAX_AGE", 0) and "pool" not in (settings.DATABASES[name].get("OPTIONS") or {}):
            yield finding("conn-max-age", "warning", f"database '{name}' opens a new connection for each request (CONN_MAX_AGE is 0)",
                          "set CONN_MAX_AGE = 600 and CONN_HEALTH_CHECKS = True (Django 4.1 and later)")


def check_cache(settings):
    default = settings.CACHES.get("default", {}) if isinstance(settings.CACHES, dict) else {}
    if str(default.get("BACKEND", "")).endswith("LocMemCache") and settings.SESSION_ENGINE.endswith(".cache"):
        yield finding("session-cache", "error", "sessions are kept in a cache that each worker has for itself: logins get lost",
                      "use Redis for CACHES, or SESSION_ENGINE = \"django.contrib.sessions.backends.db\"")


def collect_findings(settings, project, tls):
    checks = [check_debug(settings), check_secret_key(settings), check_hosts(settings), check_static(settings, project),
              check_roots(settings, project), check_tls(settings, tls), check_middleware(settings), check_databases(settings),
              check_cache(settings)]
    return [found for check in checks for found in check]


# ---- the program ----


def inspect(app, tls, project):
    settings_module, why = find_settings(app, project)
    if not settings_module:
        return {"found": False, "why": why}
    os.environ[VARIABLE] = settings_module
    settings = Settings(settings_module)
    return {
        "found": True,
        "options": collect_options(settings, settings_module, app, project),
        "facts": collect_facts(settings),
        "findings": collect_findings(settings, project, tls),
    }


def parse(words):
    """The application or None, and whether there is TLS. The supervisor wrote them: no help, and no argparse to wait for."""
    app = words[words.index("--app") + 1] if "--app" in words else None
    return app, "--tls" in words


def claim_output():
    """Standard output for us alone: what the settings print goes to standard error, and they find no input."""
    answer = os.dup(1)
    os.dup2(2, 1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return answer


def project_path():
    """Imports begin in the project, as for manage.py, and never in the directory of this script."""
    here, project = os.path.dirname(os.path.abspath(__file__)), os.getcwd()
    sys.path[:] = [project, *(path for path in sys.path if os.path.abspath(path) not in (here, project))]
    return Path(project)


def main():
    app, tls = parse(sys.argv[1:])
    answer = claim_output()
    try:
        text = json.dumps(inspect(app, tls, project_path()))
    except BaseException as error:  # SystemExit too: settings may call sys.exit
        sys.path.insert(0, PACKAGE_ROOT)
        from quintet.boot_error import describe

        sys.stderr.write(describe(error))
        return BOOT_FAILED
    with open(answer, "w", encoding="ascii") as out:
        out.write(text + "\n")
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # at once: threads that the settings have started shall not keep us
