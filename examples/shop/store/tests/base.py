"""What the shop's tests share: a small catalogue, media in a folder that goes away, a quiet log.

Static files are not collected in a test, so their names are left as they are.
"""
import logging
import shutil
import tempfile
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import TestCase, override_settings

from shop.settings import storages
from store.models import Category, Product

ADDRESS = {
    "name": "Clara Customer",
    "email": "clara@example.com",
    "street": "12 Rue Lepic",
    "postcode": "75018",
    "city": "Paris",
    "country": "France",
}
OWN_KEYS = {"default": dict(settings.CACHES["default"], KEY_PREFIX="shop-test")}
PLAIN_STATIC = storages("django.contrib.staticfiles.storage.StaticFilesStorage")


@override_settings(
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    SECURE_SSL_REDIRECT=False,
    CACHES=OWN_KEYS,  # clearing the cache of a test touches nobody else's
    **PLAIN_STATIC,
)
class ShopTestCase(TestCase):
    """Two categories, three products, a customer and a member of staff."""

    @classmethod
    def setUpTestData(cls):
        cls.guitars = Category.objects.create(name="Guitars", slug="guitars", position=0)
        cls.records = Category.objects.create(name="Records", slug="records", position=1)
        cls.lamarck = cls.make_product(cls.guitars, "Lamarck", "2480.00", 4)
        cls.tenor = cls.make_product(cls.guitars, "Blanche Tenor", "420.00", 1)
        cls.weather = cls.make_product(cls.records, "Minor Weather", "24.00", 60)
        users = get_user_model().objects
        cls.customer = users.create_user("clara", "clara@example.com", "a long password")
        cls.staff = users.create_superuser("boss", "boss@example.com", "a long password")

    @classmethod
    def make_product(cls, category, name, price, stock):
        return Product.objects.create(
            category=category,
            name=name,
            slug=name.lower().replace(" ", "-"),
            maker="Atelier",
            summary="A fine " + name,
            price=Decimal(price),
            stock=stock,
            featured=True,
        )

    def setUp(self):
        cache.clear()
        var = Path(tempfile.mkdtemp(prefix="shop-test-"))
        self.addCleanup(shutil.rmtree, var)
        changed = override_settings(VAR=var, MEDIA_ROOT=var / "media", PICTURES=var / "pictures")
        changed.enable()
        self.addCleanup(changed.disable)
        self.var = settings.VAR
        logging.disable(logging.WARNING)
        self.addCleanup(logging.disable, logging.NOTSET)

    def stock_of(self, product):
        return Product.objects.get(pk=product.pk).stock

    def fill_cart(self, product, quantity=1):
        return self.client.post("/cart/add/%s/" % product.slug, {"quantity": quantity})
