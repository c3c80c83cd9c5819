"""What the shop knows: categories, products and what customers say of them, orders.

Money is Decimal euros with two digits. An order line keeps the name and the price of the day it
was bought; the product may change or go.
"""
import secrets
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.templatetags.static import static
from django.urls import reverse

MAX_PHOTO_BYTES = 8 * 1024 * 1024


def new_number():
    """An order number that cannot be guessed: twelve hexadecimal digits in three groups."""
    digits = secrets.token_hex(6).upper()
    return "-".join((digits[:4], digits[4:8], digits[8:]))


def check_photo_size(photo):
    if photo.size > MAX_PHOTO_BYTES:
        raise ValidationError("The picture is larger than 8 MB.")


PHOTO_VALIDATORS = [FileExtensionValidator(["jpg", "jpeg", "png", "webp"]), check_photo_size]


class Category(models.Model):
    name = models.CharField(max_length=60, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    blurb = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "categories"

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("category", args=[self.slug])


class Product(models.Model):
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="products")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=120, unique=True)
    maker = models.CharField(max_length=80)
    summary = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    price = models.DecimalField(
        max_digits=9, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    stock = models.PositiveIntegerField(default=0)
    featured = models.BooleanField(default=False)
    drawing = models.CharField(
        max_length=140, blank=True, editable=False, help_text="File name among the drawn pictures."
    )
    photo = models.ImageField(
        upload_to="photos/%Y/",
        blank=True,
        validators=PHOTO_VALIDATORS,
        help_text="JPEG, PNG or WebP up to 8 MB. Takes the place of the drawing.",
    )
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["category", "name"], name="product_by_category")]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("product", args=[self.slug])

    @property
    def picture_url(self):
        """The uploaded photo, else the drawing, else a picture of a note."""
        if self.photo:
            return self.photo.url
        if self.drawing:
            return static("store/pictures/" + self.drawing)
        return static("store/no-picture.svg")


class Review(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="reviews")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="reviews"
    )
    stars = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    text = models.TextField(max_length=2000)
    photo = models.ImageField(
        upload_to="reviews/%Y/",
        blank=True,
        validators=PHOTO_VALIDATORS,
        help_text="If you like: JPEG, PNG or WebP up to 8 MB.",
    )
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-written", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "user"], name="one_review_each"),
        ]

    def __str__(self):
        return "%s on %s" % (self.user, self.product)


class Order(models.Model):
    number = models.CharField(max_length=14, unique=True, default=new_number, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders"
    )
    placed = models.DateTimeField(auto_now_add=True)
    name = models.CharField("full name", max_length=100)
    email = models.EmailField()
    street = models.CharField("street and number", max_length=120)
    postcode = models.CharField(max_length=12)
    city = models.CharField(max_length=80)
    country = models.CharField(max_length=60)
    note = models.CharField("note for us", max_length=300, blank=True)
    total = models.DecimalField(max_digits=11, decimal_places=2, default=Decimal("0.00"))

    class Meta:
        ordering = ["-placed", "-id"]

    def __str__(self):
        return self.number

    def get_absolute_url(self):
        return reverse("order", args=[self.number])


class OrderLine(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, null=True, on_delete=models.SET_NULL)
    name = models.CharField(max_length=120)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]

    def __str__(self):
        return "%d × %s" % (self.quantity, self.name)

    @property
    def total(self):
        return self.price * self.quantity
