"""The units for systemd: no fault that systemd finds, and little that an intruder could do."""
import re
import subprocess

import pytest

from kit.instance import BINARY, ROOT

UNITS = ROOT / "packaging" / "systemd"


@pytest.fixture
def units(tmp_path):
    """All units as for a site of that name, the program's path being that of the build."""
    text = (BINARY.parent / "packaging" / "quintet@.service").read_text()
    assert "@bindir@" not in text
    service = tmp_path / "quintet@mysite.service"
    service.write_text(re.sub(r"^(Exec\w+)=\S+", r"\1=%s" % BINARY, text, flags=re.MULTILINE))
    for name in ("quintet@", "quintet-tls@"):
        (tmp_path / (name + "mysite.socket")).write_text((UNITS / (name + ".socket")).read_text())
    return tmp_path


def analyze(*words):
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60)


def test_systemd_finds_no_fault(units):
    done = analyze("verify", "--man=no", *sorted(units.iterdir()))
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "quintet" in line or "mysite" in line]
    assert done.returncode == 0 and not ours, done.stdout + done.stderr


def test_the_service_is_hardened(units):
    """OK or better, in systemd's own words: below 5.0 of 10."""
    done = analyze("security", "--offline=true", "--threshold=50", units / "quintet@mysite.service")
    assert done.returncode == 0, done.stdout + done.stderr
    exposure = re.search(r"exposure level for .*: ([\d.]+) (\w+)", done.stdout)
    assert exposure and float(exposure[1]) < 5.0, done.stdout[-500:]
    assert exposure[2] == "OK", exposure[0]


def test_installed_where_systemd_looks(tmp_path):
    subprocess.run(["meson", "install", "-C", str(BINARY.parent), "--quiet", "--no-rebuild", "--destdir", str(tmp_path)],
                   check=True, capture_output=True, timeout=60)
    found = sorted(p.name for p in tmp_path.rglob("systemd/system/*"))
    assert found == ["quintet-tls@.socket", "quintet@.service", "quintet@.socket"]
    program = next(p for p in tmp_path.rglob("bin/quintet"))
    service = next(tmp_path.rglob("quintet@.service")).read_text()
    assert "ExecStart=/%s run\n" % program.relative_to(tmp_path) in service
