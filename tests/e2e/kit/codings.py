"""Content codings, encoded and decoded by libraries other than the ones in Quintet's own tests' reach: Python's bindings."""
import gzip
import zlib

import brotli
import zstandard

CODINGS = ("gzip", "br", "zstd")
SUFFIXES = {"gzip": ".gz", "br": ".br", "zstd": ".zst"}


def encode(coding, data):
    return {"gzip": lambda: gzip.compress(data, mtime=0), "br": lambda: brotli.compress(data),
            "zstd": lambda: zstandard.ZstdCompressor().compress(data)}[coding]()


def decode(coding, data):
    """The whole body; what follows its end, or is missing of it, fails."""
    if coding == "gzip":
        decoder = zlib.decompressobj(wbits=31)
        plain = decoder.decompress(data)
        assert decoder.eof and not decoder.unused_data, "no whole gzip stream"
        return plain
    if coding == "br":
        return brotli.decompress(data)
    if coding == "zstd":
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
            return reader.read()
    assert coding is None, "unknown coding %r" % coding
    return data


def decoded(response):
    """The body of a response as its Content-Encoding says."""
    return decode(response.get("Content-Encoding"), response.body)


class _Zstd:
    """Frame after frame: skippable ones, too, which older bindings call an error."""

    SKIPPABLE = b"\x50\x2a\x4d\x18"

    def __init__(self):
        self._begun, self._frame = b"", zstandard.ZstdDecompressor().decompressobj()

    def feed(self, data):
        if self._begun is not None:
            data = self._begun = self._begun + data
            if data[:4] == self.SKIPPABLE[:len(data)]:
                size = int.from_bytes(data[4:8], "little")
                if len(data) < 8 + size:
                    return b""
                data = data[8 + size:]
            self._begun = None
        return self._frame.decompress(data) if data else b""


class Decoder:
    """Piece by piece: what a browser has seen so far."""

    def __init__(self, coding):
        self.feed = {"gzip": lambda: zlib.decompressobj(wbits=31).decompress, "br": lambda: brotli.Decompressor().process,
                     "zstd": lambda: _Zstd().feed}[coding]()
