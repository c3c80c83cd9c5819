"""The numbers that `make test` closes with are those of the runners, and a failure is never lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import run_tests  # noqa: E402
from run_tests import Count  # noqa: E402


def test_cmocka():
    text = (
        "[==========] Running 4 test(s).\n[       OK ] a\n[  FAILED  ] b\n"
        "[==========] 4 test(s) run.\n[  PASSED  ] 2 test(s).\n[  SKIPPED ] 0 test(s), listed below:\n"
        "[  FAILED  ] 2 test(s), listed below:\n[  FAILED  ] b\n\n 2 FAILED TEST(S)\n"
    )
    assert run_tests.count_cmocka(text) == Count(2, 2, 0)
    assert run_tests.count_cmocka("[  PASSED  ] 3 test(s).\n[==========] group: 2 test(s) run.\n"
                                  "[  PASSED  ] 2 test(s).\n") == Count(5, 0, 0)


def test_meson_adds_up_and_counts_a_crash(tmp_path):
    tests = [
        {"result": "OK", "stdout": "", "stderr": "[  PASSED  ] 7 test(s).\n"},
        {"result": "OK", "stdout": "no cmocka in it"},
        {"result": "FAIL", "stdout": "[  PASSED  ] 1 test(s).\n[  FAILED  ] 1 test(s), listed below:\n"},
        {"result": "FAIL", "stdout": "died of SIGSEGV"},
        {"result": "FAIL", "stdout": "F.E\n==== 1 failed, 4 passed, 2 skipped, 1 error in 0.10s ====\n"},
        {"result": "FAIL", "stdout": "[  PASSED  ] 5 test(s).\n==1==ERROR: LeakSanitizer"},
    ]
    log = tmp_path / "testlog.json"
    log.write_text("".join(json.dumps(test) + "\n" for test in tests))
    assert run_tests.count_meson(log) == Count(7 + 1 + 1 + 4 + 5, 5, 2)


def test_django():
    assert run_tests.count_django("Ran 12 tests in 0.1s\n\nOK\n") == Count(12, 0, 0)
    text = "Ran 12 tests in 0.1s\n\nFAILED (failures=1, errors=2, skipped=3)\n"
    assert run_tests.count_django(text) == Count(6, 3, 3)
    assert run_tests.count_django("Ran 1 test in 0.1s\n\nOK (skipped=1)\n") == Count(0, 0, 1)


def test_junit(tmp_path):
    report = tmp_path / "r.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/></testsuites>')
    assert run_tests.count_junit(report) == Count(3, 3, 3)


def test_our_lines():
    assert run_tests.count_lines("lint")("lint: ok a (1 s)\nlint: FAILED b (0 s)\nlint: skipped c (0 s)\n") == Count(1, 1, 1)


@pytest.mark.parametrize("script, count", [
    ("echo 'lint: ok a'", Count(1, 0, 0)),
    ("echo 'lint: ok a'; exit 3", Count(1, 1, 0)),
    ("kill -9 $$", Count(0, 1, 0)),
    ("echo 'lint: FAILED a'; exit 1", Count(0, 1, 0)),
    ("exec sleep 60", Count(0, 1, 0)),
    ("trap '' INT; sleep 60", Count(0, 1, 0)),
    ("trap 'echo lint: ok a; exit 2' INT; sleep 60 & wait", Count(1, 1, 0)),
])
def test_a_failure_is_never_lost(script, count, monkeypatch):
    monkeypatch.setattr(run_tests, "GRACE", 1)
    suite = run_tests.Suite(["sh", "-c", script], run_tests.count_lines("lint"), seconds=1)
    assert run_tests.measure("x", suite) == count


def test_a_missing_report_fails(tmp_path):
    suite = run_tests.Suite(["true"], lambda _text: run_tests.count_junit(tmp_path / "none"))
    assert run_tests.measure("x", suite) == Count(0, 1, 0)


def test_an_old_report_is_not_taken_for_a_new_one(tmp_path):
    report = tmp_path / "r.xml"
    report.write_text('<testsuites><testsuite tests="9"/></testsuites>')
    suite = run_tests.Suite(["true"], lambda _text: run_tests.count_junit(report), report=report)
    assert run_tests.measure("x", suite) == Count(0, 1, 0)


def test_an_unknown_suite_is_refused():
    done = subprocess.run([sys.executable, ROOT / "scripts" / "run_tests.py", "nonsense"], capture_output=True, text=True)
    assert done.returncode != 0 and "no suite nonsense" in done.stderr
