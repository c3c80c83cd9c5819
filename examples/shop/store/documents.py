"""The shop's printed matter: the catalogue, made by `prepare`, and an order's invoice."""
import zipfile

from django.conf import settings

from store.models import Product
from store.pdf import HEIGHT, WIDTH, Pdf

GREEN = (0.09, 0.27, 0.23)
BRASS = (0.79, 0.53, 0.18)
LEFT = 50
LINE = 17
TOP = HEIGHT - 110
BOTTOM = 60


def catalogue_path():
    return settings.VAR / "catalogue.pdf"


def pictures_path():
    return settings.VAR / "pictures.zip"


def head(pdf, title):
    pdf.box(0, HEIGHT - 70, WIDTH, 70, GREEN)
    pdf.box(0, HEIGHT - 74, WIDTH, 4, BRASS)
    pdf.box(LEFT - 10, HEIGHT - 56, 230, 40, (0.98, 0.96, 0.92))
    pdf.text(LEFT, HEIGHT - 42, "Petite Bouche", 20, bold=True)
    pdf.text(LEFT, HEIGHT - 96, title, 12, bold=True)


def catalogue():
    """The price list of all products, by category, as bytes of a PDF."""
    pdf = Pdf("Petite Bouche: catalogue")
    head(pdf, "Instruments, records and sheet music: the catalogue")
    y = TOP
    category = None
    for product in Product.objects.select_related("category").order_by("category", "name"):
        if y < BOTTOM + 2 * LINE:
            pdf.new_page()
            head(pdf, "The catalogue, continued")
            y = TOP
        if product.category != category:
            category = product.category
            y -= LINE
            pdf.text(LEFT, y, category.name, 13, bold=True)
            pdf.box(LEFT, y - 5, WIDTH - 2 * LEFT, 1, BRASS)
            y -= LINE + 3
        pdf.text(LEFT, y, product.name, 10)
        pdf.text(LEFT + 240, y, product.maker, 9)
        pdf.text(WIDTH - LEFT - 70, y, "%10.2f €" % product.price, 10)
        y -= LINE
    return pdf.to_bytes()


def write_pictures_zip():
    """All drawn pictures in one archive, the same bytes each time it is made."""
    aside = pictures_path().with_suffix(".new")
    with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
        for picture in sorted(settings.PICTURES.glob("*.*")):
            entry = zipfile.ZipInfo(picture.name)
            archive.writestr(entry, picture.read_bytes())
    aside.replace(pictures_path())


def write_catalogue():
    aside = catalogue_path().with_suffix(".new")
    aside.write_bytes(catalogue())
    aside.replace(catalogue_path())


def invoice(order):
    """The invoice of an order as bytes of a PDF."""
    pdf = Pdf("Invoice %s" % order.number)
    head(pdf, "Invoice %s" % order.number)
    y = TOP - 20
    for text in (order.name, order.street, "%s %s" % (order.postcode, order.city), order.country):
        pdf.text(LEFT, y, text, 10)
        y -= LINE
    pdf.text(WIDTH - LEFT - 120, TOP - 20, order.placed.strftime("%d %B %Y"), 10)
    y -= LINE
    for line in order.lines.all():
        if y < BOTTOM + 2 * LINE:
            pdf.new_page()
            head(pdf, "Invoice %s, continued" % order.number)
            y = TOP
        pdf.text(LEFT, y, "%d ×" % line.quantity, 10)
        pdf.text(LEFT + 40, y, line.name, 10)
        pdf.text(WIDTH - LEFT - 80, y, "%10.2f €" % line.total, 10)
        y -= LINE
    pdf.box(LEFT, y + 6, WIDTH - 2 * LEFT, 1, BRASS)
    pdf.text(LEFT + 40, y - 12, "Total", 11, bold=True)
    pdf.text(WIDTH - LEFT - 80, y - 12, "%10.2f €" % order.total, 11, bold=True)
    return pdf.to_bytes()
