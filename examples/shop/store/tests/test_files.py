"""Files in and out: uploads in the admin, exports, downloads, invoices."""
import csv
import zipfile
from io import BytesIO, StringIO

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from store import documents
from store.checkout import place_order
from store.models import Order, Product
from store.tests.base import ADDRESS, ShopTestCase


def streamed(response):
    return b"".join(response.streaming_content)


def picture(kind="PNG"):
    file = BytesIO()
    Image.new("RGB", (40, 30), "orange").save(file, kind)
    return file.getvalue()


class UploadTest(ShopTestCase):
    def setUp(self):
        super().setUp()
        self.client.force_login(self.staff)

    def upload(self, name, content):
        form = {
            "category": self.guitars.pk,
            "name": "Lamarck",
            "slug": "lamarck",
            "maker": "Atelier",
            "summary": "With a photo",
            "description": "",
            "price": "2480.00",
            "stock": 4,
            "photo": SimpleUploadedFile(name, content),
        }
        return self.client.post("/admin/store/product/%d/change/" % self.lamarck.pk, form)

    def test_a_photo_takes_the_place_of_the_drawing(self):
        self.assertEqual(self.upload("guitar.png", picture()).status_code, 302)
        product = Product.objects.get(pk=self.lamarck.pk)
        self.assertEqual((settings.MEDIA_ROOT / product.photo.name).read_bytes(), picture())
        self.assertContains(self.client.get("/products/lamarck/"), product.photo.url)

    def test_what_is_no_picture_is_refused(self):
        for name, content in (
            ("page.png", b"<script>alert(1)</script>"),
            ("page.html", picture()),
            ("drawing.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
            ("photo.gif", picture("GIF")),
        ):
            self.assertEqual(self.upload(name, content).status_code, 200, name)
        self.assertFalse(Product.objects.get(pk=self.lamarck.pk).photo)
        self.assertFalse(settings.MEDIA_ROOT.exists())

    def test_a_picture_too_large_is_refused(self):
        response = self.upload("large.png", picture() + bytes(8 * 1024 * 1024))
        self.assertContains(response, "larger than 8 MB")

    def test_admin_pages(self):
        place_order(Order(user=self.customer, **ADDRESS), {self.weather.pk: 1})
        for address in ("product/", "product/add/", "category/", "order/"):
            self.assertEqual(self.client.get("/admin/store/" + address).status_code, 200, address)
        order = Order.objects.get()
        page = self.client.get("/admin/store/order/%d/change/" % order.pk)
        self.assertContains(page, "Minor Weather")


class ExportTest(ShopTestCase):
    def rows(self, address):
        response = self.client.get(address)
        self.assertTrue(response.streaming)
        self.assertIn("attachment", response["Content-Disposition"])
        return list(csv.reader(StringIO(streamed(response).decode())))

    def test_products(self):
        rows = self.rows("/export/products.csv")
        self.assertEqual(rows[0], ["slug", "name", "maker", "category", "price", "stock"])
        self.assertEqual(rows[1], ["lamarck", "Lamarck", "Atelier", "guitars", "2480.00", "4"])
        self.assertEqual(len(rows), 4)

    def test_a_formula_is_made_harmless(self):
        Product.objects.filter(pk=self.lamarck.pk).update(name="=1+1")
        self.assertEqual(self.rows("/export/products.csv")[1][1], "'=1+1")

    def test_orders_are_for_staff(self):
        place_order(Order(user=self.customer, **ADDRESS), {self.weather.pk: 3})
        self.client.force_login(self.customer)
        self.assertEqual(self.client.get("/export/orders.csv").status_code, 302)
        self.client.force_login(self.staff)
        rows = self.rows("/export/orders.csv")
        self.assertEqual(rows[1][2:], ["Clara Customer", "Paris", "France", "Minor Weather", "3",
                                       "24.00"])


class DownloadTest(ShopTestCase):
    def test_catalogue(self):
        self.assertEqual(self.client.get("/download/catalogue.pdf").status_code, 404)
        documents.write_catalogue()
        response = self.client.get("/download/catalogue.pdf")
        content = streamed(response)
        self.assertEqual(response["Content-Type"], "application/pdf")
        self.assertEqual(int(response["Content-Length"]), len(content))
        self.assertIn(b"(Minor Weather)", content)

    def test_pictures(self):
        settings.PICTURES.mkdir()
        (settings.PICTURES / "one.svg").write_text("<svg/>")
        documents.write_pictures_zip()
        archive = zipfile.ZipFile(BytesIO(streamed(self.client.get("/download/pictures.zip"))))
        self.assertEqual(archive.read("one.svg"), b"<svg/>")

    def test_invoice(self):
        order = place_order(Order(user=self.customer, **ADDRESS), {self.weather.pk: 2})
        self.client.force_login(self.customer)
        response = self.client.get("/orders/%s/invoice.pdf" % order.number)
        self.assertIn("invoice-%s.pdf" % order.number, response["Content-Disposition"])
        content = streamed(response)
        self.assertTrue(content.startswith(b"%PDF-1.4"))
        self.assertIn(b"48.00 \x80", content)  # the euro sign in WinAnsiEncoding
