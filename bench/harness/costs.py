"""What trees of processes have cost: CPU time, memory, wake-ups, read from /proc."""
import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def table():
    """pid → (parent, CPU seconds of it and of its ended children, title) of every process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            title = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        fields = stat[stat.rindex(")") + 2:].split()
        found[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / TICKS, title)
    return found


def tree(roots):
    """pid → row of table() for the processes below the roots and themselves."""
    rows = table()
    inside, grown = set(roots), True
    while grown:
        more = {pid for pid, row in rows.items() if row[0] in inside} - inside
        grown = bool(more)
        inside |= more
    return {pid: rows[pid] for pid in inside if pid in rows}


def cpu(roots):
    """CPU seconds of the trees: (all, those whose title names the edge)."""
    rows = tree(roots).values()
    return sum(row[1] for row in rows), sum(row[1] for row in rows if "quintet: edge" in row[2])


def pss(pids, below=True):
    """Bytes of memory of processes and all below them: a page that n processes share counts as 1/n in each."""
    total = 0
    for pid in tree(pids) if below else pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024
    return total


def wakeups(roots):
    """How often a thread of the trees has gone to sleep, and so has been woken: its voluntary context switches."""
    total = 0
    for pid in tree(roots):
        for status in Path(f"/proc/{pid}/task").glob("*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue
            total += int(text.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return total
