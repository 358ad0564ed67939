"""Packs as nobody honest sends them: each is refused, within bounds, with a word of what is wrong."""

import hashlib
import zlib
from collections.abc import Iterator

import pytest

from shared.clients.git_packets import Unusable
from shared.clients.git_packs import LARGEST_OBJECT, Object, Pack

COMMIT, TREE, BLOB, TAG, OFFSET, DELTA = 1, 2, 3, 4, 6, 7
BASE = b"hello, hello, hello"
BASE_ID = hashlib.sha1(b"blob %d\0" % len(BASE) + BASE, usedforsecurity=False).digest()


def head(count: int, version: int = 2) -> bytes:
    return b"PACK" + version.to_bytes(4) + count.to_bytes(4)


def entry(kind: int, data: bytes, *, size: int | None = None, base: bytes = b"") -> bytes:
    left = len(data) if size is None else size
    first, left = (kind << 4) | (left & 15), left >> 4
    sizes = bytearray()
    while left:
        sizes.append(left & 0x7F)
        left >>= 7
    coded = bytes([first | (0x80 if sizes else 0), *(one | 0x80 for one in sizes[:-1]), *sizes[-1:]])
    return coded + base + zlib.compress(data)


def delta(result: int, *commands: bytes, source: int = len(BASE)) -> bytes:
    return _varint(source) + _varint(result) + b"".join(commands)


def _varint(number: int) -> bytes:
    coded = bytearray()
    while number > 0x7F:
        coded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*coded, number])


COPY_FIVE = b"\x90\x05"
GOOD = entry(BLOB, BASE)


def test_objects_are_read_whatever_pieces_they_come_in() -> None:
    whole = head(3) + GOOD + entry(TREE, b"") + entry(DELTA, delta(5, COPY_FIVE), base=BASE_ID)
    for size in (1, 7, len(whole)):
        pieces = (whole[at : at + size] for at in range(0, len(whole), size))
        found = Pack(pieces, "sha1").objects()
        assert sorted((one.kind, one.data) for one in found.values()) == [
            ("blob", b"hello"),
            ("blob", BASE),
            ("tree", b""),
        ]


def test_a_delta_may_come_before_what_it_changes() -> None:
    pack = head(2) + entry(DELTA, delta(5, COPY_FIVE), base=BASE_ID) + GOOD
    assert Object("blob", b"hello") in Pack([pack], "sha1").objects().values()


HOSTILE: dict[str, tuple[bytes, str]] = {
    "no pack": (b"JUNKJUNKJUNKJUNK", "is no pack"),
    "a pack of another version": (head(1, version=3) + GOOD, "is no pack"),
    "half a head": (head(1)[:7], "ends in the middle"),
    "fewer objects than it says": (head(2) + GOOD, "ends in the middle"),
    "half an object": (head(1) + GOOD[:-6], "ends in the middle"),
    "more objects than anybody holds": (head(0xFFFFFFFF), "more than 200000 objects"),
    "an object that says it is huge": (head(1) + entry(BLOB, b"x", size=1 << 60), "more than 16777216 bytes"),
    "a size without end": (head(1) + b"\xbf" + b"\xff" * 64, "more than 16777216 bytes"),
    "an object that is larger than it says": (
        head(1) + entry(BLOB, bytes(LARGEST_OBJECT), size=10),
        "another size than it says",
    ),
    "an object that is smaller than it says": (head(1) + entry(BLOB, b"x", size=10), "another size"),
    "what cannot be inflated": (head(1) + b"\x31" + b"junk" * 5, "cannot be inflated"),
    "a kind that is none": (head(1) + entry(5, b"x"), "not agreed on"),
    "a delta by distance": (head(1) + entry(OFFSET, b"x"), "not agreed on"),
    "a delta upon nothing": (head(1) + entry(DELTA, delta(5, COPY_FIVE), base=b"\1" * 20), "not in it"),
    "a delta upon another size": (
        head(2) + GOOD + entry(DELTA, delta(5, COPY_FIVE, source=4), base=BASE_ID),
        "cannot be applied",
    ),
    "a delta beyond its base": (
        head(2) + GOOD + entry(DELTA, delta(200, b"\x90\xc8"), base=BASE_ID),
        "cannot be applied",
    ),
    "a delta that makes more than it says": (
        head(2) + GOOD + entry(DELTA, delta(2, COPY_FIVE), base=BASE_ID),
        "cannot be applied",
    ),
    "a delta that says it is huge": (
        head(2) + GOOD + entry(DELTA, delta(1 << 40, COPY_FIVE), base=BASE_ID),
        "more than 16777216 bytes",
    ),
    "a delta without a size": (
        head(2) + GOOD + entry(DELTA, b"\xff" * 20, base=BASE_ID),
        "cannot be applied",
    ),
    "an empty delta": (head(2) + GOOD + entry(DELTA, b"", base=BASE_ID), "cannot be applied"),
}


@pytest.mark.parametrize(("pack", "why"), HOSTILE.values(), ids=HOSTILE)
def test_a_pack_that_means_harm_is_refused(pack: bytes, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        Pack([pack], "sha1").objects()


def test_objects_that_are_too_much_together_are_refused() -> None:
    """Each a few kilobytes on the wire."""
    one = entry(BLOB, bytes(LARGEST_OBJECT))
    with pytest.raises(Unusable, match="more than 134217728 bytes"):
        Pack([head(9), *[one] * 9], "sha1").objects()


def test_no_more_is_read_than_is_asked_for() -> None:
    def pieces() -> Iterator[bytes]:
        yield head(2) + GOOD
        raise AssertionError

    pack = Pack(pieces(), "sha1")
    assert pack.count == 2
    assert pack.kind_of(BASE_ID.hex()) == "blob"


def test_what_does_not_come_has_no_kind() -> None:
    with pytest.raises(Unusable, match="does not hold what was asked for"):
        Pack([head(1) + GOOD], "sha1").kind_of("1" * 40)
