"""--warmup: a worker serves only when its pages answer, and a release that answers with errors never gets a visitor."""

NOTES = """
import os
asked = []
def app(environ, start):
    if os.path.exists("broken"):
        raise LookupError("the cache is empty")
    asked.append(environ["PATH_INFO"])
    start("200 OK", [])
    return [",".join(asked).encode()]
"""


def test_each_worker_has_been_warmed_up(quintet):
    site = quintet(NOTES, "app:app", options=["--workers", "1", "--warmup", "/one", "--warmup", "/two"])
    assert site.get("/three").body == b"/one,/two,/three"
    assert site.command("reload").returncode == 0
    assert site.get("/four").body == b"/one,/two,/four"


def test_a_failing_page_fails_the_reload(quintet):
    site = quintet(NOTES, "app:app", options=["--workers", "1", "--warmup", "/one"])
    site.expected += ["reload", "boot", "application"]
    site.write("broken", "")
    done = site.command("reload")
    said = done.stdout + done.stderr
    assert done.returncode not in (0, 2) and "LookupError: the cache is empty" in said
    assert "warm-up: GET /one raised LookupError" in said
    (site.project / "broken").unlink()
    assert site.get("/two").body == b"/one,/two"


def test_a_failing_page_fails_the_start(quintet):
    site = quintet(NOTES, "app:app", files={"broken": ""}, options=["--warmup", "/one"], start=False)
    site.exit_code = 3
    site.expected += ["boot", "application"]
    site.start(wait=False)
    assert site.wait_exit() == 3
    assert "warm-up: GET /one raised LookupError" in site.said()


def test_pages_of_the_shop(open_shop):
    site = open_shop(options=["--warmup", "/"])
    assert site.request("GET", "/", host="localhost").status == 200
    assert not [line for line in site.errors() if "warm-up" in str(line)]
