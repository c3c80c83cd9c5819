"""The pages and plots that are made from the kept results: tables between markers, so that what is written around them stays."""
import json

from harness import plot, report
from harness.site import ROOT

PAGES = {"README.md": "summary", "docs/user/performance.md": "whole"}
BEGIN, END = "<!-- bench: begin ({}) -->", "<!-- bench: end -->"
NAMES = {"rate": "throughput", "cpu": "CPU", "p99": "p99", "took": "time", "each": "memory"}


def kept(folder, cases):
    """[(case, what was saved of it)] in the order of the cases."""
    files = {name: folder / f"{name}.json" for name in cases}
    return [(cases[name], json.loads(file.read_text())) for name, file in files.items() if file.exists()]


def between(text, what, new):
    """The text with what stands between its markers replaced."""
    begin = BEGIN.format(what)
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"bench: no {begin} … {END}")
    return f"{before}{begin}\n{new.strip()}\n{END}{after}"


def times(ratio):
    """A median ratio with its extremes."""
    return f"{ratio['median']:.2f} ({ratio['least']:.2f}–{ratio['most']:.2f})" if ratio["median"] else "–"


def promises(results):
    """A row for each promise of a case against a peer: how many times better, and whether that is what was wanted."""
    lines = ["| | against | figure | times better (from–to) | wanted |", "|---|---|---|--:|--:|"]
    for case, saved in results:
        title = saved["title"]
        for ratio in saved["ratios"]:
            mark = "" if ratio["kept"] else " **not reached**"
            lines.append(f"| {title} | {ratio['peer']} | {NAMES.get(ratio['figure'], ratio['figure'])} | {times(ratio)} | {ratio['must']:g}{mark} |")
            title = ""
    return "\n".join(lines)


def summary(results):
    """For the README: a row for a case and a peer, throughput and CPU beside each other."""
    lines = ["| | against | times the throughput | times less CPU |", "|---|---|--:|--:|"]
    for case, saved in results:
        title = saved["title"]
        by_peer = {}
        for ratio in saved["ratios"]:
            by_peer.setdefault(ratio["peer"], {})[ratio["figure"]] = ratio
        for peer, found in by_peer.items():
            if "cpu" in found:
                cells = [f"{found[figure]['median']:.2f}" if figure in found and found[figure]["median"] else "" for figure in ("rate", "cpu")]
                lines.append(f"| {title} | {peer} | {cells[0]} | {cells[1]} |")
                title = ""
    return "\n".join(lines) + "\n\n" + machine(results)


def machine(results):
    """On what, and when."""
    about = results[-1][1]["machine"]
    return f"{about['processor']}, {about['cores']} cores; {about['system']}, Linux {about['kernel']}; {about['when']}."


def settings(results, peers):
    """How each peer that was measured is set."""
    names = dict.fromkeys(name for _, saved in results for name in saved["rounds"])
    return "\n".join(f"- **{name}**: {peers[name].settings}" for name in names if name in peers)


def absent(results):
    """Who was not there."""
    lacks = {name: lack for _, saved in results for name, lack in saved["missing"].items()}
    return "".join(f"\nNot measured: {name} ({lack}).\n" for name, lack in lacks.items())


def pictures(folder, results):
    """An SVG for each figure that counts in a case; gives their names."""
    names = set()
    for case, saved in results:
        for figure in ("rate", "cpu", "p99", "took", "each"):
            rows = [(name, report.medians(rounds)[figure]) for name, rounds in saved["rounds"].items() if rounds and figure in rounds[0]]
            if figure in case.shows and rows:
                head, write = report.COLUMNS[figure]
                names.add(f"{case.name}-{figure}.svg")
                (folder / f"{case.name}-{figure}.svg").write_text(plot.bars(f"{saved['title']}: {head}", rows, write))
    return names


def picture(names, case, place):
    """The plot that says most about a case, if there is one."""
    name = next((f"{case.name}-{figure}.svg" for figure in ("cpu", "p99", "took", "each") if f"{case.name}-{figure}.svg" in names), None)
    return f"\n\n![{case.title}]({place}/bench/results/{name})" if name else ""


def whole(results, peers, names=()):
    """For the page on performance: the machine, promises, every table with its plot, settings."""
    tables = "\n\n".join(report.table(case, saved["rounds"]) + picture(names, case, "../..") for case, saved in results)
    return (f"## The machine\n\n{machine(results)}\n{absent(results)}\n## What is wanted, and what is reached\n\n{promises(results)}\n\n"
            f"## Every table\n\n{tables}\n\n## Settings of each\n\n{settings(results, peers)}")


def write(folder, cases, peers):
    """Plots beside the results, tables into the pages."""
    results = kept(folder, cases)
    if not results:
        raise SystemExit("bench: no results to write")
    names = pictures(folder, results)
    first = "".join(picture(names, case, ".") for case, _ in results if case.name in ("hello", "django"))
    made = {"summary": summary(results) + first, "whole": whole(results, peers, names)}
    for page, what in PAGES.items():
        path = ROOT / page
        path.write_text(between(path.read_text(), what, made[what]))
