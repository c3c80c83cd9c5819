#!/usr/bin/env python3
"""Runs the suites one after another, each by its own runner, and adds up what the runners counted.

usage: run_tests.py [SUITE...] [-- ARGUMENTS of the runner]      suites: build unit lint tools python shop fuzz e2e faults

Every suite runs even if one before it failed (but nothing runs on a failed build), so one run tells all.
A suite passes when its runner exits 0; the numbers are read from the runner's own report.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree
from pathlib import Path
from typing import Callable, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
BUILD = Path(os.environ.get("BUILD", "build"))
REPORTS = ROOT / "var" / "reports"
FUZZ_SECONDS = os.environ.get("TEST_FUZZ_SECONDS", "5")
E2E_SECONDS = int(os.environ.get("E2E_SECONDS", "780"))  # sanitizers take longer
FAULTS_LIMIT = int(os.environ.get("FAULTS_LIMIT", "600"))  # seconds for all faults together; each lasts FAULTS_SECONDS
GRACE = 10  # seconds from the interrupt of a suite that takes too long to its end


class Count(NamedTuple):
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other):
        return Count(*(a + b for a, b in zip(self, other)))


class Suite(NamedTuple):
    command: list
    count: Callable  # from the runner's output (text) to Count
    exists: Callable = lambda: True
    seconds: int = 300  # after that it is killed and has failed
    cwd: Path = ROOT
    report: Path = None  # the file that `count` reads: one of an earlier run must not be taken for this one's


def count_cmocka(text):
    """cmocka's closing lines: `[  PASSED  ] 3 test(s).` and `[  FAILED  ] GROUP: 1 test(s), listed below:`."""
    def total(word):
        pattern = rf"^\[  {word}  \] (?:\S+: )?(\d+) test\(s\)"
        return sum(int(n) for n in re.findall(pattern, text, re.MULTILINE))
    return Count(total("PASSED"), total("FAILED"), total("SKIPPED"))


def count_pytest(text):
    """pytest's closing line: `1 failed, 2 passed, 3 skipped in 0.12s`."""
    whole = Count()
    for line in re.findall(r"^(?:=+ )?(\d+ \w+.*) in [\d.]+s", text, re.MULTILINE):
        n = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", line)}
        failed = n.get("failed", 0) + n.get("error", 0) + n.get("errors", 0)
        whole += Count(n.get("passed", 0), failed, n.get("skipped", 0))
    return whole


def count_meson(log):
    """The tests inside meson's tests (of cmocka or pytest); one that died before it could report counts as one failure."""
    whole = Count()
    for line in log.read_text().splitlines():
        test = json.loads(line)
        text = test.get("stdout", "") + test.get("stderr", "")
        count = count_cmocka(text) + count_pytest(text)
        if test["result"] in ("OK", "EXPECTEDFAIL", "SKIP"):
            whole += count if any(count) else Count(passed=1)
        else:
            whole += count if count.failed else count + Count(failed=1)
    return whole


def count_junit(path):
    whole = Count()
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        whole += Count(int(suite.get("tests", 0)) - bad - skipped, bad, skipped)
    return whole


def count_django(text):
    ran = sum(int(n) for n in re.findall(r"^Ran (\d+) tests? in", text, re.MULTILINE))
    detail = re.findall(r"^(?:OK|FAILED) \((.*)\)$", text, re.MULTILINE)
    numbers = {k: int(v) for part in detail for k, v in re.findall(r"([a-z][a-z ]*)=(\d+)", part)}
    bad = numbers.get("failures", 0) + numbers.get("errors", 0) + numbers.get("unexpected successes", 0)
    skipped = numbers.get("skipped", 0)
    return Count(ran - bad - skipped, bad, skipped)


def count_lines(prefix):
    """Our own shell runners print `PREFIX: ok NAME`, `PREFIX: FAILED NAME` and `PREFIX: skipped NAME`."""
    def count(text):
        def total(word):
            return len(re.findall(rf"^{prefix}: {word} ", text, re.MULTILINE))
        return Count(total("ok"), total("FAILED"), total("skipped"))
    return count


