"""testssl.sh over a Django-like site with an ECDSA and an RSA certificate: nothing above INFO, and what a grade of A+ asks for.

Two and a half minutes of shell, so it is not part of the tests that always run (its name is none that pytest looks for): `make testssl`.
Versions from 3.2 on also give a grade. TESTSSL names another testssl.sh than the installed one (its data by TESTSSL_INSTALL_DIR), and from what is
graded it has to be A+.
"""
import json
import os
import subprocess

import pytest

from kit.certificates import RSA

APP = '''
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html"), ("X-Frame-Options", "DENY"), ("X-Content-Type-Options", "nosniff"),
                              ("Referrer-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin"),
                              ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload")])
    return [b"<!doctype html><title>hello</title>"]
'''  # what Django sends with SECURE_HSTS_SECONDS

# Not of ours: what public authorities say and a test's does not, and names that nobody on this machine resolves.
ELSEWHERE = ("cert_ocspURL", "cert_crlDistributionPoints", "cert_revocation", "OCSP_stapling", "DNS_CAArecord", "certificate_transparency",
             "cert_mustStapleExtension")


def left_too_early(finding):
    """testssl.sh's client ends its input at once: in one of four of its connections it has gone before a TLS 1.3 ticket comes, with nginx as with us.
    Resumption is shown in test_tls.py."""
    return finding["id"] == "sessionresumption_ticket" and "connect problem" in finding["finding"]


@pytest.mark.timeout(1000)
def test_nothing_above_info(quintet, authority, tmp_path):
    pairs = [authority.pair("localhost", days=89), authority.pair("localhost", days=89, key_kind=RSA)]
    site = quintet(APP, tls=pairs, files={"app.py": APP})
    report = tmp_path / "report.json"
    words = [os.environ.get("TESTSSL", "testssl"), "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--add-ca", authority.ca, "--ip", "127.0.0.1",
             "--jsonfile", report, "localhost:%d" % site.address("https")[1]]
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=float(os.environ.get("TESTSSL_SECONDS", "900")),
                          stdin=subprocess.DEVNULL)
    findings = json.loads(report.read_text())
    assert len(findings) > 100, done.stdout
    bad = [f for f in findings if f["severity"] not in ("OK", "INFO") and not f["id"].startswith(ELSEWHERE) and not left_too_early(f)]
    assert not bad, bad
    said = {f["id"]: f["finding"] for f in findings}
    for version in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        assert said[version].startswith("not offered"), said[version]
    assert said["TLS1_2"].startswith("offered") and said["TLS1_3"].startswith("offered")
    assert "X25519" in said["FS_ECDHE_curves" if "FS_ECDHE_curves" in said else "PFS_ECDHE_curves"]
    assert int(said["HSTS_time"].split("(=")[1].split()[0]) >= 15552000, said["HSTS_time"]  # half a year, for A+
    assert said.get("overall_grade", "A+") == "A+", {k: v for k, v in said.items() if "grade" in k or "score" in k}
