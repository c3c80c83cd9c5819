"""PNG banners of rolling hills, one a category, written without any imaging library.

A banner is a palette image built by columns: where each hill begins in a column decides how long
its run of one colour is, so no pixel is computed by itself.
"""
import math
import struct
import zlib

WIDTH, HEIGHT = 1280, 320
SKIES = [((246, 217, 168), (31, 92, 77)), ((214, 226, 236), (45, 74, 124)),
         ((244, 217, 201), (122, 46, 42)), ((236, 227, 238), (93, 58, 110)),
         ((224, 235, 233), (15, 94, 99)), ((246, 239, 210), (138, 90, 16))]
HILLS = 7


def chunk(kind, data):
    """A PNG chunk: length, type, data, CRC (ISO 15948, 5.3)."""
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def encode(palette, pixels):
    """A palette PNG from WIDTH × HEIGHT bytes of colour numbers."""
    rows = b"".join(
        b"\0" + bytes(pixels[start:start + WIDTH]) for start in range(0, len(pixels), WIDTH)
    )
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    colours = b"".join(bytes(colour) for colour in palette)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"PLTE", colours)
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def blend(first, second, share):
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second))


def banner(chance, position):
    """Hills from light to dark; each edge gets a line of the colour between its neighbours."""
    light, dark = SKIES[position % len(SKIES)]
    palette = [blend(light, dark, i / (2 * HILLS)) for i in range(2 * HILLS + 1)]
    hills = [(chance.between(0.6, 2.4), chance.between(0, 6.3), chance.between(12, 34))
             for _ in range(HILLS)]
    pixels = bytearray(WIDTH * HEIGHT)
    for x in range(WIDTH):
        column, y = bytearray(), 0
        for i, (waves, phase, rise) in enumerate(hills):
            edge = 60 + 36 * i + rise * math.sin(6.2832 * waves * x / WIDTH + phase)
            edge = min(HEIGHT, max(y, round(edge)))
            column += bytes([2 * i]) * (edge - y)
            if edge < HEIGHT:
                column.append(2 * i + 1)
            y = len(column)
        column += bytes([2 * HILLS]) * (HEIGHT - y)
        pixels[x::WIDTH] = column
    return encode(palette, pixels)