def pytest_suite(name, folder, seconds, arguments):
    report = REPORTS / f"{name}.xml"
    return Suite(
        [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", folder, *arguments],
        lambda _text: count_junit(report),
        lambda: any((ROOT / folder).rglob("test_*.py")),
        seconds,
        report=report,
    )


def suites(arguments):
    log = ROOT / BUILD / "meson-logs" / "testlog.json"
    return {
        "build": Suite(["scripts/build.sh", str(BUILD)], lambda _text: Count()),
        "unit": Suite(
            ["meson", "test", "-C", str(BUILD), "--no-rebuild", "--print-errorlogs",
             "--timeout-multiplier=4", *arguments],
            lambda _text: count_meson(log),
            lambda: any((ROOT / "tests" / "unit").rglob("test_*.c")),
            report=log,
        ),
        "lint": Suite(["scripts/lint/run.sh"], count_lines("lint"), seconds=600),
        "tools": pytest_suite("tools", "tests/lint", 120, []),
        "python": pytest_suite("python", "tests/python", 300, []),
        "shop": Suite(
            [PYTHON, "manage.py", "test", "--noinput"],
            count_django,
            lambda: (ROOT / "examples" / "shop" / "manage.py").exists(),
            cwd=ROOT / "examples" / "shop",
        ),
        "fuzz": Suite(
            ["scripts/fuzz.sh", FUZZ_SECONDS],
            count_lines("fuzz"),
            lambda: any((ROOT / "tests" / "fuzz").glob("fuzz_*.c")),
        ),
        "e2e": pytest_suite("e2e", "tests/e2e", E2E_SECONDS, arguments),
        "faults": pytest_suite("faults", "tests/faults", FAULTS_LIMIT, arguments),
    }


def run(name, suite):
    """Runs one suite in a process group of its own, shows and keeps its output. Returns (exit code, text)."""
    text = []
    # A shell that starts us in the background has it ignored; then no runner could be interrupted, and no shell could trap it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(
        suite.command, cwd=suite.cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )

    def interrupt(_signal, _frame):
        print(f"\nrun_tests: {name} took longer than {suite.seconds} s: interrupted", flush=True)
        os.kill(child.pid, signal.SIGINT)  # a runner reports what it has
        signal.signal(signal.SIGALRM, lambda _s, _f: os.killpg(child.pid, signal.SIGKILL))
        signal.alarm(GRACE)

    signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(suite.seconds)
    try:
        for line in child.stdout:
            text.append(line)
            print(line, end="", flush=True)
        code = child.wait()
    except KeyboardInterrupt:
        os.killpg(child.pid, signal.SIGTERM)
        raise SystemExit(130)
    finally:
        signal.alarm(0)
    return code, "".join(text)


def measure(name, suite):
    """Runs one suite. Returns its Count, where a runner that failed without a count has one failure."""
    print(f"\n=== {name}: {' '.join(map(str, suite.command))}", flush=True)
    if suite.report:
        suite.report.unlink(missing_ok=True)
    code, text = run(name, suite)
    try:
        count = suite.count(text)
    except (OSError, ValueError, xml.etree.ElementTree.ParseError) as error:
        print(f"run_tests: no report of {name}: {error}")
        count, code = Count(), code or 1
    if code != 0 and count.failed == 0:
        count += Count(failed=1)
    return count


def main(words):
    arguments = []
    if "--" in words:
        cut = words.index("--")
        words, arguments = words[:cut], words[cut + 1:]
    table = suites(arguments)
    unknown = [word for word in words if word not in table]
    if unknown:
        raise SystemExit(f"run_tests: no suite {unknown[0]}; there are: {' '.join(table)}")
    os.chdir(ROOT)
    REPORTS.mkdir(parents=True, exist_ok=True)

    summary = []
    for name in ["build", *(words or [n for n in table if n != "build"])]:
        if not table[name].exists():
            summary.append((name, Count(), 0.0, "nothing to run yet"))
            continue
        start = time.monotonic()
        count = measure(name, table[name])
        summary.append((name, count, time.monotonic() - start, "FAILED" if count.failed else "ok"))
        if name == "build" and count.failed:
            break

    print("\n=== summary")
    for name, count, seconds, word in summary:
        print(f"{name:6} {count.passed:5} passed {count.failed:4} failed {count.skipped:4} skipped {seconds:7.1f} s  {word}")
    whole = sum((count for _, count, _, _ in summary), Count())
    print(f"\n{whole.passed} passed, {whole.failed} failed, {whole.skipped} skipped")
    return 1 if whole.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
