"""Bars as SVG, readable on light and on dark pages."""
from html import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 720, 170, 110, 26, 40
STYLE = """<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600 } .value { font-size: 12px }
  .other { fill: #8c959f } .ours { fill: #1a7f37 } .spread { stroke: #24292f; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .other { fill: #6e7681 } .ours { fill: #3fb950 } .spread { stroke: #e6edf3 }
  }
</style>"""


def bar(y, name, triple, most, write):
    """One row: name, a bar as long as the median, a line from the least to the most, the median in words."""
    median, least, top = triple
    scale = (WIDTH - LEFT - RIGHT) / (most or 1)
    kind = "ours" if name == "quintet" else "other"
    middle = y + ROW / 2 - 3
    return (f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{max(1, median * scale):.1f}" height="{ROW - 6}" rx="2"/>'
            f'<line class="spread" x1="{LEFT + least * scale:.1f}" x2="{LEFT + top * scale:.1f}" y1="{middle}" y2="{middle}"/>'
            f'<text class="value" x="{LEFT + max(median, top) * scale + 8:.1f}" y="{y + 15}">{escape(write(median))}</text>')


def bars(title, rows, write):
    """An SVG of rows (name, (median, least, most)); `write` makes words of a figure."""
    most = max((max(triple) for _, triple in rows), default=1)
    height = TOP + ROW * len(rows) + 8
    body = "\n".join(bar(TOP + i * ROW, name, triple, most, write) for i, (name, triple) in enumerate(rows))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">\n'
            f'<title>{escape(title)}</title>\n{STYLE}\n<text class="title" x="8" y="22">{escape(title)}</text>\n{body}\n</svg>\n')
