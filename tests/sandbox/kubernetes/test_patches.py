"""Strategic merge patches by their directives, and protobuf that cannot be read."""

from typing import Any

import pytest

from sandbox.kubernetes_protobuf import read_message
from sandbox.kubernetes_strategic import strategically_merged

ENV = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]

MERGED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "an item is changed by its name": (
        {"env": ENV},
        {"env": [{"name": "B", "value": "3"}]},
        {"env": [ENV[0], {"name": "B", "value": "3"}]},
    ),
    "an item is deleted by its name": (
        {"env": ENV},
        {"env": [{"name": "A", "$patch": "delete"}]},
        {"env": [ENV[1]]},
    ),
    "a list of items is replaced when the patch says so": (
        {"env": ENV},
        {"env": [{"name": "C"}, {"$patch": "replace"}]},
        {"env": [{"name": "C"}]},
    ),
    "items take the order of the patch": (
        {"env": ENV},
        {"env": [{"name": "C"}], "$setElementOrder/env": [{"name": "C"}, {"name": "B"}, {"name": "A"}]},
        {"env": [{"name": "C"}, ENV[1], ENV[0]]},
    ),
    "a list without names is replaced": ({"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
    "values of a set are added": (
        {"finalizers": ["a"]},
        {"finalizers": ["a", "b"]},
        {"finalizers": ["a", "b"]},
    ),
    "values of a set are deleted": (
        {"finalizers": ["a", "b"]},
        {"$deleteFromPrimitiveList/finalizers": ["a"]},
        {"finalizers": ["b"]},
    ),
    "null removes": ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}, {"a": {"c": 2}}),
    "an object is deleted": ({"a": {"b": 1}, "c": 2}, {"a": {"$patch": "delete"}}, {"c": 2}),
    "an object is replaced": ({"a": {"b": 1}}, {"a": {"$patch": "replace", "c": 2}}, {"a": {"c": 2}}),
    "only some keys are retained": (
        {"a": {"emptyDir": {}, "name": "x"}},
        {"a": {"$retainKeys": ["name", "secret"], "secret": {}}},
        {"a": {"name": "x", "secret": {}}},
    ),
}


@pytest.mark.parametrize(("target", "patch", "result"), MERGED.values(), ids=MERGED)
def test_in_a_strategic_patch(target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    assert strategically_merged(target, patch) == result


def message(kind: bytes, raw: bytes) -> bytes:
    about = b"\x0a\x02v1\x12" + bytes([len(kind)]) + kind
    return b"k8s\x00\x0a" + bytes([len(about)]) + about + b"\x12" + bytes([len(raw)]) + raw


def test_a_token_request_is_read_from_protobuf() -> None:
    # The body of `kubectl create token NAME --audience api://x --audience y --duration 20m` (1.37).
    spec = b"\x0a\x07api://x\x0a\x01y\x20\xb0\x09"
    read = read_message(message(b"TokenRequest", b"\x0a\x02\x0a\x00\x12" + bytes([len(spec)]) + spec))
    assert read["kind"] == "TokenRequest"
    assert read["spec"] == {"audiences": ["api://x", "y"], "expirationSeconds": 1200}


BROKEN = {
    "nothing": b"",
    "JSON": b"{}",
    "a message that is cut off": message(b"Namespace", b"\x0a\x02\x0a\x00")[:-1],
    "a kind that is not in the table": message(b"Gadget", b""),
    "a field that is not in the table": message(b"Namespace", b"\x22\x00"),
    "a number where a message belongs": message(b"Namespace", b"\x08\x01"),
    "a value of fixed length": message(b"Namespace", b"\x0d\x00\x00\x00\x00"),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_protobuf_is_refused_that_is(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (its kind is the promise)
        read_message(data)
