"""The example shop as its customers meet it, on SQLite and on PostgreSQL with Redis."""
import csv
import io
import json
import re
import threading

import pytest

from kit.pictures import png
from kit.session import Session
from kit.visitors import Visitors
from kit.waiting import until


ADDRESS = {"name": "Clara", "email": "c@example.com", "street": "12 Rue Lepic", "postcode": "75018", "city": "Paris",
           "country": "France", "note": ""}


def log_in(site, name):
    visitor = Session(site.client())
    r = visitor.post("/login/", username=name, password=name)
    assert r.status == 302, r.text[:2000]
    return visitor


def test_found_without_a_word(open_shop):
    """`quintet run` in the project's directory: the application, static and media files, from Django's settings."""
    site = open_shop()
    assert site.status()["app"] == "shop.wsgi:application"
    c = site.client()
    home = c.get("/", host="localhost")
    assert home.status == 200 and "Petite Bouche" in home.text
    css = re.search(r'href="(/static/store/shop\.[0-9a-f]{12}\.css)"', home.text)[1]
    sheet = c.get(css, host="localhost")
    assert sheet.status == 200 and "immutable" in sheet["Cache-Control"] and "Server-Timing" not in sheet
    picture = re.search(r'src="(/static/store/pictures/[^"]+)"', home.text)[1]
    assert c.get(picture, host="localhost").status == 200
    assert c.get("/static/staticfiles.json", host="localhost").status in (200, 404)


def test_the_application_knows_its_client(open_shop):
    site = open_shop()
    got = json.loads(site.get("/whoami/?a=b", host="localhost:8000").body)
    assert (got["remote_addr"], got["scheme"], got["is_secure"], got["host"], got["path"]) == (
        "127.0.0.1", "http", False, "localhost:8000", "/whoami/?a=b")
    assert 0 <= got["queue_time"] < 5 and got["request_id"] and got["pid"] in site.worker_pids()
    assert site.get("/whoami/", host="evil.example").status == 400


def test_pages(open_shop):
    site = open_shop()
    c = site.client()
    for path, status in [("/products/", 200), ("/products/?page=2", 200), ("/products/?q=waltz", 200), ("/category/records/", 200),
                         ("/products/minor-weather/", 200), ("/cart/", 200), ("/journey/", 200), ("/nothing/", 404),
                         ("/products", 301), ("/orders/", 302), ("/favicon.ico", 302), ("/admin/login/", 200)]:
        r = c.get(path, host="localhost")
        assert r.status == status, path
        assert c.request("HEAD", path, host="localhost").status == status, path
    assert "Server-Timing" in c.get("/journey/", host="localhost")


def test_json_csv_and_downloads(open_shop):
    site = open_shop()
    c = site.client()
    assert json.loads(c.get("/api/products/", host="localhost").body)
    export = c.get("/export/products.csv", host="localhost")
    assert export["Transfer-Encoding"] == "chunked" and len(list(csv.reader(io.StringIO(export.text)))) > 40
    for path, magic in [("/download/catalogue.pdf", b"%PDF-"), ("/download/pictures.zip", b"PK\3\4")]:
        r = c.get(path, host="localhost")
        assert r.body.startswith(magic) and int(r["Content-Length"]) == len(r.body)
        assert "attachment" in r["Content-Disposition"]
        head = c.request("HEAD", path, host="localhost")
        assert head["Content-Length"] == r["Content-Length"]


def test_buying(open_shop):
    """Cart in the session, log-in, an order in the database, an invoice of bytes in memory."""
    site = open_shop()
    visitor = log_in(site, "customer")
    r = visitor.post("/cart/add/minor-weather/", page="/products/minor-weather/", quantity=2)
    assert "Minor Weather" in visitor.follow(r).text
    order = visitor.follow(visitor.post("/checkout/", **ADDRESS))
    assert order.status == 200 and "Minor Weather" in order.text, order.text[:1000]
    number = re.search(r"/orders/([^/]+)/invoice\.pdf", order.text)[1]
    assert visitor.get("/orders/%s/invoice.pdf" % number).body.startswith(b"%PDF-")
    assert site.get("/orders/%s/" % number, host="localhost").status == 302, "it is nobody else's"
    staff = log_in(site, "admin")
    assert number in staff.get("/export/orders.csv").text


