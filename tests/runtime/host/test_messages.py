"""What an output binding's value puts on the queue."""

import pytest

from sandbox.host.executor import messages
from sandbox.host.runtime import Datum

VALUES: dict[str, tuple[Datum | None, list[str | bytes]]] = {
    "nothing set": (None, []),
    "set to None": (Datum(None, None), []),
    "text": (Datum("a", "string"), ["a"]),
    "text that looks like a list is one message": (Datum('["a"]', "string"), ['["a"]']),
    "bytes": (Datum(b"a", "bytes"), [b"a"]),
    "a list": (Datum(["a", {"b": 1}], "list"), ["a", '{"b": 1}']),
    "an empty list": (Datum([], "list"), []),
    "an object": (Datum({"a": 1}, "dict"), ['{"a": 1}']),
    "a list as the converter writes it": (Datum('["a", "b"]', "json"), ["a", "b"]),
    "an object as the converter writes it": (Datum('{"a": 1}', "json"), ['{"a": 1}']),
    "a number": (Datum(3, "int"), ["3"]),
}


@pytest.mark.parametrize(("datum", "expected"), VALUES.values(), ids=VALUES)
def test_becomes_messages(datum: Datum | None, expected: list[str | bytes]) -> None:
    assert messages(datum) == expected
