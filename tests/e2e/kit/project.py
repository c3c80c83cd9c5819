"""A Django project that tells what its request is like: REMOTE_ADDR, is_secure(), get_host(), build_absolute_uri()."""
import json

PROJECT = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings')\n",
    "site_/__init__.py": "",
    "site_/settings.py": """
import os
SECRET_KEY = "x" * 60
ALLOWED_HOSTS = ["shop.test", ".b.test"]
ROOT_URLCONF = "site_.urls"
WSGI_APPLICATION = "site_.wsgi.application"
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
STATIC_URL, STATIC_ROOT = "/static/", os.path.join(os.path.dirname(__file__), "collected")
exec(os.environ.get("MORE_SETTINGS", ""))
""",
    "site_/urls.py": """
from django.http import JsonResponse
from django.urls import path, re_path

def whoami(request, **_):
    return JsonResponse({
        "address": request.META["REMOTE_ADDR"], "secure": request.is_secure(), "host": request.get_host(),
        "port": request.get_port(), "url": request.build_absolute_uri(),
        "fields": {k: v for k, v in request.META.items() if k.startswith("HTTP_")},
    })

urlpatterns = [re_path("", whoami)]
""",
    "site_/wsgi.py": """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
""",
    "site_/collected/a.css": "a{}\n",
}


def seen(site, *fields, host="shop.test", path="/a/?b=c", **more):
    r = site.get(path, *fields, host=host, **more)
    assert r.status == 200, r
    return json.loads(r.body)
