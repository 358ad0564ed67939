"""Refusals of GitHub's REST API, in its words.

https://docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

REST: Final = "https://docs.github.com/rest"


class GitHubError(Exception):
    def __init__(
        self,
        status: int,
        message: str,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors
        self.headers = dict(headers or {})

    def body(self, documentation: str) -> dict[str, Any]:
        """documentation: the address of the endpoint's documentation"""
        errors = {"errors": list(self.errors)} if self.errors else {}
        said = {"message": str(self), **errors}
        return {**said, "documentation_url": documentation, "status": str(self.status)}


def not_found() -> GitHubError:
    """Also for what the token may not see: which of both is not told."""
    return GitHubError(404, "Not Found")


def missing(field: str) -> GitHubError:
    return GitHubError(422, f'Invalid request.\n\n"{field}" wasn\'t supplied.')


def invalid(resource: str, field: str) -> GitHubError:
    return GitHubError(422, "Validation Failed", [{"resource": resource, "field": field, "code": "invalid"}])


def refused(resource: str, why: str) -> GitHubError:
    """For a rule that has no code of its own."""
    return GitHubError(422, "Validation Failed", [{"resource": resource, "code": "custom", "message": why}])
