"""What the checks and the plan look at: each declared field, beside what is published and what is true.

Pure, like all that rests on it.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from responders.runtime_facts.facts import Facts, Published
from shared.landscape import DeclaredFact, Truth
from shared.model import Known, Read, Unknown
from shared.proposals import HIDDEN, change_id
from shared.yaml_documents import Document, Field, Missing, NotYamlError, Scalar


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The resource is in another subscription than every live cluster of the environment."""

    subscription: str


class Case(NamedTuple):
    """One declared field."""

    reference: str
    field: str
    declared: DeclaredFact
    found: Field
    truth: Read[str] | Elsewhere

    @property
    def resource(self) -> str:
        return self.declared.id or ""

    @property
    def empty(self) -> bool:
        return isinstance(self.found, Missing) or self.found == Scalar("", is_text=True)

    @property
    def rightly_empty(self) -> bool:
        """Left out on purpose, which no resource can contradict."""
        return self.empty and self.declared.may_be_empty

    @property
    def well_formed(self) -> bool:
        found = self.found
        return isinstance(found, Scalar) and found.is_text and _FORMS[self.declared.source](found.text)

    @property
    def shown(self) -> str:
        """The published value as far as it may be shown: one that is malformed may be a secret that went into
        the wrong place."""
        if not isinstance(self.found, Scalar):
            return ""
        return self.found.text if self.well_formed else HIDDEN.format(length=len(self.found.text))

    @property
    def right(self) -> bool:
        # Azure compares none of these values by letter case, and tools spell them differently.
        return (
            self.well_formed
            and isinstance(self.found, Scalar)
            and isinstance(self.truth, Known)
            and self.found.text.lower() == self.truth.value.lower()
        )

    @property
    def wants(self) -> str | None:
        """The value that the field must get; None where it is right, or nobody may change it."""
        changeable = isinstance(self.found, Scalar | Missing) and not self.rightly_empty and not self.right
        return self.truth.value if changeable and isinstance(self.truth, Known) else None


@dataclass(frozen=True)
class Reading:
    """One file, as far as it could be read, judged against what is true."""

    facts: Facts
    published: Published

    @cached_property
    def reference(self) -> str:
        return self.published.declared.reference

    @cached_property
    def document(self) -> Document | NotYamlError | None:
        """None where there is no file to read."""
        if not isinstance(self.published.file, Known):
            return None
        try:
            return Document(self.published.file.value.text)
        except NotYamlError as error:
            return error

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Nothing without a document, and while no cluster is known to be there."""
        document = self.document
        if not isinstance(document, Document) or not home(self.facts):
            return ()
        return tuple(
            Case(self.reference, path, fact, document.field(path), truth_of(self.facts, fact))
            for path, fact in self.published.declared.fields.items()
        )

    @cached_property
    def whole(self) -> bool:
        """Everything that a change rests on was read. Half a change would be another one."""
        return bool(self.cases) and not any(
            isinstance(case.truth, Unknown) and not case.rightly_empty for case in self.cases
        )

    @cached_property
    def before(self) -> Mapping[str, str]:
        """Of what changes; a missing field has none."""
        return {
            case.field: case.shown for case in self.cases if case.field in self.after and _stands(case.found)
        }

    @cached_property
    def after(self) -> Mapping[str, str]:
        """The new values; empty unless `whole`."""
        return {case.field: case.wants for case in self.cases if case.wants is not None} if self.whole else {}

    @cached_property
    def change(self) -> str | None:
        """The id of the change that the file needs, if any."""
        return change_id(self.reference, self.before, self.after) if self.after else None

    @cached_property
    def wanted_text(self) -> str | None:
        """The file with the change; None where its layout does not allow it."""
        try:
            return self.document.edited(self.after) if isinstance(self.document, Document) else None
        except ValueError:
            return None


def readings(facts: Facts) -> tuple[Reading, ...]:
    return tuple(Reading(facts, published) for published in facts.files)


def cluster_unread(facts: Facts) -> bool:
    """It may be the only live one, or lie in a subscription of its own."""
    return any(isinstance(cluster, Unknown) for cluster in facts.clusters.values())


def home(facts: Facts) -> frozenset[str]:
    """Subscriptions of the environment's live clusters; nothing while one of the clusters is unread."""
    if cluster_unread(facts):
        return frozenset()
    live = [arm_id for arm_id, cluster in facts.clusters.items() if isinstance(cluster, Known)]
    return frozenset(subscription(arm_id) for arm_id in live)


def truth_of(facts: Facts, fact: DeclaredFact) -> Read[str] | Elsewhere:
    """What the field must say."""
    resource = fact.id or ""
    match fact.source:
        case Truth.TENANT_ID:
            return Known(facts.tenant)
        case Truth.SUBSCRIPTION_ID:
            return Known(subscription(resource))
        case Truth.RESOURCE_GROUP:
            return Known(resource.split("/")[4])
    # What a live cluster uses lies beside it: anything else is the pointer that went stale.
    if subscription(resource) not in home(facts):
        return Elsewhere(subscription(resource))
    read = facts.values[fact.source, resource.lower()]
    # Half an answer would empty a fact, or publish what every reader stumbles over.
    if isinstance(read, Known) and not _FORMS[fact.source](read.value):
        return Unknown("what Azure answers has not the form of it")
    return read


def subscription(arm_id: str) -> str:
    return arm_id.lower().split("/")[2]


def _stands(found: Field) -> bool:
    return isinstance(found, Scalar)


# -- forms --------------------------------------------------------------------------------

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
_ADDRESS: Final = re.compile(r"https://[A-Za-z0-9](?:[-.A-Za-z0-9]*[A-Za-z0-9])?(?::[0-9]{1,5})?/?")
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_GROUP: Final = re.compile(r"[-\w.()]{0,89}[-\w()]")


def _guid(text: str) -> bool:
    return bool(_GUID.fullmatch(text))


def _ip_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    # A zone may be any text at all, and has no meaning outside of one computer.
    return getattr(address, "scope_id", None) is None


_FORMS: Final[Mapping[Truth, Callable[[str], bool]]] = {
    Truth.KEY_VAULT_URI: lambda text: bool(_ADDRESS.fullmatch(text)),
    Truth.IDENTITY_CLIENT_ID: _guid,
    Truth.IDENTITY_PRINCIPAL_ID: _guid,
    Truth.PUBLIC_IP_ADDRESS: _ip_address,
    Truth.SUBSCRIPTION_ID: _guid,
    Truth.RESOURCE_GROUP: lambda text: bool(_GROUP.fullmatch(text)),
    Truth.TENANT_ID: _guid,
}
