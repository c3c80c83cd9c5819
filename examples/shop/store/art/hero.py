"""The front page's picture: the quintet before the curtain goes up."""
from store.art.canvas import WOODS, glow, group, path, svg, tag
from store.art.instruments import BASS, VIOLIN, draw_accordion, draw_guitar, fiddle

WIDTH, HEIGHT = 1000, 640


def place(drawing, x, y, tilt, size):
    return group(drawing, transform="translate(%d %d) rotate(%d) scale(%.2f)" % (x, y, tilt, size))


def quintet():
    floor = tag("ellipse", cx=500, cy=596, rx=470, ry=34, fill="#000", opacity=".28")
    light = path("M500 -60L120 600H880z", fill="#f4c66b", opacity=".13") + path(
        "M500 -60L300 600H700z", fill="#f4c66b", opacity=".13")
    return svg(
        tag("defs", glow("wood", WOODS[1])), light, floor,
        place(fiddle(BASS, bass=True), 500, 300, 0, 0.9),
        place(draw_guitar("oval", True), 262, 352, -14, 0.8),
        place(draw_guitar("wide", True), 738, 352, 14, 0.8),
        place(fiddle(VIOLIN, bass=False), 110, 420, -22, 0.55),
        place(draw_accordion("#a32f2f", "#d9a441", "#1c1614", False), 862, 470, 8, 0.5),
        width=WIDTH, height=HEIGHT, title="A quintet's instruments on a stage",
    )
