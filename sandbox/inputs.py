"""What the sandbox's controls say to a request they cannot use."""

from typing import Any


class InputError(ValueError):
    """A control request is wrong; the text says what to write instead."""


def json_object(given: object, what: str) -> dict[str, Any]:
    """The JSON object that was given. Raises InputError for anything else."""
    if not isinstance(given, dict):
        raise InputError(f"{what} must be a JSON object")
    return given
