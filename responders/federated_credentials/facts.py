"""What the checks of federated credentials rest on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from shared.landscape import Contract, DeclaredCredential
from shared.model import Cluster, Credential, Identity, Read

FIGHT_WITHIN: Final = timedelta(days=1)
"""The time within which values that are put back again and again make a fight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write of ours to one credential, from the journal."""

    at: datetime
    run: str
    before: Mapping[str, str] | None
    after: Mapping[str, str]
    confirmed: bool = False
    """ARM answered that it was done, or it read as done later. Else it may or may not have happened."""
    proven: bool = False
    """A later proof of the same object was accepted."""

    def plain(self) -> dict[str, Any]:
        """As a proof's `write`."""
        return {**asdict(self), "at": self.at.isoformat()}

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "at": datetime.fromisoformat(data["at"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One declared identity: what it must hold, and what it holds."""

    id: str
    declared: tuple[DeclaredCredential, ...]
    elsewhere: frozenset[str]
    """Names that other environments declare on it, in lower case."""
    trusted_issuers: frozenset[str]
    identity: Read[Identity]
    credentials: Read[tuple[Credential, ...]]
    writes: Mapping[str, tuple[Write, ...]]
    """Our writes of late, and older ones that are not proven yet, by credential name, oldest first."""
    others: Mapping[str, tuple[str, ...]]
    """Who else wrote each credential since our first write, as events told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    environment: str
    clusters: Mapping[str, Read[Cluster]]
    """By declared name."""
    cluster_ids: Mapping[str, str]
    live_issuers: frozenset[str]
    """Of every cluster that was read, here."""
    holdings: tuple[Holding, ...]
    contract: Contract
    own_identity: str
    own_object_id: str


def credential_id(identity_id: str, name: str) -> str:
    """The ARM id of a credential."""
    return f"{identity_id}/federatedIdentityCredentials/{name}"