def test_never_oversold(open_shop):
    """Every customer at once wants what there is only a little of; what was sold and what is left add up.

    (Who comes too late is sent back to the cart, so the token is taken from there.)
    """
    site = open_shop(options=["--workers", "3", "--threads", "2"])
    staff = log_in(site, "admin")

    def stock():
        return json.loads(site.get("/api/products/minor-weather/", host="localhost").body)["in_stock"]

    def sold():
        rows = csv.DictReader(io.StringIO(staff.get("/export/orders.csv").text))
        return sum(int(row["quantity"]) for row in rows if row["product"] == "Minor Weather")

    def buy():
        visitor = log_in(site, "customer")
        visitor.post("/cart/add/minor-weather/", page="/products/minor-weather/", quantity=20)
        statuses.append(visitor.post("/checkout/", page="/cart/", **ADDRESS).status)

    left, gone, statuses = stock(), sold(), []
    threads = [threading.Thread(target=buy) for _ in range(left // 20 + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == len(threads) and set(statuses) <= {200, 302}
    assert stock() >= 0 and left - stock() == sold() - gone >= 20


@pytest.mark.parametrize("size", [64, 1200])
def test_upload(open_shop, size):
    """A picture through the admin (1200 pixels are 4 MB, by way of a file) is served from media at once."""
    site = open_shop()
    staff = log_in(site, "admin")
    listing = staff.get("/admin/store/product/?q=Minor+Weather").text
    path = re.search(r"/admin/store/product/\d+/change/", listing)[0]
    form = staff.get(path).text
    data = dict(re.findall(r'<input type="(?:text|number)" name="(\w+)" value="([^"]*)"', form))
    data["category"] = re.search(r'<option value="(\d+)" selected>', form)[1]
    data.update({k: v for k, v in re.findall(r'<textarea name="(\w+)"[^>]*>\s*([^<]*)</textarea>', form)})
    field = re.search(r'<input type="file" name="(\w+)"', form)[1]
    picture = png(size)
    r = staff.post(path, files={field: ("photo.png", "image/png", picture)}, **data)
    assert r.status == 302, re.findall(r'errorlist[^>]*>(.*?)</ul>', r.text)
    url = re.search(r"/media/[^\"]+", staff.get("/products/minor-weather/").text)[0]
    got = site.get(url, host="localhost")
    assert got.status == 200 and got.body == picture
    assert got["Content-Type"] == "image/png" and "sandbox" in got["Content-Security-Policy"]


def test_sessions_survive_workers(open_shop):
    """Any worker knows the visitor: also one of the next generation."""
    site = open_shop()
    visitor = log_in(site, "customer")
    visitor.post("/cart/add/minor-weather/", page="/products/minor-weather/", quantity=1)
    pids = {json.loads(visitor.get("/whoami/").body)["pid"] for _ in range(30)}
    assert pids <= set(site.worker_pids())
    assert site.command("reload").returncode == 0
    visitor = _again(site, visitor)
    assert "Minor Weather" in visitor.get("/cart/").text


def _again(site, visitor):
    other = Session(site.client())
    other.cookies = visitor.cookies
    return other


def test_reload_under_load(open_shop):
    site = open_shop()
    with Visitors(site, 3, "/api/products/", host="localhost") as visitors:
        until(lambda: visitors.count > 20, "visits")
        assert site.command("reload").returncode == 0
    assert not visitors.failures, visitors.failures[:3]


def test_security_headers(open_shop):
    """Django's settings speak for files and own pages too; on Django's pages nothing is doubled."""
    site = open_shop()
    c = site.client()
    home = c.get("/", host="localhost")
    css = re.search(r'href="(/static/store/shop\.[^"]+)"', home.text)[1]
    bad = site.client()
    bad.send(b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n")
    for r in (home, c.get(css, host="localhost"), bad.response()):
        assert r["X-Content-Type-Options"] == "nosniff" and r["Referrer-Policy"] == "same-origin"
        assert r["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in home


def test_hsts(quintet, shop_folder, authority, pair):
    site = quintet(app=None, project=shop_folder.project, env={**shop_folder.env, "SHOP_HTTPS_ONLY": "1"}, tls=[pair])
    c = site.client(authority.context(), "localhost")
    home = c.get("/", host="localhost")
    assert home.status == 200
    css = re.search(r'href="(/static/store/shop\.[^"]+)"', home.text)[1]
    assert "max-age=31536000" in home["Strict-Transport-Security"]
    assert "max-age=31536000" in c.get(css, host="localhost")["Strict-Transport-Security"]
    plain = site.get("/", host="localhost")
    assert plain.status == 301 and plain["Location"].startswith("https://") and "Strict-Transport-Security" not in plain


def test_validator_around_the_shop(open_shop):
    """wsgiref.validate reports nothing on any kind of answer."""
    folder = open_shop.project.project
    (folder / "validated.py").write_text(
        "from wsgiref.validate import validator\nfrom shop.wsgi import application\napplication = validator(application)\n")
    arguments = ["validated:application"]
    site = open_shop(options=arguments)
    c = site.client()
    for path in ("/", "/products/?q=a", "/api/products/", "/export/products.csv", "/download/catalogue.pdf", "/nothing/", "/journey/"):
        assert c.get(path, host="localhost").status in (200, 404), path
        assert c.request("HEAD", path, host="localhost").status in (200, 404), path
    visitor = log_in(site, "customer")
    assert visitor.post("/cart/add/minor-weather/", page="/products/minor-weather/", quantity=1).status == 302
    assert not [e for e in site.errors() if "AssertionError" in e["message"] or "Traceback" in e["message"]]


def test_a_view_that_fails(quintet, shop_folder):
    """Django's own 500 page, and its traceback in the log with the request's id."""
    views = shop_folder.project / "store/views/travel.py"
    views.write_text(views.read_text() + "\n\ndef whoami(request):\n    raise RuntimeError('failed on purpose')\n")
    site = quintet(app=None, project=shop_folder.project, env=shop_folder.env)
    r = site.get("/whoami/", host="localhost")
    assert r.status == 500 and "failed on purpose" not in r.text
    line = site.wait_message(message="RuntimeError: failed on purpose")
    assert line["request_id"] == r["X-Request-ID"]


def test_debug_is_named_at_the_start(quintet, shop_folder):
    settings = shop_folder.project / "shop/settings.py"
    settings.write_text(settings.read_text() + "\nDEBUG = True\n")
    site = quintet(app=None, project=shop_folder.project, env=shop_folder.env)
    assert "DEBUG is on" in site.wait_message(message="unfit for production: see `quintet check`")["what"]


def test_settings_that_fail(quintet, shop_folder):
    (shop_folder.project / "shop/settings.py").write_text("import nothing_like_it\n")
    site = quintet(app=None, project=shop_folder.project, env=shop_folder.env, start=False)
    site.exit_code = 3
    site.expected.append("")
    site.start(wait=False)
    assert site.wait_exit() == 3 and "nothing_like_it" in site.said()
