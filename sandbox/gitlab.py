"""GitLab of one environment in one build of the cluster: what is outside its pods, and which pods serve.

Everything here is fresh with each build, as it lives on volumes that go with the cluster.
"""

import base64
from dataclasses import dataclass, field
from enum import StrEnum, auto
from typing import Protocol

from sandbox.kubernetes_objects import Objects
from sandbox.kubernetes_resources import SECRETS
from sandbox.postgres import Postgres

CREDENTIALS = "gitlab-db-credentials"


class Gateway(StrEnum):
    """What the platform's edge does with a request for GitLab."""

    OPEN = auto()
    NO_ROUTE = auto()
    """It knows nobody who would answer there."""
    RESTRICTED = auto()
    """It lets nobody through who is not on its list."""
    CIRCLE = auto()
    """It redirects every request to its own address."""
    CUT = auto()
    """It ends the connection without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a browser is answered."""

    status: int
    text: str = ""
    location: str | None = None
    """Where a redirect leads, as a path of GitLab or an address of somebody else."""


class Serving(Protocol):
    """A pod of webservice that runs."""

    def answer(self, method: str, path: str, client: str) -> Page:
        """client: the caller's IP address"""


@dataclass(slots=True, kw_only=True)
class GitLab:
    objects: Objects
    namespace: str
    postgres: Postgres
    storage_knows_us: bool = True
    """The object storage has the user whose keys GitLab presents."""
    gateway: Gateway = Gateway.OPEN
    serving: dict[str, Serving] = field(default_factory=dict)
    """By pod."""

    def answer(self, method: str, path: str, client: str) -> Page | None:
        """None: nobody serves."""
        first = next(iter(self.serving.values()), None)
        return first.answer(method, path, client) if first else None


def new_gitlab(objects: Objects, namespace: str) -> GitLab:
    """As it is when the cluster was built: databases without tables."""

    def password() -> str | None:
        held = objects.get(SECRETS, namespace, CREDENTIALS) or {}
        encoded = (held.get("data") or {}).get("password")
        return base64.b64decode(encoded).decode() if encoded is not None else None

    return GitLab(objects=objects, namespace=namespace, postgres=Postgres(namespace, password))
