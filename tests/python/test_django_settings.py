"""The inspection of a project's settings: real Django projects in temporary directories, the script as the server runs it."""

import json
import os
import py_compile
import subprocess
import sys
import textwrap
from pathlib import Path

import django
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "python" / "quintet" / "django_settings.py"
KEY = "uZ3k9_Qw7rT1yP5sD8fG2hJ4lX6cV0bN-mAeRtYuIoPlKjHgFdSa"

MANAGE = """
    import os, sys
    raise SystemExit("manage.py must never be run")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
"""
WSGI = """
    import os
    raise SystemExit("wsgi.py must never be run")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
"""
# What a careful project says: no finding but the ones a test adds.
GOOD = f"""
    from pathlib import Path
    BASE_DIR = Path(__file__).resolve().parent.parent
    SECRET_KEY = {KEY!r}
    DEBUG = False
    ALLOWED_HOSTS = ["example.org", ".example.net"]
    INSTALLED_APPS = ["django.contrib.staticfiles"]
    MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
    DATABASES = {{"default": {{"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 600}}}}
    WSGI_APPLICATION = "site_.wsgi.application"
    STATIC_URL = "static/"
    STATIC_ROOT = BASE_DIR / "collected"
    USE_TZ = True
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
"""


class Project:
    def __init__(self, path):
        self.path = path
        self.write("manage.py", MANAGE)
        self.write("site_/__init__.py", "")
        self.write("site_/wsgi.py", WSGI)
        self.write("collected/site.css", "")
        self.settings()

    def write(self, name, text):
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))

    def settings(self, more="", name="settings"):
        self.write(f"site_/{name}.py", textwrap.dedent(GOOD) + textwrap.dedent(more))

    def run(self, *arguments, **environment):
        env = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE" and not k.startswith("PYTHON")}
        return subprocess.run([sys.executable, str(SCRIPT), *arguments], cwd=self.path, env={**env, **environment},
                              capture_output=True, text=True, timeout=60, check=False)

    def answer(self, *arguments, **environment):
        done = self.run(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def options(self, *arguments, **environment):
        return self.answer(*arguments, **environment)["options"]

    def findings(self, *arguments):
        return {found["id"]: found for found in self.answer(*arguments)["findings"]}


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


def test_a_good_project_has_its_options_and_no_finding(project):
    answer = project.answer()
    root = project.path.resolve()
    assert answer["found"] is True
    assert answer["options"] == {
        "app": "site_.wsgi:application",
        "django_settings": "site_.settings",
        "allowed_hosts": ["example.org", ".example.net"],
        "static": [f"/static/={root}/collected"],
        "x_frame_options": "DENY",
        "referrer_policy": "same-origin",
        "nosniff": True,
        "use_x_forwarded_host": False,
        "ssl_redirect": False,
        "debug": False,
        **({"cross_origin_opener_policy": "same-origin"} if django.VERSION >= (4,) else {}),
    }
    assert answer["facts"]["django"] == django.get_version()
    assert answer["facts"]["databases"] == {"default": "django.db.backends.postgresql"}
    assert answer["findings"] == []


def test_the_options_are_known_to_the_table(project):
    table = (SCRIPT.parents[2] / "src" / "conf" / "options.c").read_text()
    project.settings("SECURE_HSTS_SECONDS = 60\nMEDIA_URL = '/m/'\nMEDIA_ROOT = '/srv/m'\n"
                     "STATICFILES_STORAGE = 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage'\n"
                     if django.VERSION < (4, 2) else "SECURE_HSTS_SECONDS = 60\nMEDIA_URL = '/m/'\nMEDIA_ROOT = '/srv/m'\n")
    for name in project.options():
        assert f'.name = "{name.replace("_", "-")}"' in table


# ---- which settings, which callable ----


def test_without_a_project_it_says_why(tmp_path):
    bare = Project(tmp_path)
    (tmp_path / "manage.py").unlink()
    assert bare.answer() == {"found": False, "why": "there is no manage.py here and DJANGO_SETTINGS_MODULE is not set"}
    bare.write("manage.py", "print('hello')")
    assert bare.answer()["why"] == "manage.py does not say which settings it uses; set DJANGO_SETTINGS_MODULE"
    bare.write("manage.py", "this is not python")
    assert bare.answer()["found"] is False


@pytest.mark.parametrize("source", [
    'import os\nos.environ["DJANGO_SETTINGS_MODULE"] = "site_.other"',
    'from os import environ\ndef main():\n    environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.other")',
    'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", os.environ.get("WHICH", "site_.other"))',
    'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", os.getenv("WHICH", "site_.other"))',
])
def test_manage_py_names_the_settings(project, source):
    project.settings("DEBUG = True", name="other")
    project.write("manage.py", source)
    (project.path / "site_" / "wsgi.py").unlink()
    assert project.options()["django_settings"] == "site_.other"
    if "WHICH" in source:
        assert project.options(WHICH="site_.settings")["django_settings"] == "site_.settings"


def test_wsgi_py_wins_over_manage_py_and_the_environment_over_both(project):
    project.settings(name="production")
    project.settings(name="third")
    project.write("site_/wsgi.py", WSGI.replace("settings\")", "production\")"))
    assert project.options()["django_settings"] == "site_.production"
    assert project.options(DJANGO_SETTINGS_MODULE="site_.third")["django_settings"] == "site_.third"


def test_a_given_application_names_its_settings(project):
    project.settings(name="special")
    project.write("special_wsgi.py", WSGI.replace("settings\")", "special\")"))
    (project.path / "manage.py").unlink()
    options = project.options("--app", "special_wsgi:app")
    assert options["django_settings"] == "site_.special"
    assert options["app"] == "special_wsgi:app"


def test_without_wsgi_application_the_module_beside_is_found(project):
    project.settings("WSGI_APPLICATION = None")
    assert project.options()["app"] == "site_.wsgi:application"
    (project.path / "site_" / "wsgi.py").unlink()
    assert project.options()["app"] == "django.core.wsgi:get_wsgi_application()"


def test_settings_in_a_package_find_the_wsgi_above(project):
    project.write("site_/settings_/__init__.py", "")
    project.settings("WSGI_APPLICATION = None\nSTATIC_ROOT = None", name="settings_/live")
    (project.path / "site_" / "wsgi.py").write_text("")
    assert project.options(DJANGO_SETTINGS_MODULE="site_.settings_.live")["app"] == "site_.wsgi:application"


# ---- files ----


@pytest.mark.parametrize("url, served", [
    ("static/", "/static/"), ("/static/", "/static/"), ("/assets/v1/", "/assets/v1/"),
    ("https://cdn.example.org/", None), ("http://cdn.example.org/x/", None), ("//cdn.example.org/", None), ("/", None),
])
def test_static_urls(project, url, served):
    project.settings(f"STATIC_URL = {url!r}")
    assert project.options().get("static") == ([f"{served}={project.path.resolve()}/collected"] if served else None)


def test_relative_urls_follow_the_script_name(project):
    project.settings("FORCE_SCRIPT_NAME = '/shop/'")
    assert project.options()["static"] == [f"/shop/static/={project.path.resolve()}/collected"]


def test_media_is_served_when_it_has_a_place(project):
    project.settings("MEDIA_URL = '/media/'\nMEDIA_ROOT = '/srv/media'")
    assert project.options()["media"] == ["/media/=/srv/media"]
    project.settings("MEDIA_URL = '/media/'")
    assert "media" not in project.options()
    project.settings("MEDIA_ROOT = 'uploads'\nMEDIA_URL = 'up/'")
    assert project.options()["media"] == [f"/up/={project.path.resolve()}/uploads"]


def test_the_projects_own_source_is_never_served(project):
    project.settings("STATIC_ROOT = BASE_DIR\nMEDIA_ROOT = BASE_DIR.parent\nMEDIA_URL = '/m/'")
    options = project.options()
    assert "static" not in options and "media" not in options
    assert project.findings()["publishes-source"]["level"] == "error"


MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
PLAIN = "django.contrib.staticfiles.storage.StaticFilesStorage"


def storage(backend):
    if django.VERSION < (4, 2):
        return f"STATICFILES_STORAGE = {backend!r}\n"
    return f"STORAGES = {{'default': {{'BACKEND': 'x'}}, 'staticfiles': {{'BACKEND': {backend!r}}}}}\n"


def test_the_manifest_is_known(project):
    project.settings(storage(MANIFEST))
    manifest = f"{project.path.resolve()}/collected/staticfiles.json"
    assert project.options()["static_manifest"] == manifest
    assert project.findings()["static-manifest"]["level"] == "error"
    Path(manifest).write_text("{}")
    assert project.findings() == {}
    project.settings(storage(PLAIN))
    assert "static_manifest" not in project.options()


def other_django(project, change, version=django.VERSION):
    """A Django in the project whose defaults are those of the installed one, changed."""
    source = Path(django.__file__).with_name("conf") / "global_settings.py"
    project.write("django/__init__.py", f"VERSION = {version!r}\ndef get_version():\n    return 'other'\n")
    project.write("django/conf/global_settings.py", "")
    (project.path / "django/conf/global_settings.py").write_text(f"{source.read_text()}\n{change}\n")


def test_a_storage_setting_that_this_django_does_not_know(project):
    """One that an upgrade has left behind, or a later one needs, says nothing."""
    left = f"STATICFILES_STORAGE = {MANIFEST!r}\n"
    early = f"STORAGES = {{'staticfiles': {{'BACKEND': {MANIFEST!r}}}}}\n"
    new = f"STORAGES = {{'staticfiles': {{'BACKEND': {PLAIN!r}}}}}"
    old = f"STATICFILES_STORAGE = {PLAIN!r}"
    for change, more, known in [
        (f"globals().pop('STATICFILES_STORAGE', None)\n{new}", left, False),
        (f"globals().pop('STATICFILES_STORAGE', None)\n{new}", left + early, True),
        (f"{old}\n{new}", left, True),
        (f"{old}\n{new}", early, True),
        (f"globals().pop('STORAGES', None)\n{old}", early, False),
        (f"globals().pop('STORAGES', None)\n{old}", left + early, True),
    ]:
        other_django(project, change)
        project.settings(more)
        answer = project.answer()
        assert answer["facts"]["django"] == "other"
        assert ("static_manifest" in answer["options"]) is known, (change, more)


@pytest.mark.parametrize("version", [(3, 2, 25, "final", 0), (4, 2, 28, "final", 0)])
@pytest.mark.parametrize("hosts", ["'*'", "{'*'}"])
def test_any_collection_of_hosts_that_this_django_takes(project, hosts, version):
    project.settings(f"ALLOWED_HOSTS = {hosts}\n")
    other_django(project, "", version)
    if version < (4,):
        assert project.options()["allowed_hosts"] == ["*"]
    else:
        done = project.run()
        assert done.returncode == 3 and "ALLOWED_HOSTS must be a list or a tuple" in done.stderr


def test_what_only_a_function_of_the_settings_knows_is_no_setting(project):
    """Django looks at dir(): what it does not serve is not served here either."""
    project.settings("MEDIA_ROOT = '/srv/m'\ndef __getattr__(name):\n    return '/made-up/'\n")
    options = project.options()
    assert "media" not in options and options["x_frame_options"] == "DENY"


def test_a_django_without_its_source(project):
    other_django(project, "")
    source = project.path / "django/conf/global_settings.py"
    py_compile.compile(str(source), cfile=str(source.with_suffix(".pyc")), doraise=True)
    source.unlink()
    assert project.answer()["facts"]["django"] == "other"


@pytest.mark.parametrize("backend", [MANIFEST, PLAIN])
def test_an_inspection_imports_no_more_of_django_than_its_settings(project, backend):
    """It is waited for at each start and reload; asyncio and the models took as long as all the rest."""
    project.settings(storage(backend) + "STATIC_URL = 'static/'\nMEDIA_URL = 'up/'\n")
    done = project.run(PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 0 and "django" in imported
    assert imported.isdisjoint({"django.conf", "django.urls", "django.db", "asyncio", "argparse"})


def test_a_storage_of_the_project_may_rename_the_manifest_or_fail(project):
    project.write("site_/storage.py", f"from {MANIFEST.rpartition('.')[0]} import ManifestStaticFilesStorage\n"
                                      "class Mine(ManifestStaticFilesStorage):\n    manifest_name = 'mine.json'\n")
    project.settings(storage("site_.storage.Mine"))
    assert project.options()["static_manifest"].endswith("/collected/mine.json")
    project.write("site_/storage.py", "raise RuntimeError('apps are not loaded yet')")
    assert "static_manifest" not in project.options()


# ---- headers and hosts ----


def test_security_headers_are_those_of_the_settings(project):
    project.settings("""
        X_FRAME_OPTIONS = "SAMEORIGIN"
        SECURE_REFERRER_POLICY = ["no-referrer", "strict-origin"]
        SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"
        SECURE_CONTENT_TYPE_NOSNIFF = False
        SECURE_HSTS_SECONDS = 3600
        SECURE_HSTS_INCLUDE_SUBDOMAINS = True
        SECURE_HSTS_PRELOAD = True
    """)
    options = project.options()
    assert options["x_frame_options"] == "SAMEORIGIN"
    assert options["referrer_policy"] == "no-referrer,strict-origin"
    assert options["cross_origin_opener_policy"] == "same-origin-allow-popups"
    assert options["nosniff"] is False
    assert options["hsts"] == "max-age=3600; includeSubDomains; preload"


def test_header_values_that_no_header_can_have_are_left_out(project):
    project.settings("X_FRAME_OPTIONS = 'DENY\\r\\nX: y'\nSECURE_REFERRER_POLICY = None")
    options = project.options()
    assert "x_frame_options" not in options and "referrer_policy" not in options


def test_the_redirect_to_https_is_the_edges_where_no_pattern_is_needed(project):
    middleware = 'MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]\n'
    project.settings(middleware + "SECURE_SSL_REDIRECT = True\nSECURE_SSL_HOST = 'www.example.org'")
    options = project.options()
    assert options["ssl_redirect"] is True and options["ssl_host"] == "www.example.org"
    project.settings(middleware + "SECURE_SSL_REDIRECT = True\nSECURE_REDIRECT_EXEMPT = ['^up$']")
    assert project.options()["ssl_redirect"] is False
    project.settings("MIDDLEWARE = []\nSECURE_SSL_REDIRECT = True")
    assert project.options()["ssl_redirect"] is False


def test_what_the_settings_say_of_proxies(project):
    project.settings("USE_X_FORWARDED_HOST = True\nSECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')")
    options = project.options()
    assert options["use_x_forwarded_host"] is True and options["proxy_ssl_header"] == "X-FORWARDED-PROTO: https"
    for odd in ("('wsgi.url_scheme', 'https')", "('HTTP_X', )", "('HTTP_', 'x')", "('HTTP_X', 'a\\nb')", "('HTTP_X', 1)", "5"):
        project.settings(f"SECURE_PROXY_SSL_HEADER = {odd}")
        assert "proxy_ssl_header" not in project.options(), odd


def test_hosts_under_debug_are_the_local_ones(project):
    project.settings("DEBUG = True\nALLOWED_HOSTS = []")
    assert project.options()["allowed_hosts"] == [".localhost", "127.0.0.1", "[::1]"]
    project.settings("ALLOWED_HOSTS = ['m\\u00fcnchen.de', 'a.de']")
    assert project.options()["allowed_hosts"] == ["a.de"]
    assert "allowed-hosts-form" in project.findings()


# ---- findings ----


@pytest.mark.parametrize("settings, name, level", [
    ("DEBUG = True", "debug", "error"),
    ("SECRET_KEY = 'django-insecure-' + SECRET_KEY", "secret-key", "error"),
    ("SECRET_KEY = 'short'", "secret-key", "error"),
    ("SECRET_KEY = 'ab' * 40", "secret-key", "error"),
    ("ALLOWED_HOSTS = ['*']", "allowed-hosts", "warning"),
    ("ALLOWED_HOSTS = []", "allowed-hosts", "error"),
    ("STATIC_ROOT = None", "static-root", "error"),
    ("STATIC_ROOT = BASE_DIR / 'nowhere'", "static-collected", "error"),
    ("MEDIA_ROOT = STATIC_ROOT", "media-in-static", "error"),
    ("MIDDLEWARE = MIDDLEWARE[1:]", "security-middleware", "warning"),
    ("MIDDLEWARE = MIDDLEWARE[:1]", "csrf-middleware", "warning"),
    ("DATABASES['default']['ENGINE'] = 'django.db.backends.sqlite3'", "sqlite", "warning"),
    ("DATABASES['default']['CONN_MAX_AGE'] = 0", "conn-max-age", "warning"),
    ("SESSION_ENGINE = 'django.contrib.sessions.backends.cache'", "session-cache", "error"),
])
def test_what_is_unfit_is_found(project, settings, name, level):
    project.settings(settings)
    findings = project.findings()
    assert list(findings) == [name]
    assert findings[name]["level"] == level
    assert findings[name]["what"] and findings[name]["mend"]


def test_an_empty_secret_key_is_found(project):
    project.settings("SECRET_KEY = ''")
    assert project.findings()["secret-key"]["what"] == "SECRET_KEY is empty"


def test_tls_has_findings_of_its_own(project):
    assert set(project.findings("--tls")) == {"session-cookie-secure", "csrf-cookie-secure", "ssl-redirect", "hsts"}
    project.settings("SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True\nSECURE_HSTS_SECONDS = 60")
    assert project.findings("--tls") == {}


# ---- unruly settings ----


def test_settings_may_print_and_read(project):
    project.settings("import os, sys\nprint('hello')\nos.write(1, b'raw\\n')\nassert sys.stdin.read() == ''")
    done = project.run()
    assert done.returncode == 0
    assert json.loads(done.stdout)["found"] is True
    assert "hello" in done.stderr and "raw" in done.stderr


def test_settings_may_leave_threads_behind(project):
    project.settings("import threading\nthreading.Thread(target=threading.Event().wait).start()")
    assert project.answer()["found"] is True


@pytest.mark.parametrize("settings, said", [
    ("import no_such_module", "No module named 'no_such_module'"),
    ("1 / 0", "ZeroDivisionError"),
    ("import sys; sys.exit('no database')", "SystemExit: no database"),
    ("STATIC_ROOT = (", "SyntaxError"),
    ("INSTALLED_APPS = 'blog'", "INSTALLED_APPS must be a list or a tuple"),
])
def test_settings_that_cannot_be_imported(project, settings, said):
    project.settings(settings)
    done = project.run()
    assert done.returncode == 3
    assert done.stdout == ""
    assert said in done.stderr and ("settings.py" in done.stderr or said.startswith("INSTALLED_APPS"))
    assert "django_settings.py" not in done.stderr and "<frozen importlib" not in done.stderr, "frames that are not the project's concern"


def test_the_project_comes_first_on_the_path_and_our_directory_is_not_on_it(project):
    project.settings("import sys\nprint('PATH', sys.path)")
    said = project.run().stderr.partition("PATH ")[2].splitlines()[0]
    assert said.startswith(f"['{project.path.resolve()}'")
    assert str(SCRIPT.parent) not in said


def test_no_database_is_opened(project):
    project.settings("DATABASES['default'] = {'ENGINE': 'django.db.backends.sqlite3', 'NAME': BASE_DIR / 'new.sqlite3'}")
    project.answer()
    assert not (project.path / "new.sqlite3").exists()
