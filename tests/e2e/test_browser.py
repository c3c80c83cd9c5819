"""A person with a browser walks through the shop, over HTTPS.

What goes wrong in the page itself (a script error, a blocked resource, a mixed origin) is in the browser's own log, which
must be empty. A failure leaves a screenshot in var/screenshots.
"""
import base64
import contextlib
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as condition
from selenium.webdriver.support.ui import Select, WebDriverWait

from kit.instance import ROOT
from kit.pictures import png
from kit.waiting import SLOW

# `make test` installs both; without them the test fails, for a walk that was not made shows nothing.
DRIVER, BROWSER = shutil.which("chromedriver"), shutil.which("chromium")
SCREENSHOTS = ROOT / "var" / "screenshots"

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
]


@contextlib.contextmanager
def pages_change():
    """While one page takes the place of another, chromedriver may have an element no more that it has just had, and says so in several ways, not all
    of which are selenium's own exceptions. All mean: look again."""
    try:
        yield
    except (NoSuchElementException, StaleElementReferenceException):
        pass
    except WebDriverException as error:
        if not any(text in str(error) for text in ("does not belong to the document", "unhandled inspector error", "aborted by navigation")):
            raise


def clickable(driver, css):
    """The element, or None as long as it is not there or not of this page."""
    with pages_change():
        return condition.element_to_be_clickable((By.CSS_SELECTOR, css))(driver) or None


def replaced(driver):
    """The page is another than the one that was marked, and it is there."""
    with pages_change():
        return driver.execute_script("return !window.isOldPage && document.readyState === 'complete'")


class Person:
    def __init__(self, driver, root):
        self.driver, self.root = driver, root
        self._wait = WebDriverWait(driver, 15 * SLOW)

    def open(self, path):
        self.driver.get(self.root + path)

    def find(self, css):
        return self._wait.until(condition.presence_of_element_located((By.CSS_SELECTOR, css)), css)

    def click(self, css):
        """Clicks, and waits until the page that was there is gone."""
        self.driver.execute_script("window.isOldPage = true")
        self._wait.until(lambda d: clickable(d, css), css).click()
        self._wait.until(replaced, "a new page after " + css)

    def type(self, css, text):
        field = self.find(css)
        field.clear()
        field.send_keys(text)

    def sees(self, text):
        self._wait.until(lambda d: text in d.find_element(By.TAG_NAME, "body").text, "to see " + text)

    def loaded(self, image):
        """The picture is there, not its alternative text."""
        self._wait.until(lambda d: d.execute_script("return arguments[0].complete && arguments[0].naturalWidth", image) > 0)

    def complaints(self):
        return [e for e in self.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]


@pytest.fixture
def person(request, open_shop, authority, pair, tmp_path):
    site = open_shop(tls=[pair])
    home = tmp_path / "home"
    home.mkdir()
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in [*ARGUMENTS, "--user-data-dir=%s" % (home / "profile"), "--ignore-certificate-errors-spki-list=" + _spki(pair)]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = Service(DRIVER, env={**os.environ, "HOME": str(home)})
    driver = webdriver.Chrome(service=service, options=options)
    driver.set_page_load_timeout(30 * SLOW)
    one = Person(driver, "https://localhost:%d" % site.address("https")[1])
    failed = request.session.testsfailed
    yield one
    if request.session.testsfailed > failed:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        driver.save_screenshot(str(SCREENSHOTS / (request.node.name.replace("/", "_") + ".png")))
    driver.quit()


def _spki(pair):
    """The one key the browser accepts though its authority is not in the machine's store."""
    key = subprocess.run("openssl x509 -in '%s' -pubkey -noout | openssl pkey -pubin -outform der" % pair.cert, shell=True,
                         check=True, capture_output=True).stdout
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def photo(tmp_path):
    path = Path(tmp_path) / "photo.png"
    path.write_bytes(png(400))
    return str(path)


def test_walk_through_the_shop(person, tmp_path):
    # look around
    person.open("/")
    person.sees("Petite Bouche")
    assert person.driver.execute_script("return performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
    for image in person.driver.find_elements(By.CSS_SELECTOR, "main img:not([loading=lazy])")[:8]:
        person.loaded(image)
    assert person.driver.execute_script("return getComputedStyle(document.querySelector('.brand')).display") != "inline"
    person.type("input[name=q]", "waltz")
    person.click(".search button")
    assert "q=waltz" in person.driver.current_url
    person.open("/products/")
    person.click("a[href*='page=2']")
    assert "page=2" in person.driver.current_url

    # sign up
    person.open("/signup/")
    person.type("input[name=username]", "clara")
    person.type("input[name=email]", "clara@example.com")
    person.type("input[name=password1]", "swing that waltz 7")
    person.type("input[name=password2]", "swing that waltz 7")
    person.click("main form button")
    person.sees("clara")

    # put something in the cart and buy it
    person.open("/products/minor-weather/")
    person.type("input[name=quantity]", "2")
    person.click("form.buy button")
    person.open("/cart/")
    person.sees("Minor Weather")
    person.open("/checkout/")
    for name, text in [("name", "Clara Weiss"), ("email", "clara@example.com"), ("street", "12 Rue Lepic"), ("postcode", "75018"),
                       ("city", "Paris"), ("country", "France")]:
        person.type("main [name=%s]" % name, text)
    person.click("main form button")
    person.sees("Minor Weather")
    assert "/orders/" in person.driver.current_url

    # write a review with a photo, which is shown from media
    person.open("/products/minor-weather/")
    person.find("#reviews summary").click()
    Select(person.find("#reviews select[name=stars]")).select_by_value("5")
    person.type("#reviews textarea", "It swings.")
    person.find("#reviews input[type=file]").send_keys(photo(tmp_path))
    person.click("#reviews form button")
    person.sees("It swings.")
    image = person.find("#reviews article img")
    assert "/media/" in image.get_attribute("src")
    person.driver.execute_script("arguments[0].scrollIntoView()", image)
    person.loaded(image)

    # how it travelled
    person.open("/journey/")
    person.sees("Queue")
    assert person.complaints() == []


def test_back_office(person, tmp_path):
    person.open("/admin/")
    person.type("#id_username", "admin")
    person.type("#id_password", "admin")
    person.click("input[type=submit]")
    person.sees("back office")
    person.open("/admin/store/product/?q=Minor+Weather")
    person.click("#result_list tbody th a, #result_list tbody .field-name a")
    person.find("input[type=file]").send_keys(photo(tmp_path))
    person.click("input[name=_save]")
    person.sees("was changed successfully")
    image = person.find("#result_list tbody img")
    assert "/media/" in image.get_attribute("src")
    person.loaded(image)
    person.open("/products/minor-weather/")
    image = person.find(".product img")
    assert "/media/" in image.get_attribute("src")
    person.loaded(image)
    assert person.complaints() == []
