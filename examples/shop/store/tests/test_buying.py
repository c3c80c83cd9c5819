"""Cart and checkout: what is bought, what it costs, and that nothing is sold twice."""
from unittest import mock

from django.db import DatabaseError

from store.checkout import OutOfStock, place_order
from store.models import Order, OrderLine, Product
from store.tests.base import ADDRESS, ShopTestCase


class CartTest(ShopTestCase):
    def test_adding_twice_adds_up(self):
        self.fill_cart(self.weather, 2)
        self.fill_cart(self.weather, 3)
        response = self.client.get("/cart/")
        self.assertContains(response, 'value="5"')
        self.assertContains(response, "€\u00a0120.00")

    def test_badge_shows_the_number_of_pieces(self):
        self.fill_cart(self.weather, 2)
        self.assertContains(self.client.get("/"), '<span class="badge">2</span>', html=True)

    def test_no_more_than_there_is(self):
        response = self.client.post("/cart/add/blanche-tenor/", {"quantity": 5}, follow=True)
        self.assertContains(response, "We have no more of Blanche Tenor")
        self.assertEqual(self.client.session["cart"], {str(self.tenor.pk): 1})

    def test_changing_and_removing(self):
        self.fill_cart(self.weather, 2)
        self.client.post("/cart/set/minor-weather/", {"quantity": 7})
        self.assertEqual(self.client.session["cart"], {str(self.weather.pk): 7})
        self.client.post("/cart/set/minor-weather/", {"quantity": 0})
        self.assertNotIn("cart", self.client.session)

    def test_nonsense_quantities(self):
        for nonsense in ("", "many", "-3", "9" * 5000):
            response = self.client.post("/cart/add/minor-weather/", {"quantity": nonsense})
            self.assertEqual(response.status_code, 302, nonsense[:10])
        self.assertLessEqual(self.client.session["cart"][str(self.weather.pk)], 20)

    def test_changes_need_post(self):
        self.assertEqual(self.client.get("/cart/add/minor-weather/").status_code, 405)

    def test_what_is_no_longer_sold_falls_out(self):
        self.fill_cart(self.weather)
        Product.objects.filter(pk=self.weather.pk).delete()
        self.assertContains(self.client.get("/cart/"), "Nothing in it yet")


class CheckoutTest(ShopTestCase):
    def setUp(self):
        super().setUp()
        self.client.force_login(self.customer)

    def check_out(self, **changes):
        return self.client.post("/checkout/", dict(ADDRESS, **changes), follow=True)

    def test_a_stranger_has_to_log_in(self):
        self.client.logout()
        self.assertRedirects(self.client.get("/checkout/"), "/login/?next=/checkout/")

    def test_an_order_is_written_and_the_stock_goes_down(self):
        self.fill_cart(self.lamarck, 2)
        self.fill_cart(self.weather, 1)
        response = self.check_out()
        order = Order.objects.get()
        self.assertRedirects(response, "/orders/%s/" % order.number)
        self.assertEqual(str(order.total), "4984.00")
        self.assertEqual(order.user, self.customer)
        lines = {line.name: (line.quantity, str(line.price)) for line in order.lines.all()}
        self.assertEqual(lines, {"Lamarck": (2, "2480.00"), "Minor Weather": (1, "24.00")})
        self.assertEqual(self.stock_of(self.lamarck), 2)
        self.assertEqual(self.stock_of(self.weather), 59)
        self.assertNotIn("cart", self.client.session)

    def test_an_order_keeps_the_price_of_its_day(self):
        self.fill_cart(self.weather)
        self.check_out()
        Product.objects.update(price=1)
        self.assertEqual(str(OrderLine.objects.get().price), "24.00")

    def test_an_incomplete_address_sells_nothing(self):
        self.fill_cart(self.weather)
        response = self.check_out(email="nobody")
        self.assertContains(response, "Enter a valid email address")
        self.assertEqual(self.stock_of(self.weather), 60)
        self.assertFalse(Order.objects.exists())

    def test_sold_out_meanwhile_sells_nothing_at_all(self):
        self.fill_cart(self.weather, 2)
        self.fill_cart(self.lamarck, 3)
        Product.objects.filter(pk=self.lamarck.pk).update(stock=1)
        response = self.check_out()
        self.assertContains(response, "Only 1 left of Lamarck")
        self.assertFalse(Order.objects.exists())
        self.assertEqual(self.stock_of(self.weather), 60)
        self.assertEqual(self.client.session["cart"][str(self.lamarck.pk)], 1)

    def test_a_failure_after_the_stock_was_taken_gives_it_back(self):
        order = Order(user=self.customer, **ADDRESS)
        with mock.patch.object(OrderLine.objects, "bulk_create", side_effect=DatabaseError):
            with self.assertRaises(DatabaseError):
                place_order(order, {self.weather.pk: 5})
        self.assertEqual(self.stock_of(self.weather), 60)
        self.assertFalse(Order.objects.exists())

    def test_out_of_stock_names_every_product(self):
        with self.assertRaises(OutOfStock) as caught:
            place_order(Order(user=self.customer, **ADDRESS),
                        {self.tenor.pk: 2, self.lamarck.pk: 5, self.weather.pk: 1})
        self.assertEqual(set(caught.exception.product_ids), {self.tenor.pk, self.lamarck.pk})

    def test_an_empty_cart_is_no_order(self):
        self.assertRedirects(self.client.get("/checkout/"), "/cart/")
        with self.assertRaises(ValueError):
            place_order(Order(user=self.customer, **ADDRESS), {})
