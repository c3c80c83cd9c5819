"""Colours, chance and the few SVG words that the drawings share. The canvas is 600 × 600."""
import random
from xml.sax.saxutils import escape

# background, its companion, accent, ink
PALETTES = [
    ("#f2e3c6", "#e8c98f", "#b5482f", "#2b1d16"),
    ("#d9e4dc", "#a9c5b5", "#1f5c4d", "#14231f"),
    ("#f4d9c9", "#e7a98a", "#7a2e2a", "#2a1613"),
    ("#dde3ee", "#a8b9d6", "#2d4a7c", "#141c2c"),
    ("#ece3ee", "#c9b0d0", "#5d3a6e", "#21142a"),
    ("#f6efd2", "#e6d074", "#8a6a10", "#2a220a"),
    ("#e0ebe9", "#8fc0bd", "#0f5e63", "#0c2123"),
    ("#f5dfdf", "#e39a9a", "#9c2f45", "#2b1117"),
]
# light, middle, dark edge
WOODS = [
    ("#efb765", "#c9772f", "#6b3413"),
    ("#e8a24c", "#b55a22", "#4d210d"),
    ("#f3cd8b", "#d79a4a", "#8a5420"),
    ("#c9662f", "#8e3a1a", "#3d150a"),
]
BLACK_LACQUER = ("#55494a", "#2c2527", "#100c0d")
EBONY, IVORY, BRASS, STRING = "#1c1614", "#fbf5e6", "#d3a13f", "#efe9dc"


class Chance:
    """Decisions that look like chance but follow from a word.

    Only Random.random() is used: the one method that promises the same numbers in every Python.
    """

    def __init__(self, word):
        self._random = random.Random(word).random

    def between(self, low, high):
        return low + (high - low) * self._random()

    def pick(self, choices):
        return choices[int(self._random() * len(choices))]


def tag(name, body="", **attributes):
    """An SVG element; an underscore in an attribute stands for a hyphen."""
    text = "".join(
        ' %s="%s"' % (key.rstrip("_").replace("_", "-"), number(value))
        for key, value in attributes.items()
    )
    return "<%s%s>%s</%s>" % (name, text, body, name) if body else "<%s%s/>" % (name, text)


def number(value):
    """Numbers with one digit after the point, everything else as it is."""
    return ("%.1f" % value).rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def group(*parts, **attributes):
    return tag("g", "".join(parts), **attributes)


def path(d, **attributes):
    return tag("path", d=d, **attributes)


def mirrored(*parts):
    """The parts and their image on the other side of the axis x = 0."""
    return "".join(parts) + group(*parts, transform="scale(-1 1)")


def text(x, y, words, size, fill, **attributes):
    attributes.setdefault("font_family", "Georgia,'DejaVu Serif',serif")
    return tag("text", escape(words), x=x, y=y, font_size=size, fill=fill, **attributes)


def glow(name, wood):
    """A gradient of that id: wood that is lighter in the middle."""
    stops = "".join(
        tag("stop", offset=offset, stop_color=colour)
        for offset, colour in zip(("0", ".62", "1"), wood)
    )
    return tag("radialGradient", stops, id=name, cx="50%", cy="55%", r="62%")


def svg(*parts, width=600, height=600, title=""):
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d">' % (width, height)
    return "%s<title>%s</title>%s</svg>\n" % (head, escape(title), "".join(parts))


def backdrop(chance, palette):
    """A quiet ground with a large shape on it, so that no two pictures stand alike."""
    ground, companion, accent, _ = palette
    parts = [tag("rect", width=600, height=600, fill=ground)]
    x, y = chance.between(200, 400), chance.between(220, 380)
    shape = chance.pick(("disc", "arch", "rays", "rings"))
    if shape == "disc":
        parts.append(tag("circle", cx=x, cy=y, r=chance.between(190, 240), fill=companion))
    elif shape == "arch":
        arch = "M110 600V300a190 190 0 0 1 380 0v300z"
        parts.append(path(arch, fill=companion))
    elif shape == "rays":
        rays = ("M300 640L%d -80h60z" % (i * 130 - 120) for i in range(7))
        parts.append(path("".join(rays), fill=companion, opacity=".65"))
    else:
        for radius in (260, 200, 140):
            parts.append(
                tag("circle", cx=x, cy=y, r=radius, fill="none", stroke=companion, stroke_width=34)
            )
    if chance.between(0, 1) < 0.5:
        side = chance.pick((80, 520))
        parts.append(tag("circle", cx=side, cy=chance.between(80, 180), r=26, fill=accent))
    return "".join(parts)
