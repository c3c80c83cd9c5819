"""Records in their sleeves, and sheet music."""
from store.art.canvas import EBONY, IVORY, PALETTES, backdrop, group, path, svg, tag, text


def wrapped(title, width):
    """The title in lines of at most `width` letters where the words allow it."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = (lines[-1] + " " + word).strip()
    return lines


def lettering(x, y, title, maker, size, fills):
    """The title in one to three lines and the maker's name below it."""
    lines = wrapped(title, 14)
    if len(lines) > 2:
        size = int(size * 0.84)
    words = [
        text(x, y + int(size * 1.12) * i, line, size, fills[0], font_weight="bold")
        for i, line in enumerate(lines)
    ]
    words.append(text(x, y + int(size * 1.12) * len(lines) - 6, maker, size // 2, fills[1]))
    return "".join(words)


def shadow(x, y, width, height):
    """A soft shadow under a sheet, from a few transparent ones."""
    return "".join(
        tag("rect", x=x + 2 * i, y=y + 3 * i, width=width, height=height, rx=4, opacity=".05")
        for i in range(1, 7)
    )


def arcs(chance, palette):
    turn = chance.pick((0, 90, 180, 270))
    colours = (palette[2], palette[1], IVORY, palette[3])
    parts = [tag("circle", cx=0, cy=380, r=262 - 36 * i, fill=colours[i % 4]) for i in range(7)]
    return group(*parts, transform="rotate(%d 190 190)" % (turn if turn in (0, 270) else 0))


def stripes(chance, palette):
    colours = (palette[2], IVORY, palette[3], palette[1])
    parts = []
    x = -60
    while x < 560:
        width = int(chance.between(14, 60))
        parts.append(path("M%d 380L%d 130h%dL%d 380z" % (x, x + 120, width, x + width),
                          fill=chance.pick(colours)))
        x += width
    return "".join(parts)


def dots(chance, palette):
    colours = (palette[2], palette[2], IVORY, palette[3])
    return "".join(
        tag("circle", cx=48 + 57 * i, cy=142 + 52 * j, r=chance.between(7, 25),
            fill=chance.pick(colours))
        for i in range(6) for j in range(5)
    )


def waves(chance, palette):
    colours = (palette[2], IVORY, palette[3], palette[2], palette[1])
    parts = []
    for i, colour in enumerate(colours):
        y = 160 + 46 * i
        bend = chance.between(30, 70)
        parts.append(path("M0 %dC95 %.1f 190 %.1f 250 %dS340 %.1f 380 %dV380H0z"
                          % (y, y - bend, y + bend, y, y - bend, y - 12), fill=colour))
    return "".join(parts)


def blocks(chance, palette):
    colours = (palette[2], palette[3], IVORY, palette[2])
    shapes = ("M0 0h84v84H0z", "M0 84a84 84 0 0 1 84 -84v84z", "M0 0a84 84 0 0 0 84 84V0z",
              "M42 0a42 42 0 0 1 0 84a42 42 0 0 1 0 -84z", "M0 84L84 0v84z")
    return "".join(
        path(chance.pick(shapes), fill=chance.pick(colours),
             transform="translate(%d %d)" % (22 + 84 * i, 122 + 84 * j))
        for i in range(4) for j in range(3)
    )


COVERS = (arcs, stripes, dots, waves, blocks)


def vinyl(colour):
    grooves = "".join(
        tag("circle", r=radius, fill="none", stroke="#3a3a3d", stroke_width=1)
        for radius in range(70, 176, 8)
    )
    shine = path("M0 0L120 -128A176 176 0 0 1 160 -70zM0 0L-120 128A176 176 0 0 1 -160 70z",
                 fill="#fff", opacity=".09")
    label = tag("circle", r=58, fill=colour) + tag("circle", r=7, fill=IVORY)
    return tag("circle", r=180, fill="#131315") + grooves + shine + label


def record(chance, slug, title, maker):
    palette = chance.pick(PALETTES)
    sleeve = chance.pick([other for other in PALETTES if other is not palette])
    art = chance.pick(COVERS)(chance, sleeve)
    paper = tag("clipPath", tag("rect", width=380, height=380), id="paper")
    front = group(
        tag("rect", width=380, height=380, fill=sleeve[0]), art,
        lettering(24, 50, title, maker, 33, (sleeve[3], sleeve[2])),
        clip_path="url(#paper)",
    )
    return svg(
        tag("defs", paper), backdrop(chance, palette),
        group(group(vinyl(sleeve[2]), transform="translate(356 190)"), shadow(0, 0, 380, 380),
              front, transform="translate(66 112) rotate(%.1f 190 190)" % chance.between(-5, 3)),
        title=title,
    )


def staff(y):
    return path("".join("M36 %dH318" % (y + 13 * i) for i in range(5)), stroke="#6b6259",
                stroke_width=1.6)


def notes(chance, y):
    parts = []
    for i in range(6):
        x, step = 82 + 40 * i, int(chance.between(0, 8))
        line = y + 52 - 6.5 * step
        down = step > 4
        stem = "M%d %.1fv%d" % (x + (-9 if down else 9), line, 42 if down else -42)
        parts.append(tag("ellipse", cx=x, cy=line, rx=10, ry=7.5, fill=EBONY,
                         transform="rotate(-18 %d %.1f)" % (x, line)))
        parts.append(path(stem, stroke=EBONY, stroke_width=2.6))
    return "".join(parts)


def sheet_music(chance, slug, title, maker):
    palette = chance.pick(PALETTES)
    cover = chance.pick([other for other in PALETTES if other is not palette])
    front = [
        tag("rect", width=350, height=460, rx=3, fill="#fffaf0"),
        tag("rect", width=350, height=186, rx=3, fill=cover[2]),
        tag("rect", y=186, width=350, height=9, fill=cover[1]),
        lettering(30, 64, title, maker, 34, (IVORY, cover[0])),
    ]
    for y in (228, 318):
        front.append(staff(y))
        if "blank" not in slug:
            front.append(notes(chance, y))
    front.append(text(30, 436, "Petite Bouche · Paris", 14, "#8b8075"))
    tilt = chance.between(-8, 6)
    return svg(
        backdrop(chance, palette),
        group(shadow(8, 6, 350, 460),
              tag("rect", x=8, y=6, width=350, height=460, rx=3, fill="#e9dfcc"),
              tag("rect", x=4, y=3, width=350, height=460, rx=3, fill="#f4ebda"),
              *front, transform="translate(125 68) rotate(%.1f 175 230)" % tilt),
        title=title,
    )
