"""Reviews: who may write them, that there is one each, and what their photos may be."""
from io import BytesIO
from unittest import mock

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from PIL import Image

from store.models import Review
from store.tests.base import ShopTestCase


def photo(name="me.jpg", size=(640, 480)):
    """A JPEG whose pixels do not compress to nothing."""
    file = BytesIO()
    Image.effect_noise(size, 80).save(file, "JPEG", quality=95)
    return SimpleUploadedFile(name, file.getvalue(), "image/jpeg")


class ReviewTest(ShopTestCase):
    address = "/products/lamarck/review/"

    def write(self, **form):
        form = dict({"stars": 4, "text": "Barks & sings."}, **form)
        return self.client.post(self.address, form, follow=True)

    def test_a_stranger_has_to_log_in(self):
        response = self.client.post(self.address, {"stars": 5, "text": "x"})
        self.assertRedirects(response, "/login/?next=" + self.address)
        self.assertFalse(Review.objects.exists())

    def test_it_appears_on_the_page(self):
        self.client.force_login(self.customer)
        response = self.write()
        self.assertContains(response, "Barks &amp; sings.")
        self.assertContains(response, "★★★★☆")

    def test_a_second_one_takes_the_place_of_the_first(self):
        self.client.force_login(self.customer)
        self.write(text="First")
        self.write(text="Second", stars=2)
        review = Review.objects.get()
        self.assertEqual((review.text, review.stars), ("Second", 2))

    def test_sent_twice_at_once_is_no_error(self):
        self.client.force_login(self.customer)
        with mock.patch.object(QuerySet, "first", return_value=None):  # neither sees the other
            self.write(text="First")
            self.assertEqual(self.write(text="Second").status_code, 200)
        self.assertEqual(Review.objects.get().text, "First")

    def test_a_large_photo_arrives_whole(self):
        self.client.force_login(self.customer)
        sent = photo(size=(2600, 1800))
        content = sent.read()
        sent.seek(0)
        self.assertGreater(len(content), settings.FILE_UPLOAD_MAX_MEMORY_SIZE)  # by way of a file
        self.write(photo=sent)
        review = Review.objects.get()
        self.assertEqual((settings.MEDIA_ROOT / review.photo.name).read_bytes(), content)
        self.assertContains(self.client.get("/products/lamarck/"), review.photo.url)

    def test_what_is_wrong_is_said_on_the_page_and_nothing_is_kept(self):
        self.client.force_login(self.customer)
        for wrong in (
            {"text": ""},
            {"stars": 6},
            {"stars": "many"},
            {"photo": SimpleUploadedFile("x.jpg", b"<html>")},
            {"photo": photo("x.html")},
        ):
            response = self.write(**wrong)
            self.assertContains(response, 'class="errorlist"', msg_prefix=str(wrong))
        self.assertFalse(Review.objects.exists())
        self.assertFalse(settings.MEDIA_ROOT.exists())
