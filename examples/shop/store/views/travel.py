"""Pages about the request itself: how it travelled, and who the server says is asking."""
import os

import django
from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Sum
from django.http import JsonResponse
from django.shortcuts import render

from store.models import OrderLine, Product


def journey(request):
    """A page that does a little of everything, to have something to show."""
    visits = cache.get("journey.visits", 0) + 1
    cache.set("journey.visits", visits, None)
    context = {
        "visits": visits,
        "figures": Product.objects.aggregate(products=Count("pk"), pieces=Sum("stock")),
        "sold": OrderLine.objects.aggregate(pieces=Sum("quantity"))["pieces"] or 0,
        "dearest": Product.objects.order_by("-price").first(),
        "facts": facts(request),
    }
    return render(request, "store/journey.html", context)


def facts(request):
    """(name, value) pairs for the table of the page."""
    return [
        ("Request id", request.META.get("HTTP_X_REQUEST_ID") or "none given"),
        ("Client", request.META.get("REMOTE_ADDR", "")),
        ("Scheme", request.scheme),
        ("Protocol", request.META.get("SERVER_PROTOCOL", "")),
        ("Server", request.META.get("SERVER_SOFTWARE") or "unnamed"),
        ("Worker process", os.getpid()),
        ("Django", django.get_version()),
        ("Database", connection.display_name),
    ]


def whoami(request):
    """What the server told the app about this request, as JSON."""
    meta = request.META
    answer = {
        "remote_addr": meta.get("REMOTE_ADDR"),
        "remote_port": meta.get("REMOTE_PORT"),
        "is_secure": request.is_secure(),
        "scheme": request.scheme,
        "host": request.get_host(),
        "method": request.method,
        "path": request.get_full_path(),
        "protocol": meta.get("SERVER_PROTOCOL"),
        "request_id": meta.get("HTTP_X_REQUEST_ID"),
        "queue_time": meta.get("quintet.queue_time"),
        "server": meta.get("SERVER_SOFTWARE"),
        "multithread": meta.get("wsgi.multithread"),
        "multiprocess": meta.get("wsgi.multiprocess"),
        "pid": os.getpid(),
    }
    return JsonResponse(answer)
