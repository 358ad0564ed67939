"""A statement of GitHub's documentation on one call, and how it is held."""

import base64
from dataclasses import dataclass
from typing import Any, Final

from tests.sandbox.github.served import Place

NOWHERE: Final = "0" * 39 + "1"
WHEN: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Says:
    """One call, and how it is answered."""

    documentation: str
    method: str
    path: str
    status: int
    message: str = ""
    body: Any = None
    errors: str = ""
    """Part of an entry of `errors`."""


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


NEW: Final = {"message": "m", "content": encoded("x")}


def refused(place: Place, says: Says) -> None:
    answer = place.ask(says.method, says.path, says.body)
    body = answer.json()
    assert (answer.status_code, body["message"]) == (says.status, says.message)
    assert body["documentation_url"] == f"https://docs.github.com/rest/{says.documentation}"
    assert body["status"] == str(says.status)
    assert says.errors in str(body.get("errors", ""))
