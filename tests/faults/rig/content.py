"""What the application answers, so that a client knows every byte beforehand. Both sides import this file and nothing else of the rig."""
import hashlib

BLOCK = 65536


def page(number):
    return b"page %d\n" % number * (number % 400 + 1)


def pieces(seed, size):
    """`size` bytes that depend on the seed, in pieces of at most BLOCK."""
    block = hashlib.sha256(seed.encode()).digest() * (BLOCK // 32)
    for begin in range(0, size, BLOCK):
        yield block[:min(BLOCK, size - begin)]


def whole(seed, size):
    return b"".join(pieces(seed, size))


def digest(data):
    return hashlib.sha256(data).hexdigest()
