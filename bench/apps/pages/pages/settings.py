"""A small Django site as it would be in production: what `startproject` makes, without the parts that its two pages do not use.

BENCH_DATABASE   sqlite:FILE (pages.sqlite3 beside manage.py), or postgresql:DIRECTORY of the server's socket, with user and database "bench"
"""
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "for measuring only"
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

INSTALLED_APPS = ["pages"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "pages.urls"
WSGI_APPLICATION = "pages.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]


def database(text):
    kind, _, place = text.partition(":")
    if kind == "postgresql":
        return {"ENGINE": "django.db.backends.postgresql", "HOST": place, "NAME": "bench", "USER": "bench", "CONN_MAX_AGE": None}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": place or str(BASE_DIR / "pages.sqlite3"), "CONN_MAX_AGE": None}


DATABASES = {"default": database(os.environ.get("BENCH_DATABASE", ""))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
