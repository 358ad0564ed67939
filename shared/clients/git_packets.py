"""Git's pkt-lines: what both sides of its protocol say, in pieces of up to 65,516 bytes.

https://git-scm.com/docs/protocol-common#_pkt_line_format
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from shared.errors import PermanentError

FLUSH: Final = b"0000"
DELIMITER: Final = b"0001"

_LENGTH: Final = re.compile(rb"[0-9a-fA-F]{4}")
_HEADER: Final = 4
_DATA, _PROGRESS = b"\1", b"\2"


class Mark(Enum):
    """Packets that hold nothing."""

    FLUSH = 0
    DELIMITER = 1
    END = 2


class Unusable(PermanentError):
    """An answer that is not what Git's protocol promises. Its text is ours: theirs may hold anything."""


class Complaint(Unusable):
    """The server says in a packet of its own why it does not do what was asked. `text` is for comparing."""

    def __init__(self, text: str) -> None:
        super().__init__("its Git server refuses, and says why in words that are not known: ask it with git")
        self.text: Final = text


def packet(line: str) -> bytes:
    data = f"{line}\n".encode()
    return b"%04x%b" % (len(data) + _HEADER, data)


def packets(pieces: Iterable[bytes]) -> Iterator[bytes | Mark]:
    """What the packets hold. Raises Complaint at a packet that is one, Unusable for what are no packets, or
    only half of one.
    """
    held = bytearray()
    for piece in pieces:
        held += piece
        at = 0
        while (end := _end(held, at)) is not None:
            length = int(held[at : at + _HEADER], 16)
            yield Mark(length) if length < _HEADER else _lawful(bytes(held[at + _HEADER : end]))
            at = end
        del held[:at]
    if held:
        raise Unusable("its answer ends in the middle")


def _end(held: bytearray, at: int) -> int | None:
    """Where the packet that begins there ends; None as long as it is not all there."""
    if len(held) < at + _HEADER:
        return None
    if not _LENGTH.fullmatch(held, at, at + _HEADER):
        raise Unusable("its answer is none of Git's")
    length = int(held[at : at + _HEADER], 16)
    if length == 3:  # lengths count themselves; 0 to 2 are marks
        raise Unusable("its answer is none of Git's")
    end = at + max(length, _HEADER)
    return end if len(held) >= end else None


def _lawful(data: bytes) -> bytes:
    if data.startswith(b"ERR "):
        raise Complaint(data[4:].decode(errors="replace").strip())
    return data


def pack_data(lines: Iterable[bytes | Mark]) -> Iterator[bytes]:
    """The pack that comes on the first of the side bands, up to the flush.

    Raises Complaint where the third speaks, Unusable where the answer ends before the flush.

    https://git-scm.com/docs/protocol-v2#_output
    """
    for line in lines:
        if line is Mark.FLUSH:
            return
        if isinstance(line, Mark):
            raise Unusable("its answer is none of Git's")
        if line.startswith(_DATA):
            yield line[1:]
        elif not line.startswith(_PROGRESS):
            raise Complaint(line[1:].decode(errors="replace").strip())
    raise Unusable("its answer ends in the middle")
