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


class Decoder:
    """Piece by piece: what a browser has seen so far."""

    def __init__(self, coding):
        self._feed = {"gzip": lambda: zlib.decompressobj(wbits=31).decompress, "br": lambda: brotli.Decompressor().process,
                      "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(read_across_frames=True).decompress}[coding]()

    def feed(self, data):
        return self._feed(data) if data else b""
