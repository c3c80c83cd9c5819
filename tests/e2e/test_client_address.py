"""What a Django project sees of its client behind proxies, without a setting of its own: REMOTE_ADDR, is_secure(), get_host(), build_absolute_uri()."""
from kit.project import seen


def test_strangers_say_nothing(project):
    site = project()
    got = seen(site, ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.b.test"), ("X-Forwarded-Port", "7"),
               ("Forwarded", "for=6.6.6.6;proto=https"), ("X-Real-IP", "6.6.6.6"), ("CF-Connecting-IP", "6.6.6.6"), ("True-Client-IP", "6.6.6.6"),
               ("X-Client-IP", "6.6.6.6"), ("CloudFront-Viewer-Address", "6.6.6.6:1"))
    assert (got["address"], got["secure"], got["host"], got["port"], got["url"]) == (
        "127.0.0.1", False, "shop.test", "80", "http://shop.test/a/?b=c")
    assert set(got["fields"]) == {"HTTP_HOST", "HTTP_X_REQUEST_ID"}


def test_behind_a_proxy(project):
    site = project(trusted="private")
    got = seen(site, ("X-Forwarded-For", "6.6.6.6, 198.51.100.7, 10.0.0.5"), ("X-Forwarded-Proto", "https"), ("X-Real-IP", "6.6.6.6"))
    assert (got["address"], got["secure"], got["host"], got["port"], got["url"]) == (
        "198.51.100.7", True, "shop.test", "443", "https://shop.test/a/?b=c")
    assert got["fields"]["HTTP_X_FORWARDED_FOR"] == "198.51.100.7, 10.0.0.5"
    assert got["fields"]["HTTP_X_FORWARDED_PROTO"] == "https" and "HTTP_X_REAL_IP" not in got["fields"]
    assert site.wait_access(client="198.51.100.7", scheme="https")
    got = seen(site, ("Forwarded", 'for=6.6.6.6, for="[2001:db8::7]:4711";proto=https;host=shop.test'))
    assert (got["address"], got["secure"]) == ("2001:db8::7", True)
    got = seen(site, ("X-Forwarded-For", "nonsense"), ("X-Request-ID", "a b\"c"))
    assert got["address"] == "127.0.0.1" and got["fields"]["HTTP_X_REQUEST_ID"] != "a b\"c"
    r = site.get("/", ("X-Forwarded-For", "198.51.100.7"), ("X-Request-ID", "from-the-proxy"), host="shop.test")
    assert r["X-Request-ID"] == "from-the-proxy"


def test_a_proxy_that_puts_its_own_name_in_host(project):
    site = project(trusted="127.0.0.1")
    got = seen(site, ("X-Forwarded-Host", "a.b.test:8443"), ("X-Forwarded-Proto", "https"), host="backend:8000")
    assert (got["host"], got["port"], got["url"]) == ("a.b.test:8443", "8443", "https://a.b.test:8443/a/?b=c")
    assert seen(site, ("X-Forwarded-Host", "a.b.test"))["host"] == "shop.test"  # anybody may have written it
    assert site.get("/", ("X-Forwarded-Host", "evil.test"), host="backend").status == 400
    believing = project("USE_X_FORWARDED_HOST = True", trusted="127.0.0.1")
    assert seen(believing, ("X-Forwarded-Host", "a.b.test"))["url"] == "http://a.b.test/a/?b=c"


def test_contradictions(project):
    site = project(trusted="127.0.0.1")
    r = site.get("/", ("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "198.51.100.7"), host="shop.test")
    assert r.status == 400 and "different things" in r.text
    assert site.wait_message(message="a proxy passes on what it should remove", request_id=r["X-Request-ID"])
    assert site.get("/", ("Forwarded", 'for="x'), host="shop.test").status == 400


def test_a_reload_changes_whom_it_trusts(project):
    site = project()
    assert seen(site, ("X-Forwarded-For", "198.51.100.7"))["address"] == "127.0.0.1"
    site.write("quintet.yaml", "trusted_proxies: private\n")
    done = site.command("reload")
    assert done.returncode == 0, done.stderr
    assert seen(site, ("X-Forwarded-For", "198.51.100.7"))["address"] == "198.51.100.7"


def test_an_unknown_preset_is_refused(quintet):
    site = quintet("plain.py", options=["--trusted-proxies", "cloudfare"], start=False)
    site.start(wait=False)
    site.exit_code = 2
    assert site.wait_exit() == 2
    assert "private, cloudflare or cloudfront" in site.stderr.read_text()
