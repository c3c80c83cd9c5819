"""`manage.py prepare`: makes everything, and finds nothing to do the second time."""
from io import StringIO

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import override_settings

from shop.settings import storages
from store import art, demo
from store.models import Order, Product
from store.tests.base import ShopTestCase

HASHED_STATIC = storages("django.contrib.staticfiles.storage.ManifestStaticFilesStorage")


class PrepareTest(ShopTestCase):
    def setUp(self):
        super().setUp()
        Product.objects.all().delete()
        (self.var / "pictures").mkdir()
        changed = override_settings(
            STATIC_ROOT=self.var / "static",
            STATICFILES_DIRS=[("store/pictures", self.var / "pictures")],
            **HASHED_STATIC,
        )
        changed.enable()
        self.addCleanup(changed.disable)

    def prepare(self):
        out = StringIO()
        call_command("prepare", stdout=out)
        return out.getvalue()

    @override_settings(SHOP_DEMO=False)
    def test_products_and_files_but_no_accounts(self):
        said = self.prepare()
        self.assertIn("loaded 60 demo products", said)
        self.assertEqual(Product.objects.count(), 60)
        self.assertTrue((self.var / "static/store/pictures/hero.svg").exists())
        self.assertTrue((self.var / "catalogue.pdf").exists())
        self.assertFalse(get_user_model().objects.filter(username="admin").exists())

    @override_settings(SHOP_DEMO=True)
    def test_demo_accounts_are_made_once(self):
        self.prepare()
        self.assertEqual(self.prepare(), "prepare: ready\n")
        self.assertTrue(self.client.login(username="admin", password="admin"))
        self.assertEqual(Order.objects.count(), len(demo.ORDERS))

    def test_every_product_has_its_drawing(self):
        number = art.draw_all(self.var, demo.subjects())
        demo.load_products()
        self.assertGreater(number, 60)
        for product in Product.objects.all():
            self.assertTrue((self.var / product.drawing).exists(), product)

    def test_drawings_are_the_same_each_time(self):
        first, second = self.var / "1", self.var / "2"
        for folder in (first, second):
            folder.mkdir()
            art.draw_all(folder, demo.subjects())
        for path in first.iterdir():
            self.assertEqual(path.read_bytes(), (second / path.name).read_bytes(), path.name)
