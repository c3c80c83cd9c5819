"""Guitars, violins, double basses and accordions, from parts drawn around the axis x = 0."""
from store.art.canvas import (
    BLACK_LACQUER, BRASS, EBONY, IVORY, PALETTES, STRING, WOODS,
    backdrop, glow, group, mirrored, path, svg, tag,
)

GUITAR = (
    "M0 -20H22%sC104 75 78 85 80 115C82 145 135 152 135 208C135 262 75 278 0 278"
    "C-75 278 -135 262 -135 208C-135 152 -82 145 -80 115C-78 85 -104 75 -100 35"
    "C-95 -30 -30 -30 0 -20z"
)
SHOULDER = "C50 -28 95 -26 100 35"
CUTAWAY = "V18C24 52 50 48 66 26C80 6 101 16 100 35"
VIOLIN = (
    "M0 -72C58 -76 92 -40 86 6C84 24 80 34 86 44C52 56 52 112 92 128"
    "C88 142 116 152 116 202C116 256 62 276 0 276"
)
BASS = (
    "M0 -66C18 -62 34 -30 62 -8C84 10 96 28 94 52C62 62 58 118 98 134"
    "C94 148 132 160 132 210C132 262 72 278 0 278"
)


def mirror_outline(half):
    """Both halves of an outline, for a fill that knows no seam."""
    return path(half, fill="url(#wood)", stroke="#2a140a", stroke_width=3)


def strings(count, spread_top, spread_bottom, top, bottom):
    lines = []
    for i in range(count):
        where = i / (count - 1) - 0.5
        lines.append("M%.1f %dL%.1f %d" % (spread_top * where, top, spread_bottom * where, bottom))
    return path("".join(lines), stroke=STRING, stroke_width=1.3, fill="none")


def pegs(rows, x, colour):
    return "".join(
        mirrored(
            tag("rect", x=x - 8, y=y - 2, width=9, height=4, fill="#777"),
            tag("ellipse", cx=x + 5, cy=y, rx=7, ry=5, fill=colour),
        )
        for y in rows
    )


def f_holes(x, y, scale):
    hole = path(
        "M10 -34C-2 -40 -8 -24 -2 -6C4 14 10 30 -8 36", fill="none", stroke=EBONY, stroke_width=5,
        stroke_linecap="round",
    )
    dots = tag("circle", cx=10, cy=-31, r=5, fill=EBONY) + tag("circle", cx=-8, cy=33, r=5,
                                                             fill=EBONY)
    place = "translate(%d %d) scale(%.2f)" % (x, y, scale)
    return mirrored(group(hole, dots, transform=place))


def sound_hole(style):
    if style == "wide":
        return path("M-42 56H42C42 112 -42 112 -42 56z", fill=EBONY, stroke=IVORY, stroke_width=3)
    if style == "arch":
        return f_holes(66, 170, 1.1)
    rx, ry = (30, 30) if style == "round" else (17, 25)
    rings = tag("ellipse", cx=0, cy=80, rx=rx + 8, ry=ry + 8, fill="none", stroke=IVORY,
                stroke_width=3)
    return rings + tag("ellipse", cx=0, cy=80, rx=rx, ry=ry, fill=EBONY)


def guitar_neck(string_count):
    frets = "".join("M-13 %dH13" % y for y in (-178, -150, -124, -99, -76, -54, -33, -13, 5, 22))
    head = "M-15 -200L-25 -272Q0 -284 25 -272L15 -200z"
    rows = (-222, -240, -258) if string_count > 4 else (-230, -254)
    return "".join((
        path(head, fill=EBONY, stroke="#000"),
        pegs(rows, 28, IVORY),
        tag("rect", x=-13, y=-202, width=26, height=238, fill=EBONY),
        path(frets, stroke="#b9a98a", stroke_width=1.5),
        "".join(tag("circle", cx=0, cy=y, r=3, fill=IVORY) for y in (-112, -65, -23)),
        tag("rect", x=-14, y=-205, width=28, height=5, fill=IVORY),
    ))


