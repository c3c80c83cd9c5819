"""Settings of the shop, for Django 3.2 to 6.x, taken from the environment (12-factor).

    SECRET_KEY             made once in var/secret_key when unset
    DEBUG                  off
    ALLOWED_HOSTS          localhost,127.0.0.1,[::1]
    CSRF_TRUSTED_ORIGINS   none; full origins such as https://shop.example.com
    DATABASE_URL           sqlite, in var/shop.sqlite3
    REDIS_URL              none: the cache lives in each worker's memory
    SHOP_VAR               var/, where everything lives that is made at run time
    SHOP_HTTPS_ONLY        off; redirects to HTTPS, secure cookies, HSTS
    SHOP_DEMO              off; lets `prepare` make the demo accounts
"""
import os
from pathlib import Path

import django

from shop import environment

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("SHOP_VAR") or BASE_DIR / "var").resolve()
PICTURES = VAR / "pictures"  # drawn by `prepare`, collected as static files
PICTURES.mkdir(parents=True, exist_ok=True)

DEBUG = environment.flag("DEBUG")
SHOP_DEMO = environment.flag("SHOP_DEMO", DEBUG)
SECRET_KEY = environment.secret_key(VAR / "secret_key")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")

CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS")
if django.VERSION < (4, 0):  # which wants bare hosts
    CSRF_TRUSTED_ORIGINS = [origin.split("://")[-1] for origin in CSRF_TRUSTED_ORIGINS]

INSTALLED_APPS = [
    "store",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "store.journey.JourneyMiddleware",  # first: it times all the others
    "django.middleware.security.SecurityMiddleware",
    "store.security.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "store.cart.context",
            ],
        },
    },
]

DATABASES = {
    "default": environment.database(
        os.environ.get("DATABASE_URL") or "sqlite:///%s" % (VAR / "shop.sqlite3")
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # store.apps switches to write-ahead logging; writers wait for one another this long.
    DATABASES["default"]["OPTIONS"] = {"timeout": 20}
    if django.VERSION >= (5, 1):
        DATABASES["default"]["OPTIONS"]["transaction_mode"] = "IMMEDIATE"

REDIS_URL = os.environ.get("REDIS_URL")
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "store.caches.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "shop",
        }
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
else:
    # Not cached_db here: each worker would remember its own idea of a session.
    CACHES = {"default": {"BACKEND": "store.caches.LocMemCache", "LOCATION": "shop"}}
    SESSION_ENGINE = "django.contrib.sessions.backends.db"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation." + name}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "orders"
LOGOUT_REDIRECT_URL = "home"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
if django.VERSION < (4, 0):  # later ones always localise
    USE_L10N = True

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [("store/pictures", PICTURES)]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR / "media"


def storages(static_backend):
    """The setting that names the storage of static files, as this Django spells it."""
    if django.VERSION < (4, 2):
        return {"STATICFILES_STORAGE": static_backend}
    return {
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": static_backend},
        }
    }


globals().update(storages("django.contrib.staticfiles.storage.ManifestStaticFilesStorage"))

# The demo answers on http and https at once, so cookies are not bound to HTTPS by default.
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
if environment.flag("SHOP_HTTPS_ONLY"):
    SECURE_SSL_REDIRECT = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31536000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Its own handlers (console when DEBUG, mail) would say everything twice.
    "loggers": {"django": {"handlers": [], "level": "INFO"}},
}
