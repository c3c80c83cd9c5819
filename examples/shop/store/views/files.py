"""What leaves the shop as a file: streamed CSV exports and downloads from disk."""
import csv

from django.contrib.admin.views.decorators import staff_member_required
from django.http import FileResponse, Http404, StreamingHttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static

from store import documents
from store.models import OrderLine, Product

CHUNK = 500  # rows the database hands over at a time


class Line:
    """A file to csv.writer: write() hands back the line instead of keeping it."""

    @staticmethod
    def write(text):
        return text


def harmless(value):
    """A text that a spreadsheet would take for a formula gets a quote before it."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def stream_csv(filename, head, rows):
    """Sends the rows while they are read, so that neither side holds them all."""
    writer = csv.writer(Line)

    def lines():
        yield writer.writerow(head)
        for row in rows:
            yield writer.writerow([harmless(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="%s"' % filename
    return response


def products_csv(request):
    head = ["slug", "name", "maker", "category", "price", "stock"]
    rows = Product.objects.order_by("pk").values_list(
        "slug", "name", "maker", "category__slug", "price", "stock"
    )
    return stream_csv("products.csv", head, rows.iterator(chunk_size=CHUNK))


@staff_member_required(login_url="login")
def orders_csv(request):
    head = ["order", "placed", "customer", "city", "country", "product", "quantity", "price"]
    rows = OrderLine.objects.order_by("order_id", "pk").values_list(
        "order__number",
        "order__placed",
        "order__name",
        "order__city",
        "order__country",
        "name",
        "quantity",
        "price",
    )
    return stream_csv("orders.csv", head, rows.iterator(chunk_size=CHUNK))


def download(path):
    """A FileResponse with the open file: a server may send it by its descriptor."""
    try:
        file = open(path, "rb")
    except FileNotFoundError as error:
        raise Http404("%s has not been made: run `manage.py prepare`" % path.name) from error
    return FileResponse(file, as_attachment=True, filename=path.name)


def catalogue_pdf(request):
    return download(documents.catalogue_path())


def pictures_zip(request):
    return download(documents.pictures_path())


def favicon(request):
    """Browsers ask for it by this name on pages that name none: the admin's, JSON."""
    return redirect(static("store/icon.svg"))