def guitar_body(style, cutaway):
    moustache = path("M32 176Q52 168 64 182Q46 186 32 182z", fill=EBONY)
    fittings = (
        tag("rect", x=-32, y=172, width=64, height=9, rx=3, fill=EBONY) + mirrored(moustache)
        + path("M-15 214H15L11 277H-11z", fill=BRASS, stroke="#7a5515")
    )
    outline = GUITAR % (CUTAWAY if cutaway else SHOULDER)
    inner = group(path(outline, fill="none", stroke=IVORY, stroke_width=2, opacity=".55"),
                  transform="translate(0 4) scale(.955 .965)")
    return mirror_outline(outline) + inner + sound_hole(style) + fittings


def draw_guitar(style, cutaway, string_count=6):
    return (guitar_body(style, cutaway) + guitar_neck(string_count)
            + strings(string_count, 18, 24, -203, 216))


def fiddle(half, bass):
    """A violin, or a double bass: the same parts in other proportions."""
    top = -238 if bass else -200
    back = half + half_mirror(half)
    scroll = tag("circle", cx=0, cy=top - 14, r=15, fill="url(#wood)", stroke="#2a140a",
                 stroke_width=2) + path("M7 %da7 7 0 1 1 -8 -7" % (top - 12), fill="none",
                                        stroke="#2a140a", stroke_width=2)
    box = tag("rect", x=-8, y=top - 8, width=16, height=52, rx=4, fill="url(#wood)",
              stroke="#2a140a")
    tail = path("M-13 150L13 150L18 238Q0 250 -18 238z", fill=EBONY)
    board = path("M-8 %dH8L15 92H-15z" % (top + 40), fill=EBONY)
    bridge = path("M-26 122Q0 108 26 122L22 132H-22z", fill="#e7c98c", stroke="#8a6a35")
    parts = [
        mirror_outline(back),
        path(back, fill="none", stroke="#2a140a", stroke_width=1.5, opacity=".6",
             transform="translate(0 5) scale(.93 .95)"),
        scroll, box, pegs((top + 10, top + 28), 12, EBONY),
        f_holes(46, 112, 1.0), board, bridge, tail,
    ]
    if bass:
        parts.insert(0, path("M0 270V318", stroke="#888", stroke_width=6))
        parts.insert(0, tag("circle", cx=0, cy=320, r=6, fill=EBONY))
    else:
        parts.append(path("M-20 228C-70 205 -98 222 -84 250C-72 268 -36 268 -18 262z", fill=EBONY))
    parts.append(strings(4, 10, 22, top + 42, 152))
    return "".join(parts)


def half_mirror(half):
    """The way back of an outline: the same curves with x negated, in reverse order."""
    numbers = [part for part in half.replace("M", " ").replace("C", " ").split()]
    points = list(zip(map(int, numbers[::2]), map(int, numbers[1::2])))
    points.reverse()
    curves = []
    for i in range(1, len(points), 3):
        curves.append("C" + " ".join("%d %d" % (-x, y) for x, y in points[i:i + 3]))
    return "".join(curves) + "z"


def on_stage(chance, drawing, wood, title, tilt, size):
    """The drawing on its backdrop, with a shadow on the wall behind it."""
    palette = chance.pick(PALETTES)
    turn = "translate(%d %d) rotate(%.1f) scale(%.2f)"
    shadow = group(drawing, transform=turn % (322, 318, tilt, size), filter="url(#shade)",
                   opacity=".28")
    defs = tag("defs", glow("wood", wood) + tag(
        "filter", tag("feColorMatrix", values="0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0")
        + tag("feGaussianBlur", stdDeviation=7), id="shade"))
    return svg(defs, backdrop(chance, palette), shadow,
               group(drawing, transform=turn % (300, 298, tilt, size)), title=title)


