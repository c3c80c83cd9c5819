"""Browsing: front page, lists, search, paging, product pages, JSON."""
from store.tests.base import ShopTestCase


class PagesTest(ShopTestCase):
    def names(self, response):
        return [product.name for product in response.context["page"]]

    def test_front_page_shows_what_is_featured_and_the_departments(self):
        response = self.client.get("/")
        self.assertContains(response, "Lamarck")
        self.assertContains(response, "/category/records/")

    def test_departments_are_in_the_order_of_their_position(self):
        text = self.client.get("/").content.decode()
        self.assertLess(text.index("/category/guitars/"), text.index("/category/records/"))

    def test_navigation_comes_from_the_cache_the_second_time(self):
        self.client.get("/products/")
        with self.assertNumQueries(2):  # how many products there are, and those of the page
            self.client.get("/products/")

    def test_category_shows_only_its_own(self):
        response = self.client.get("/category/guitars/")
        self.assertEqual(self.names(response), ["Blanche Tenor", "Lamarck"])

    def test_unknown_addresses_are_404_with_a_page(self):
        for address in ("/category/drums/", "/products/nothing/", "/nowhere/"):
            self.assertContains(self.client.get(address), "left the stage", status_code=404)

    def test_search_wants_every_word_in_any_field_and_any_case(self):
        self.assertEqual(self.names(self.client.get("/products/?q=ATELIER+tenor")),
                         ["Blanche Tenor"])
        self.assertEqual(self.names(self.client.get("/products/?q=weather+tenor")), [])

    def test_search_text_is_escaped(self):
        response = self.client.get("/products/", {"q": "<script>x"})
        self.assertNotContains(response, "<script>x")
        self.assertContains(response, "&lt;script&gt;x")

    def test_search_for_nul_is_no_error(self):
        self.assertEqual(self.client.get("/products/?q=%00").status_code, 200)
        self.assertEqual(self.client.get("/api/products/?category=%00").status_code, 200)

    def test_sorting(self):
        response = self.client.get("/products/?sort=-price")
        self.assertEqual(self.names(response), ["Lamarck", "Blanche Tenor", "Minor Weather"])
        self.assertEqual(self.client.get("/products/?sort=password").status_code, 200)

    def test_pages_keep_the_search_and_a_page_too_far_is_the_last(self):
        for number in range(30):
            self.make_product(self.records, "Take %02d" % number, "20.00", 1)
        first = self.client.get("/products/?q=take&sort=name")
        self.assertEqual(len(self.names(first)), 12)
        self.assertContains(first, "q=take&amp;sort=name&amp;page=2")
        last = self.client.get("/products/?q=take&page=99")
        self.assertEqual(self.names(last)[-1], "Take 29")

    def test_product_page(self):
        response = self.client.get("/products/lamarck/")
        self.assertContains(response, "€\u00a02,480.00")
        self.assertContains(response, "Blanche Tenor")  # more guitars

    def test_json_list_and_product(self):
        answer = self.client.get("/api/products/?category=guitars").json()
        self.assertEqual(answer["count"], 2)
        self.assertEqual(answer["products"][1]["price"], "2480.00")
        self.assertTrue(answer["products"][0]["url"].startswith("http://testserver/products/"))
        self.assertEqual(self.client.get("/api/products/lamarck/").json()["in_stock"], 4)
        self.assertEqual(self.client.get("/api/products/?category=drums").status_code, 404)

    def test_favicon(self):
        response = self.client.get("/favicon.ico")
        self.assertRedirects(response, "/static/store/icon.svg", fetch_redirect_response=False)

    def test_pages_carry_a_content_security_policy(self):
        response = self.client.get("/")
        self.assertIn("default-src 'self'", response["Content-Security-Policy"])
        self.assertNotContains(response, "style=")
