"""A Django site in one file: the kinds of responses and requests that Django makes of WSGI."""

import json
import logging
import os
import tempfile

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

settings.configure(
    SECRET_KEY="test",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.gzip.GZipMiddleware"],
    FILE_UPLOAD_MAX_MEMORY_SIZE=10_000,
    LOGGING={
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"console": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["console"], "level": "INFO"},
    },
)

folder = tempfile.mkdtemp()
finished = []


def plain(request):
    return HttpResponse("plain")


def stream(request):
    return StreamingHttpResponse(f"{i}\n" for i in range(1000))


def download(request):
    name = os.path.join(folder, "report.txt")
    with open(name, "wb") as file:
        file.write(b"r" * 50_000)
    response = FileResponse(open(name, "rb"), as_attachment=True)
    response._resource_closers.append(lambda: finished.append("download"))
    return response


def wrapped_file(request):
    """As storages hand files out: django.core.files.File around the real one."""
    from django.core.files import File

    download(request).close()
    finished.clear()
    return FileResponse(File(open(os.path.join(folder, "report.txt"), "rb")), filename="x.txt")


def take_finished(request):
    found = list(finished)
    finished.clear()
    return JsonResponse(found, safe=False)


def upload(request):
    file = request.FILES["file"]
    data = file.read()
    return JsonResponse({"name": file.name, "size": len(data), "field": request.POST["field"], "class": type(file).__name__})


def body(request):
    return JsonResponse({"got": json.loads(request.body), "secure": request.is_secure(), "uri": request.build_absolute_uri()})


def error(request):
    logging.getLogger("site").info("about to fail")
    raise ValueError("deliberate")


urlpatterns = [
    path(view.__name__, view)
    for view in (plain, stream, download, wrapped_file, take_finished, upload, body, error)
]

django.setup()
application = get_wsgi_application()
