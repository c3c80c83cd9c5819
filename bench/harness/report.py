"""Figures as tables and JSON."""
import json
import os
import platform
import subprocess
import time
from pathlib import Path

from harness import stats

MS, MB, MIB = 1e-3, 1e6, 2**20


def number(digits, unit=1):
    """How a figure is written that counts seconds, bytes, … in such units."""
    return lambda value: f"{value / unit:.{digits}f}"


# figure → (head of its column, how it is written)
COLUMNS = {
    "rate": ("requests/s", lambda v: f"{v:.0f}" if v >= 100 else f"{v:.2f}"),
    "p50": ("p50 ms", number(2, MS)),
    "p99": ("p99 ms", number(2, MS)),
    "calm": ("p99 ms without them", number(2, MS)),
    "others": ("p99 ms of the slow", number(0, MS)),
    "p999": ("p99.9 ms", number(2, MS)),
    "mean": ("mean ms", number(2, MS)),
    "longest": ("longest ms", number(1, MS)),
    "cpu": ("CPU µs/request", lambda v: f"{v:.1f}" if v < 1000 else f"{v:.0f}"),
    "edge": ("of it edge", lambda v: f"{v:.1f}" if v else ""),
    "wakeups": ("wake-ups/request", number(2)),
    "pss": ("memory MiB", number(1, MIB)),
    "each": ("bytes/connection", number(0)),
    "took": ("ms", number(0, MS)),
    "size": ("bytes", number(0)),
    "cpu_ms": ("CPU ms", number(0)),
    "bandwidth": ("MB/s", number(0, MB)),
}


def medians(rows):
    """Figure → (median, least, most) of a peer's rounds."""
    return {key: stats.summary([row[key] for row in rows]) for key in rows[0] if isinstance(rows[0][key], (int, float))}


def spread(triple):
    """Half of the distance between the least and the most, in percent of the median."""
    median, least, most = triple
    return (most - least) / 2 / median * 100 if median else 0


def verdicts(case, found):
    """A line for each promise: (peer, figure, what must be reached, (median, least, most), kept)."""
    lines = []
    for peer, wants in case.must.items():
        for figure, least in wants.items():
            if found.get(peer) and found.get("quintet"):
                got = stats.ratio(figure, [r[figure] for r in found["quintet"]], [r[figure] for r in found[peer]])
                lines.append((peer, figure, least, got, bool(got) and got[0] >= least))
    return lines


def times_better(case, found, peer, figure):
    if peer == "quintet" or not found.get("quintet") or figure not in found["quintet"][0] or figure not in found[peer][0]:
        return ""
    got = stats.ratio(figure, [r[figure] for r in found["quintet"]], [r[figure] for r in found[peer]])
    least = case.must.get(peer, {}).get(figure)
    mark = "" if least is None else f" (≥ {least:g}{'' if got and got[0] >= least else ' NOT'})"
    return f"{got[0]:.2f}×{mark}" if got else ""


def written(figure, triple, rounds):
    """A cell: the median, with its spread where there were rounds enough."""
    if not triple:
        return ""
    text = COLUMNS[figure][1](triple[0])
    return f"{text} ±{spread(triple):.0f} %" if rounds > 2 and text else text


def table(case, found):
    """Markdown: a row a peer, a column a figure with its spread, and how many times better Quintet was in what counts."""
    counted = list(dict.fromkeys(figure for wants in case.must.values() for figure in wants)) or [f for f in ("rate", "cpu") if f in case.shows]
    heads = [COLUMNS[f][0] for f in case.shows] + [f"× {COLUMNS[f][0]}" for f in counted] + ["failures"]
    lines = [f"| {case.title} | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    for peer, rows in found.items():
        cells, middle = [], medians(rows)
        for figure in case.shows:
            cells.append(written(figure, middle.get(figure), len(rows)))
        cells += [times_better(case, found, peer, figure) for figure in counted]
        failures = sum(row.get("failures", 0) for row in rows)
        lines.append(f"| {peer} | " + " | ".join(cells) + f" | {f'**{failures}**' if failures else 0} |")
    return "\n".join(lines)


def machine():
    """On what it was measured."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return {"processor": model, "cores": os.cpu_count(), "system": system, "kernel": platform.release().partition("-")[0], "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def versions(names):
    """Package → version, for those of Debian."""
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *names], capture_output=True, text=True)
    return dict(line.split() for line in done.stdout.splitlines() if len(line.split()) == 2)


def save(folder, case, found, missing):
    """One file a case, written anew each time."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"case": case.name, "title": case.title, "machine": machine(), "missing": missing, "rounds": found,
               "ratios": [{"peer": p, "figure": f, "must": m, "median": g and g[0], "least": g and g[1], "most": g and g[2], "kept": k}
                          for p, f, m, g, k in verdicts(case, found)]}
    (folder / f"{case.name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
