"""Writes simple PDF files: text in Helvetica, filled rectangles, as many pages as needed.

Just what a price list and an invoice need (ISO 32000-1, 7.5: header, objects, cross-reference
table, trailer). Measures are points from the page's lower left corner; A4 is 595 × 842.
"""
WIDTH, HEIGHT = 595, 842
CATALOG, PAGES, REGULAR, BOLD = 1, 2, 3, 4  # numbers of the fixed objects
FIRST_FREE = 5


def escape(text):
    """A string literal in WinAnsiEncoding; what that cannot write becomes a question mark."""
    data = text.encode("cp1252", "replace")
    return data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


class Pdf:
    """Draw on the current page, new_page() for the next, to_bytes() at the end."""

    def __init__(self, title):
        self._title = title
        self._pages = []
        self.new_page()

    def new_page(self):
        self._pages.append([])

    def text(self, x, y, text, size=10, bold=False):
        font = b"F2" if bold else b"F1"
        self._pages[-1].append(
            b"0.13 0.11 0.10 rg BT /%s %d Tf %d %d Td (%s) Tj ET" % (font, size, x, y, escape(text))
        )

    def box(self, x, y, width, height, colour):
        """A filled rectangle; the colour is (red, green, blue), each 0 to 1."""
        numbers = "%.3f %.3f %.3f rg %.1f %.1f %.1f %.1f re f" % (*colour, x, y, width, height)
        self._pages[-1].append(numbers.encode())

    def _objects(self):
        """The objects' bodies in the order of their numbers, from 1."""
        pages = [FIRST_FREE + 2 * i for i in range(len(self._pages))]
        kids = " ".join("%d 0 R" % number for number in pages)
        fonts = "/F1 %d 0 R /F2 %d 0 R" % (REGULAR, BOLD)
        font = "<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
        yield b"<< /Type /Catalog /Pages %d 0 R >>" % PAGES
        yield (
            "<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 %d %d]"
            " /Resources << /Font << %s >> >> >>" % (kids, len(pages), WIDTH, HEIGHT, fonts)
        ).encode()
        yield (font % "Helvetica").encode()
        yield (font % "Helvetica-Bold").encode()
        for number, drawing in zip(pages, self._pages):
            stream = b"\n".join(drawing)
            yield b"<< /Type /Page /Parent %d 0 R /Contents %d 0 R >>" % (PAGES, number + 1)
            yield b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream)
        yield b"<< /Title (%s) >>" % escape(self._title)

    def to_bytes(self):
        out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
        offsets = []
        for number, body in enumerate(self._objects(), 1):
            offsets.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1)
        for offset in offsets:
            out += b"%010d 00000 n \n" % offset
        out += b"trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
            len(offsets) + 1,
            CATALOG,
            len(offsets),
            table,
        )
        return bytes(out)
