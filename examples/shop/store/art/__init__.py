"""Draws the shop's pictures: an SVG for each product and for the front page, a PNG a category.

Everything follows from the product's slug, so a picture is the same on every machine. Used by
`manage.py prepare`; nothing here needs Django.
"""
from pathlib import Path

from store.art import hero, instruments, png, prints
from store.art.canvas import Chance

DRAW = {
    "guitars": instruments.guitar,
    "violins": instruments.violin,
    "double-basses": instruments.double_bass,
    "accordions": instruments.accordion,
    "records": prints.record,
    "sheet-music": prints.sheet_music,
}


def sources():
    """The text of our own modules: when one changes the pictures have to be drawn again."""
    return [path.read_text() for path in sorted(Path(__file__).parent.glob("*.py"))]


def draw_all(folder, subjects):
    """Draws `subjects`, [(kind, slug, title, maker)], into the folder; answers how many."""
    for kind, slug, title, maker in subjects:
        picture = DRAW[kind](Chance(slug), slug, title, maker)
        (folder / (slug + ".svg")).write_text(picture, encoding="utf-8")
    kinds = sorted({subject[0] for subject in subjects})
    for position, kind in enumerate(kinds):
        (folder / ("banner-%s.png" % kind)).write_bytes(png.banner(Chance(kind), position))
    (folder / "hero.svg").write_text(hero.quintet(), encoding="utf-8")
    return len(subjects) + len(kinds) + 1
