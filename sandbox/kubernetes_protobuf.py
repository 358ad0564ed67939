"""Reads the one protobuf request that matters here: kubectl sends a TokenRequest in no other encoding.

https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding and the field numbers of
k8s.io/api/authentication/v1/generated.proto. Answers may be JSON, which such clients accept too.
"""

from collections.abc import Iterator
from typing import Any

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_RAW = 2
"""In the envelope: the object itself."""
_SPEC = 2
_AUDIENCES, _EXPIRATION_SECONDS = 1, 4


def read_token_request(data: bytes) -> dict[str, Any]:
    """The `spec` of a TokenRequest, in the shape of its JSON. Raises ValueError."""
    if not data.startswith(_MAGIC):
        raise ValueError("not a Kubernetes protobuf message")
    spec: dict[str, Any] = {"audiences": []}
    for number, value in _fields(_only(_only(data[len(_MAGIC) :], _RAW), _SPEC)):
        if number == _AUDIENCES and isinstance(value, bytes):
            spec["audiences"].append(value.decode())
        elif number == _EXPIRATION_SECONDS:
            spec["expirationSeconds"] = value
    return {"spec": spec}


def _only(data: bytes, wanted: int) -> bytes:
    """The message in that field; empty when it is left out."""
    found = (value for number, value in _fields(data) if number == wanted and isinstance(value, bytes))
    return next(found, b"")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value, position = _varint(data, position)
            yield number, value
        elif wire_type == 2:
            length, position = _varint(data, position)
            if position + length > len(data):
                raise ValueError("a protobuf field is longer than its message")
            yield number, data[position : position + length]
            position += length
        else:
            raise ValueError(f"no TokenRequest has a protobuf field of wire type {wire_type}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at the position, and the position after it."""
    result = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return result, position
        shift += 7
    raise ValueError("a protobuf number is cut off")
