"""The bench's figures are those of the tools it asks, and its ratios say what they mean."""
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from harness import costs, load, pace, pages, plot, report, rounds, stats  # noqa: E402

H2LOAD = """finished in 2.01s, 74651.43 req/s, 78.25MB/s
requests: 150049 total, 150305 started, 150049 done, 150040 succeeded, 9 failed, 2 errored, 1 timeout
status codes: 150040 2xx, 0 3xx, 0 4xx, 9 5xx
                     min         max         mean         sd        +/- sd
time for request:      251us     18.30ms      3.40ms      1.02ms    72.91%
"""


def test_percentiles():
    assert stats.percentile([], 0.5) == 0
    assert stats.percentile([3, 1, 2], 0.5) == 2
    assert stats.percentile(range(1, 1001), 0.99) == 990
    assert stats.percentile(range(1, 1001), 0.999) == 999
    assert stats.percentile([7], 0.99) == 7


def test_a_ratio_above_one_is_always_better():
    assert stats.ratio("rate", [200, 400, 300], [100, 100, 100]) == (3, 2, 4)
    assert stats.ratio("cpu", [10, 20, 10], [40, 40, 10]) == (2, 1, 4)
    assert stats.ratio("cpu", [0], [40]) is None


def test_wrk():
    text = 'Running 2s test\n  1 threads\n{"requests": 10, "seconds": 2.0, "p50": 0.001, "p99": 0.01, "p999": 0.02, "failures": 3, "bytes": 100}\n'
    assert load.wrk_figures(text)["failures"] == 3


def test_h2load():
    figures = load.h2load_figures(H2LOAD)
    assert figures["requests"] == 150049 and figures["rate"] == 74651.43
    assert figures["mean"] == pytest.approx(0.0034) and figures["longest"] == pytest.approx(0.0183)
    assert figures["failures"] == 9, "errored and late ones are among them"


def test_rounds_go_there_and_back():
    assert list(rounds.turns(["a", "b"], 2)) == [(0, "a"), (0, "b"), (1, "b"), (1, "a")]


def test_costs_are_shared_by_the_requests():
    figures = rounds.per_request({"requests": 100, "seconds": 2}, (1.0, 0.5, 10), (1.5, 0.6, 60), 9)
    assert figures["rate"] == 50 and figures["cpu"] == pytest.approx(5000) and figures["edge"] == pytest.approx(1000) and figures["wakeups"] == 0.5


def test_our_own_costs_can_be_read():
    import os
    assert costs.cpu([os.getpid()])[0] > 0
    assert costs.pss([os.getpid()]) > 1 << 20
    assert costs.wakeups([os.getpid()]) >= 0


def test_arrivals_are_the_same_in_each_run():
    plan = pace.arrivals(["/fast"] * 19 + ["/slow"], 500, 4)
    assert plan == pace.arrivals(["/fast"] * 19 + ["/slow"], 500, 4)
    assert 1800 < len(plan) < 2200
    assert 0.03 < sum(path == "/slow" for _, path in plan) / len(plan) < 0.07


def case(**more):
    return rounds.Case("x", "a title", ("nginx",), None, **{"shows": ("rate", "cpu"), "must": {"nginx": {"rate": 2, "cpu": 1}}, **more})


FOUND = {"quintet": [{"rate": 150.0, "cpu": 5.0, "failures": 0}] * 3, "nginx": [{"rate": 100.0, "cpu": 10.0, "failures": 4}] * 3}


def test_a_table_marks_what_is_not_reached_and_what_failed():
    lines = report.table(case(), FOUND).splitlines()
    assert re.search(r"1\.50× \(≥ 2 NOT\)", lines[3]) and "2.00× (≥ 1)" in lines[3] and "**12**" in lines[3]
    assert lines[2].endswith("|  |  | 0 |"), "nobody is compared with himself"


def test_verdicts():
    assert [(figure, kept) for _, figure, _, _, kept in report.verdicts(case(), FOUND)] == [("rate", False), ("cpu", True)]


def test_every_case_names_peers_that_there_are():
    from cases import CASES
    from peers import PEERS
    for one in CASES.values():
        assert set(one.peers) <= set(PEERS) and set(one.must) <= set(one.peers), one.name
        assert set(one.shows) <= set(report.COLUMNS), one.name


def test_figures_of_a_peer_without_a_server():
    server = SimpleNamespace(peer=SimpleNamespace(load=lambda server, seconds: {"cpu": 7}), children=[], costs=lambda: (0, 0, 0))
    assert rounds.run(case(), server, 1) == {"cpu": 7}


def test_pages_keep_what_is_written_around_the_tables():
    text = "above\n<!-- bench: begin (summary) -->\nold\n<!-- bench: end -->\nbelow\n"
    assert pages.between(text, "summary", "new\n") == text.replace("old", "new")
    with pytest.raises(SystemExit):
        pages.between(text, "whole", "new")


def test_pages_have_their_markers():
    for page, what in pages.PAGES.items():
        pages.between((ROOT / page).read_text(), what, "")


def saved(tmp_path):
    report.save(tmp_path, case(), FOUND, {"h2o": "h2o"})
    return pages.kept(tmp_path, {"x": case()})


def test_results_are_kept_and_become_tables(tmp_path):
    results = saved(tmp_path)
    assert "| a title | nginx | throughput | 1.50 (1.50–1.50) | 2 **not reached** |" in pages.promises(results)
    assert "| a title | nginx | 1.50 | 2.00 |" in pages.summary(results)
    whole = pages.whole(results, {"nginx": SimpleNamespace(settings="tuned")})
    assert "Not measured: h2o" in whole and "- **nginx**: tuned" in whole and "150" in whole


def test_plots_are_xml(tmp_path):
    import xml.etree.ElementTree as xml
    results = saved(tmp_path)
    names = pages.pictures(tmp_path, results)
    assert names == {"x-rate.svg", "x-cpu.svg"}
    assert "](../../bench/results/x-cpu.svg)" in pages.whole(results, {}, names)
    for name in ("x-rate.svg", "x-cpu.svg"):
        assert len(xml.parse(tmp_path / name).getroot().findall("{*}rect")) == 2
    assert "&lt;" in plot.bars("<", [("a", (1, 0, 2))], str)


def test_servers_from_elsewhere(tmp_path, monkeypatch):
    from peers import elsewhere
    (tmp_path / "fast").mkdir()
    (tmp_path / "fast" / "start").write_text("#!/bin/sh\n")
    monkeypatch.setenv("BENCH_PEERS", str(tmp_path))
    assert elsewhere.found() == [], "it must be a program"
    (tmp_path / "fast" / "start").chmod(0o755)
    assert [peer.name for peer in elsewhere.found()] == ["fast"]