def guitar(chance, slug, title, maker):
    style = "oval"
    for word, named in (("grande", "wide"), ("arch", "arch"), ("anvers", "arch"),
                        ("nylon", "round"), ("clignancourt", "wide"), ("tenor", "round")):
        if word in slug:
            style = named
    wood = BLACK_LACQUER if "noir" in slug else chance.pick(WOODS)
    drawing = draw_guitar(style, style != "round", 4 if "tenor" in slug else 6)
    tilt = chance.pick((-1, 1)) * chance.between(14, 30)
    return on_stage(chance, drawing, wood, title, tilt, 0.78 if "travel" in slug else 0.93)


def violin(chance, slug, title, maker):
    wood = BLACK_LACQUER if "electric" in slug else chance.pick(WOODS)
    tilt = chance.pick((-1, 1)) * chance.between(16, 38)
    size = 0.76 if "34" in slug else 0.92
    return on_stage(chance, fiddle(VIOLIN, bass=False), wood, title, tilt, size)


def double_bass(chance, slug, title, maker):
    wood = BLACK_LACQUER if "minuit" in slug else chance.pick(WOODS)
    drawing = fiddle(BASS, bass=True)
    return on_stage(chance, drawing, wood, title, chance.between(-7, 7), 0.86)


def bellows(accent, ink):
    """Folds that open towards the bottom, as when the player draws a breath."""
    folds = []
    for i in range(12):
        left, right = -112 + 16 * i, -96 + 16 * i
        rise = abs(i - 5.5) * 1.6
        shape = "M%d %.1fL%d %.1fV%.1fL%d %.1fz" % (
            left, -120 + rise, right, -126 + rise, 150 - rise, left, 144 - rise)
        folds.append(path(shape, fill=accent if i % 2 else ink))
        folds.append(path("M%d %.1fV%.1f" % (right, -126 + rise, 150 - rise), stroke=BRASS,
                          stroke_width=1.5))
    return "".join(folds)


def keyboard(buttons):
    if buttons:
        return "".join(
            tag("circle", cx=150 + 19 * row, cy=-116 + 21 * i + 8 * (row % 2), r=7, fill=IVORY,
                stroke="#999")
            for row in range(3) for i in range(12)
        )
    white = "".join(tag("rect", x=142, y=-134 + 19 * i, width=66, height=18, rx=2, fill=IVORY,
                        stroke="#b8ad98") for i in range(15))
    black = "".join(tag("rect", x=142, y=-121 + 19 * i, width=40, height=10, rx=2, fill=EBONY)
                    for i in range(14) if i % 7 not in (2, 6))
    return white + black


def draw_accordion(shell, accent, ink, buttons):
    grille = "".join("M%d -100V%d" % (92 + 9 * i, 118 - 4 * i) for i in range(5))
    basses = "".join(tag("circle", cx=-196 + 17 * c, cy=-96 + 22 * r, r=5, fill=IVORY)
                     for c in range(4) for r in range(10))
    return "".join((
        path("M-214 -90C-262 -60 -262 80 -214 110", fill="none", stroke=EBONY, stroke_width=13),
        bellows(accent, ink),
        tag("rect", x=-222, y=-134, width=112, height=292, rx=18, fill=shell, stroke=EBONY,
            stroke_width=3),
        basses,
        tag("rect", x=80, y=-146, width=138, height=304, rx=18, fill=shell, stroke=EBONY,
            stroke_width=3),
        path(grille, stroke=BRASS, stroke_width=4, stroke_linecap="round"),
        keyboard(buttons),
    ))


def accordion(chance, slug, title, maker):
    shell = chance.pick(("#a32f2f", "#15493f", "#23375e", "#2b2527", "#7b2f52", "#b8772a"))
    if "silver" in slug:
        shell = "#b9bec4"
    buttons = any(word in slug for word in ("chromatic", "diatonic", "barge", "concertina"))
    drawing = draw_accordion(shell, chance.pick(("#c8412f", "#d9a441", "#2f6f62")), EBONY, buttons)
    return on_stage(chance, drawing, WOODS[0], title, chance.between(-16, -4), 0.98)
