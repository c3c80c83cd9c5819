"""The journey panel: what the server said, what was measured, and that the page stays whole."""
import re

from django.test import SimpleTestCase

from store.journey import Journey
from store.tests.base import ShopTestCase


class JourneyTest(ShopTestCase):
    def test_a_server_that_says_nothing(self):
        response = self.client.get("/")
        self.assertContains(response, "How this page travelled")
        self.assertNotContains(response, "<b>Queue</b>")
        self.assertNotContains(response, "<!--journey-->")
        self.assertRegex(response["Server-Timing"], r"^app;dur=[\d.]+, database;dur=[\d.]+, ")

    def test_what_the_server_says_is_shown(self):
        said = {"quintet.queue_time": 0.0125, "quintet.edge_time": 0.25,
                "HTTP_X_REQUEST_ID": "abc-1"}
        response = self.client.get("/journey/", **said)
        self.assertContains(response, "12.5 ms")
        self.assertContains(response, "250 ms")
        self.assertContains(response, "abc-1")
        self.assertTrue(response["Server-Timing"].startswith("edge;dur=250.00, queue;dur=12.50"))

    def test_content_length_is_that_of_the_filled_page(self):
        response = self.client.get("/products/")
        self.assertEqual(int(response["Content-Length"]), len(response.content))

    def test_queries_and_cache_are_counted(self):
        first = self.client.get("/products/")["Server-Timing"]
        second = self.client.get("/products/")["Server-Timing"]
        self.assertIn('queries;desc="3"', first)
        self.assertIn('cache;desc="0 of 1"', first)
        self.assertIn('queries;desc="2"', second)
        self.assertIn('cache;desc="1 of 1"', second)

    def test_statements_are_shown_without_their_values(self):
        self.client.force_login(self.customer)
        text = self.client.get("/journey/").content.decode()
        self.assertIn("&quot;auth_user&quot;.&quot;id&quot; = %s", text)
        self.assertNotIn(self.client.cookies["sessionid"].value, text)

    def test_json_and_streams_are_left_alone(self):
        self.assertEqual(self.client.get("/api/products/").json()["count"], 3)
        response = self.client.get("/export/products.csv")
        self.assertIn("Server-Timing", response)

    def test_whoami(self):
        answer = self.client.get("/whoami/", REMOTE_ADDR="203.0.113.9", secure=True,
                                 HTTP_X_REQUEST_ID="abc-1").json()
        self.assertEqual(answer["remote_addr"], "203.0.113.9")
        self.assertEqual((answer["scheme"], answer["is_secure"]), ("https", True))
        self.assertEqual(answer["request_id"], "abc-1")


class TimesTest(SimpleTestCase):
    def test_times_that_make_no_sense_are_left_out(self):
        for nonsense in ("soon", -1, float("nan"), None, 1e9):
            self.assertIsNone(Journey({"quintet.queue_time": nonsense}).queue, nonsense)

    def test_bars_stay_on_the_line_and_are_plain_numbers(self):
        journey = Journey({"quintet.queue_time": 0.001})
        journey.time_query(lambda *args: None, "SELECT 1", (), False, {})
        journey.end()
        for bar in journey.bars:
            self.assertTrue(re.fullmatch(r"\d+\.\d", bar.x), bar.x)
            self.assertLessEqual(float(bar.x) + float(bar.width), 1000.1)

    def test_a_query_that_fails_is_counted(self):
        journey = Journey({})

        def fail(*args):
            raise RuntimeError

        with self.assertRaises(RuntimeError):
            journey.time_query(fail, "SELECT", (), False, {})
        self.assertEqual(journey.queries, 1)
