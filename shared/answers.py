"""What a person or a system is answered over HTTP. Knows nothing of azure.functions.

Errors are problem+json (RFC 9457): what was wrong, and what to send instead.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TITLES: Final = {
    400: "Not understood",
    401: "Not known to us",
    404: "Not known",
    405: "Not that way",
    409: "Not as it was",
    413: "Too large",
    500: "Cannot be done",
    503: "Not now",
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str
    mimetype: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Answer:
    """status: one of TITLES."""
    body = json.dumps({"type": "about:blank", "title": TITLES[status], "status": status, "detail": detail})
    return Answer(status, body, "application/problem+json", headers or {})


def told(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(body, ensure_ascii=False), headers=headers or {})
