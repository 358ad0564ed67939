"""What a cluster holds of Jobs, pods, realm imports, ConfigMaps and Secrets, without any value of a Secret;
and one write: a Job deleted and made again as it was.

Texts of logs may hold anything. They are for shared.failure_texts and the responders' own tables of reasons:
never to be kept, shown or put into an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.clients.cluster_api import JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A Job."""

    name: str
    uid: str
    labels: Mapping[str, str]
    hook: str
    """Annotation argocd.argoproj.io/hook; empty where it has none."""
    wave: int
    """Annotation argocd.argoproj.io/sync-wave; 0 where it has none."""
    state: JobState
    reason: str
    """Of the condition Failed, such as BackoffLimitExceeded; else empty."""
    created: datetime | None
    started: datetime | None
    completed: datetime | None
    """Of a Job that succeeded."""
    deleting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    name: str
    labels: Mapping[str, str]
    created: datetime | None
    phase: str
    ready: bool
    waiting: tuple[tuple[str, str], ...]
    """Container and reason, such as (`dependencies`, `CrashLoopBackOff`): init containers first."""
    initialised: bool
    """Its init containers are done."""
    containers: tuple[str, ...]
    """Names of those that have begun and so have a log, init containers first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmImport:
    """A KeycloakRealmImport of k8s.keycloak.org/v2alpha1, as its conditions tell."""

    name: str
    done: bool
    started: bool
    errors: bool
    created: datetime | None
    since: datetime | None
    """When the newest of its true conditions came about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a Secret."""

    empty: bool
    placeholder: bool
    """It is one of the fixture values that were declared."""
    published: bool | None
    """Whether the published digest is that of the value; None where none was given to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialised:
    """A Secret, by its keys. The values are dropped in this client."""

    entries: Mapping[str, Entry]
    created: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A ConfigMap."""

    name: str
    labels: Mapping[str, str]
    data: Mapping[str, str]
    created: datetime | None
