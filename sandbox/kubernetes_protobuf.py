"""Reads objects that come as protobuf, as kubectl sends those it has types for; it takes JSON for an answer.

What is not in the table of types is refused, never dropped.
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
"""

import base64
from collections.abc import Iterator
from typing import Any

from sandbox.kubernetes_protobuf_types import MESSAGES, Field

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_TYPE, _RAW = 1, 2
"""In the envelope: what the object is, and the object itself."""
_API_VERSION, _KIND = 1, 2


def read_message(data: bytes) -> dict[str, Any]:
    """The object, in the shape of its JSON. Raises ValueError."""
    if not data.startswith(_MAGIC):
        raise ValueError("not a Kubernetes protobuf message")
    envelope = dict(_fields(data[len(_MAGIC) :]))
    about = dict(_fields(_bytes(envelope.get(_TYPE, b""))))
    kind = _bytes(about.get(_KIND, b"")).decode()
    if kind not in MESSAGES:
        raise ValueError(f"no {kind} is read from protobuf")
    api_version = _bytes(about.get(_API_VERSION, b"")).decode()
    return {"apiVersion": api_version, "kind": kind, **_message(kind, _bytes(envelope.get(_RAW, b"")))}


def _message(message: str, data: bytes) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for number, raw in _fields(data):
        field = MESSAGES[message].get(number)
        if field is None:
            raise ValueError(f"field {number} of {message} is not read from protobuf")
        if field.name == ".":
            result.update(_message(field.type, _bytes(raw)))
        elif field.type != "-":
            _put(result, field, raw)
    return result


def _put(result: dict[str, Any], field: Field, raw: int | bytes) -> None:
    match field.many:
        case "*":
            result.setdefault(field.name, []).append(_value(field.type, raw))
        case "{}":
            entry = dict(_fields(_bytes(raw)))
            name = _bytes(entry.get(1, b"")).decode()
            result.setdefault(field.name, {})[name] = _value(field.type, entry.get(2, b""))
        case _:
            value = _value(field.type, raw)
            # Text that is not set is sent as empty text, and some numbers as nothing.
            if value or field.type not in ("text", "int?", "bool?"):
                result[field.name] = value


def _value(type_: str, raw: int | bytes) -> Any:
    match type_.removesuffix("?"):
        case "text":
            return _bytes(raw).decode()
        case "int" if isinstance(raw, int):
            return raw - (1 << 64) if raw >= 1 << 63 else raw
        case "bool" if isinstance(raw, int):
            return bool(raw)
        case "bytes":
            return base64.b64encode(_bytes(raw)).decode()
        case "Quantity":
            return _bytes(dict(_fields(_bytes(raw))).get(1, b"")).decode()
        case message if message in MESSAGES:
            return _message(message, _bytes(raw))
    raise ValueError(f"a protobuf value is no {type_}")


def _bytes(raw: int | bytes) -> bytes:
    if isinstance(raw, int):
        raise ValueError("a protobuf number stands where a text or message belongs")  # noqa: TRY004 (one error for all that cannot be read)
    return raw


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
            raise ValueError(f"no message here has a protobuf field of wire type {wire_type}")


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
