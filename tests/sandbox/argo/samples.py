"""Applications that fail, and what Go printed for them."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

_DOCUMENT: Final = json.loads(
    (Path(__file__).parents[2] / "samples" / "argo" / "printed_by_go.json").read_text()
)
APPLICATIONS: Final[dict[str, dict[str, Any]]] = _DOCUMENT["applications"]
CASES: Final[list[dict[str, Any]]] = _DOCUMENT["cases"]

FAILED: Final = "failed"
"""An operation failed at a revision, and the Application is Degraded."""
NEVER_SYNCED: Final = "never synced, and not comparable"
MULTI_SOURCE: Final = "failed, of several sources"


def application(name: str, **status: Any) -> dict[str, Any]:
    """A copy of a sample, with parts of its status replaced."""
    copy = deepcopy(APPLICATIONS[name])
    copy.setdefault("status", {}).update(status)
    return copy


def ended(application: dict[str, Any], phase: str, at: str, **more: Any) -> dict[str, Any]:
    """The Application after an operation that began at that time of the day, and was looked at since."""
    operation = {**application["status"].get("operationState", {}), **more}
    operation |= {"phase": phase, "startedAt": f"2026-11-26T{at}:00Z", "finishedAt": f"2026-11-26T{at}:30Z"}
    return _with(application, operationState=operation, reconciledAt=f"2026-11-26T{at}:31Z")


def running(application: dict[str, Any], at: str) -> dict[str, Any]:
    return _with(application, operationState={"phase": "Running", "startedAt": f"2026-11-26T{at}:00Z"})


def _with(application: dict[str, Any], **status: Any) -> dict[str, Any]:
    return {**application, "status": {**application["status"], **status}}
