"""What a key vault keeps: secrets with their versions, deleted ones until they are purged. Knows no HTTP."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.timeline import Clock

type Json = dict[str, Any]

RECOVERABLE_DAYS = 90


class VaultError(Exception):
    """A refusal as Key Vault words it."""

    def __init__(self, status: int, code: str, message: str, inner: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.inner = inner

    def body(self) -> Json:
        error: Json = {"code": self.code, "message": self.message}
        if self.inner:
            error["innererror"] = {"code": self.inner}
        return {"error": error}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a secret. Times are seconds since 1970."""

    id: str
    value: str = field(repr=False)
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    created: int
    updated: int


@dataclass(slots=True)
class Held:
    """A secret: its versions, oldest first."""

    name: str
    """As it was first written; names are compared without regard to letter case."""
    versions: list[Version]


class Secrets:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, Held] = {}
        self._deleted: dict[str, Held] = {}

    def all(self) -> list[Held]:
        return [self._held[key] for key in sorted(self._held)]

    def all_deleted(self) -> list[Held]:
        return [self._deleted[key] for key in sorted(self._deleted)]

    def find(self, name: str) -> Held:
        """Raises VaultError (404)."""
        held = self._held.get(name.lower())
        if held is None:
            raise _not_found(name)
        return held

    def find_deleted(self, name: str) -> Held:
        """Raises VaultError (404)."""
        held = self._deleted.get(name.lower())
        if held is None:
            raise VaultError(404, "SecretNotFound", f"Deleted Secret not found: {name}")
        return held

    def version(self, name: str, version: str) -> Version:
        """The version of that id, or without one the newest. Raises VaultError (404)."""
        held = self.find(name)
        for one in reversed(held.versions):
            if version in ("", one.id):
                return one
        raise _not_found(f"{name}/{version}")

    def readable(self, name: str, version: str) -> Version:
        """The version, if its value may be read now. Raises VaultError (404, and 403 for a disabled one)."""
        one = self.version(name, version)
        if not one.enabled:
            raise VaultError(
                403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled"
            )
        return one

    def set(self, name: str, value: str, given: Mapping[str, Any]) -> Version:
        """A new version. Raises VaultError (409) while the name belongs to a deleted secret."""
        if name.lower() in self._deleted:
            raise VaultError(
                409,
                "Conflict",
                f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be "
                "reused; in this state, the secret can only be recovered or purged.",
                "ObjectIsDeletedButRecoverable",
            )
        now = self._now()
        fresh = _changed(Version(id=uuid.uuid4().hex, value=value, created=now, updated=now), given, now)
        self._held.setdefault(name.lower(), Held(name, [])).versions.append(fresh)
        return fresh

    def update(self, name: str, version: str, given: Mapping[str, Any]) -> Version:
        """Change the attributes of a version, not its value. Raises VaultError (404)."""
        held, one = self.find(name), self.version(name, version)
        changed = _changed(one, given, self._now())
        held.versions[held.versions.index(one)] = changed
        return changed

    def delete(self, name: str) -> Held:
        """Soft: the name stays taken. Raises VaultError (404)."""
        held = self.find(name)
        self._deleted[name.lower()] = self._held.pop(name.lower())
        return held

    def recover(self, name: str) -> Held:
        """Raises VaultError (404)."""
        held = self.find_deleted(name)
        self._held[name.lower()] = self._deleted.pop(name.lower())
        return held

    def purge(self, name: str) -> None:
        """Raises VaultError (404)."""
        self.find_deleted(name)
        del self._deleted[name.lower()]

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _changed(version: Version, given: Mapping[str, Any], now: int) -> Version:
    attributes = given.get("attributes") or {}
    return replace(
        version,
        enabled=bool(attributes.get("enabled", version.enabled)),
        not_before=attributes.get("nbf", version.not_before),
        expires=attributes.get("exp", version.expires),
        content_type=given.get("contentType", version.content_type),
        tags=dict(given.get("tags") or version.tags),
        updated=now,
    )


def _not_found(name: str) -> VaultError:
    return VaultError(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this "
        "secret you may be able to recover it using the correct recovery command.",
    )
