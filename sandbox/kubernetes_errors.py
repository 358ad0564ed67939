"""Refusals of the Kubernetes API, as Status objects.

The texts are those of k8s.io/apimachinery/pkg/api/errors; clients show them as they are.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.kubernetes_resources import Resource


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong."""

    field: str
    message: str
    reason: str


class StatusError(Exception):
    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.details = details

    def body(self) -> dict[str, Any]:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            **({"details": self.details} if self.details else {}),
            "code": self.code,
        }


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource, name: str, message: str) -> StatusError:
    subject = f'{qualified(resource)} "{name}"' if name else qualified(resource)
    return StatusError(403, "Forbidden", f"{subject} is forbidden: {message}", _details(resource, name))


def not_found(resource: Resource, name: str) -> StatusError:
    return StatusError(404, "NotFound", f'{qualified(resource)} "{name}" not found', _details(resource, name))


def no_such_path() -> StatusError:
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def method_not_allowed() -> StatusError:
    return StatusError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
    )


def already_exists(resource: Resource, name: str) -> StatusError:
    return StatusError(
        409, "AlreadyExists", f'{qualified(resource)} "{name}" already exists', _details(resource, name)
    )


def conflict(resource: Resource, name: str, message: str = "") -> StatusError:
    said = message or (
        "the object has been modified; please apply your changes to the latest version and try again"
    )
    return StatusError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {qualified(resource)} "{name}": {said}',
        _details(resource, name),
    )


def gone(message: str) -> StatusError:
    return StatusError(410, "Expired", message)


def unsupported_media_type(accepted: Iterable[str]) -> StatusError:
    return StatusError(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(accepted),
    )


def invalid(resource: Resource, name: str, causes: Iterable[Cause]) -> StatusError:
    """422, with every field that is wrong."""
    found = tuple(causes)
    said = ", ".join(f"{cause.field}: {cause.message}" for cause in found)
    if len(found) > 1:
        said = f"[{said}]"
    kind = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    details = {
        **_details(resource, name),
        "kind": resource.kind,
        "causes": [asdict(cause) for cause in found],
    }
    return StatusError(422, "Invalid", f'{kind} "{name}" is invalid: {said}', details)


def qualified(resource: Resource) -> str:
    """The resource as refusals name it, with its group."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _details(resource: Resource, name: str) -> dict[str, Any]:
    named = {"name": name, "group": resource.group, "kind": resource.plural}
    return {key: value for key, value in named.items() if value}
