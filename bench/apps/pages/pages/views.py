from django.http import HttpResponse
from django.shortcuts import render

from pages.models import Article


def plain(request):
    """What Django costs at the least: middlewares, one look-up of a URL, a response."""
    return HttpResponse("Hello, world!\n", content_type="text/plain")


def rows(request):
    """A usual page: one query, twenty rows, a template."""
    return render(request, "rows.html", {"articles": Article.objects.order_by("-published")[:20]})
