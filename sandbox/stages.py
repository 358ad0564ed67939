"""What a variant may lay hands on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox.forge import Forge
from sandbox.gitlab import GitLab
from sandbox.keycloak import Keycloak
from sandbox.kubernetes_objects import Objects
from sandbox.vaults import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One environment, as it is now."""

    environment: str
    forge: Forge
    objects: Objects
    """Of the present build."""
    vault: Opened
    keycloak: Keycloak
    gitlab: GitLab


type Variant = Callable[[Stage], Awaitable[None]]
"""Breaks one thing. The first line of its docstring says which."""
