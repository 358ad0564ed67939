"""Objects out of a pack as a server sends it, with bounds: whoever sends it may mean harm.

dulwich applies deltas; its reader of packs inflates whatever comes.

https://git-scm.com/docs/pack-format
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from shared.clients.git_packets import Unusable
from shared.clients.importing import IMPORTING

LARGEST_OBJECT: Final = 16 * 1024 * 1024
"""Bytes, inflated. The folder of a hundred thousand names is a quarter of it."""
LARGEST_PACK: Final = 128 * 1024 * 1024
"""Bytes of all its objects, inflated: they are held in memory together."""
LARGEST_BARE_PACK: Final = 32 * 1024 * 1024
"""The same where files were left out: the folders of a hundred thousand files take a tenth of it."""
MOST_OBJECTS: Final = 200_000

DIGITS: Final = {"sha1": 40, "sha256": 64}
"""Of an object's id, by the format of a repository."""

_KINDS: Final = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
_REF_DELTA: Final = 7
_HEADER: Final = 12
_PIECE: Final = 4096
"""Bytes to inflate at a time. Most objects are smaller, and what is left over is copied."""


@dataclass(frozen=True, slots=True)
class Object:
    kind: str
    """`commit`, `tree`, `blob` or `tag`."""
    data: bytes


class Pack:
    """Reads front to back, no more than it is asked for. Raises Unusable for what is no pack, or too much."""

    def __init__(self, pieces: Iterable[bytes], object_format: str, *, bare: bool = False) -> None:
        """bare: files were left out."""
        self._stream = _Stream(pieces, LARGEST_BARE_PACK if bare else LARGEST_PACK)
        self._format = object_format
        head = self._stream.take(_HEADER)
        if head[:8] != b"PACK\0\0\0\2":
            raise Unusable("its answer is no pack")
        self.count: Final = int.from_bytes(head[8:])

    def kind_of(self, wanted: str) -> str:
        """What kind of object that is. Raises Unusable where it does not come."""
        for kind, _, data in self._entries():
            if kind in _KINDS and self._id(found := Object(_KINDS[kind], data)) == wanted:
                return found.kind
        raise Unusable("its answer does not hold what was asked for")

    def objects(self) -> dict[str, Object]:
        """All of them by id."""
        found: dict[str, Object] = {}
        waiting: dict[str, list[bytes]] = {}
        for kind, base, data in self._entries():
            if kind in _KINDS:
                self._add(found, waiting, Object(_KINDS[kind], data))
            elif base in found:
                self._add(found, waiting, self._patched(found[base], data))
            else:
                waiting.setdefault(base, []).append(data)
        if waiting:
            raise Unusable("its pack rests on objects that are not in it")
        return found

    def _add(self, found: dict[str, Object], waiting: dict[str, list[bytes]], first: Object) -> None:
        """With all those that were waiting for it."""
        ready = [first]
        while ready:
            one = ready.pop()
            name = self._id(one)
            found[name] = one
            ready += (self._patched(one, delta) for delta in waiting.pop(name, ()))

    def _patched(self, base: Object, delta: bytes) -> Object:
        """What a delta makes of its base. It says in its first bytes how large both are."""
        with IMPORTING:
            from dulwich.errors import ApplyDeltaError
            from dulwich.pack import apply_delta
        _, at = _size(delta, 0)
        size, _ = _size(delta, at)
        self._stream.allow(size)
        try:
            return Object(base.kind, b"".join(apply_delta(base.data, delta)))
        except (ApplyDeltaError, AssertionError, LookupError, ValueError) as error:
            raise Unusable("its pack holds a delta that cannot be applied") from error

    def _entries(self) -> Iterator[tuple[int, str, bytes]]:
        """Number of the kind, id of the base where it is a delta, and the inflated data."""
        if self.count > MOST_OBJECTS:
            raise Unusable(f"its pack holds more than {MOST_OBJECTS} objects")
        for _ in range(self.count):
            kind, size = self._head()
            base = self._stream.take(DIGITS[self._format] // 2).hex() if kind == _REF_DELTA else ""
            # Deltas by distance come only to whoever said that he can read them.
            if kind not in _KINDS and kind != _REF_DELTA:
                raise Unusable("its pack holds what was not agreed on")
            yield kind, base, self._stream.inflate(size)

    def _head(self) -> tuple[int, int]:
        byte = self._stream.take(1)[0]
        kind, size, shift = byte >> 4 & 7, byte & 15, 4
        while byte & 0x80:
            byte = self._stream.take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if size > LARGEST_OBJECT:
                break
        return kind, size

    def _id(self, one: Object) -> str:
        text = f"{one.kind} {len(one.data)}\0".encode() + one.data
        return hashlib.new(self._format, text, usedforsecurity=False).hexdigest()


class _Stream:
    """Bytes as they come, and how much they have been inflated to."""

    def __init__(self, pieces: Iterable[bytes], largest: int) -> None:
        self._pieces = iter(pieces)
        self._largest = largest
        self._held = b""
        self._at = 0
        self._inflated = 0

    def take(self, size: int) -> bytes:
        while len(self._held) - self._at < size:
            self._read()
        self._at += size
        return self._held[self._at - size : self._at]

    def inflate(self, size: int) -> bytes:
        self.allow(size)
        engine, made = zlib.decompressobj(), bytearray()
        try:
            while not engine.eof and len(made) <= size:
                if self._at == len(self._held):
                    self._read()
                given = self._held[self._at : self._at + _PIECE]
                # One byte more than it should be shows that it is too much.
                made += engine.decompress(given, size + 1 - len(made))
                self._at += len(given) - len(engine.unused_data) - len(engine.unconsumed_tail)
        except zlib.error as error:
            raise Unusable("its pack cannot be inflated") from error
        if len(made) != size:
            raise Unusable("its pack holds an object of another size than it says")
        return bytes(made)

    def allow(self, size: int) -> None:
        """Raises Unusable where an object of that size is too much."""
        self._inflated += size
        if size > LARGEST_OBJECT:
            raise Unusable(f"its pack holds an object of more than {LARGEST_OBJECT} bytes")
        if self._inflated > self._largest:
            raise Unusable(f"its pack holds more than {self._largest} bytes")

    def _read(self) -> None:
        try:
            self._held, self._at = self._held[self._at :] + next(self._pieces), 0
        except StopIteration:
            raise Unusable("its answer ends in the middle") from None


def _size(delta: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    while at < len(delta) and shift < 64:
        byte = delta[at]
        size |= (byte & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not byte & 0x80:
            return size, at
    raise Unusable("its pack holds a delta that cannot be applied")
