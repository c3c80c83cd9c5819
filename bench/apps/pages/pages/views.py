import os

from django.http import FileResponse, HttpResponse
from django.shortcuts import render

from pages import BOOTED
from pages.models import Article


def plain(request):
    """What Django costs at the least: middlewares, one look-up of a URL, a response."""
    return HttpResponse("Hello, world!\n", content_type="text/plain")


def rows(request):
    """A usual page: one query, twenty rows, a template."""
    return render(request, "rows.html", {"articles": Article.objects.order_by("-published")[:20]})


def download(request):
    """The file that BENCH_FILE names."""
    return FileResponse(open(os.environ["BENCH_FILE"], "rb"))


def booted(request):
    """When this process has imported the project: a later moment after a reload."""
    return HttpResponse(str(BOOTED), content_type="text/plain")
