"""Accounts: sign-up, login, logout, and that orders are shown to their owner only."""
from django.contrib.auth import get_user_model

from store.checkout import place_order
from store.models import Order
from store.tests.base import ADDRESS, ShopTestCase


class AccountTest(ShopTestCase):
    def test_sign_up_logs_in(self):
        form = {
            "username": "django",
            "email": "django@example.com",
            "password1": "three fingers",
            "password2": "three fingers",
        }
        response = self.client.post("/signup/", form, follow=True)
        self.assertContains(response, "Welcome to Petite Bouche")
        self.assertEqual(get_user_model().objects.get(username="django").email, form["email"])

    def test_login_goes_where_one_came_from(self):
        page = self.client.get("/login/?next=/checkout/")
        self.assertContains(page, 'value="/checkout/"')
        form = {"username": "clara", "password": "a long password", "next": "/orders/"}
        self.assertRedirects(self.client.post("/login/", form), "/orders/")

    def test_the_cart_survives_the_login(self):
        self.fill_cart(self.weather, 2)
        self.client.post("/login/", {"username": "clara", "password": "a long password"})
        self.assertEqual(self.client.session["cart"], {str(self.weather.pk): 2})

    def test_a_wrong_password_stays_out(self):
        response = self.client.post("/login/", {"username": "clara", "password": "wrong"})
        self.assertContains(response, "Please enter a correct username and password")

    def test_logout_by_post(self):
        self.client.force_login(self.customer)
        self.assertRedirects(self.client.post("/logout/"), "/")
        self.assertContains(self.client.get("/"), "Log in")

    def test_orders_are_their_owners(self):
        order = place_order(Order(user=self.customer, **ADDRESS), {self.weather.pk: 1})
        self.client.force_login(self.customer)
        self.assertContains(self.client.get("/orders/"), order.number)
        self.assertContains(self.client.get(order.get_absolute_url()), "Minor Weather")
        self.client.force_login(self.staff)
        self.assertEqual(self.client.get(order.get_absolute_url()).status_code, 404)
        self.assertEqual(
            self.client.get(order.get_absolute_url() + "invoice.pdf").status_code, 404
        )

    def test_forms_need_a_csrf_token(self):
        client = self.client_class(enforce_csrf_checks=True)
        self.assertEqual(client.post("/cart/add/lamarck/").status_code, 403)
