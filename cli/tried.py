"""One thing that `reconverge doctor` tried, and what came of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cli.exits import Exit
from cli.output import Style
from shared.model import Absent, Unknown
from shared.permissions import AzureNeed, GitHubNeed, KeycloakNeed, KubernetesNeed, VaultNeed

PLACEHOLDER: Final = "00000000-0000-0000-0000-000000000000"
"""What samples and manifests say where only the platform's owner knows the id."""
SHOWN: Final = 6
"""Of what is more than needed. Whoever holds `*` holds more than a line can say."""
STYLES: Final = {Exit.CONVERGED: Style.GOOD, Exit.DIFFERENCES: Style.OPEN}
WORDS: Final = {
    Exit.CONVERGED: "ok",
    Exit.DIFFERENCES: "differs",
    Exit.WRONG_USE: "wrong",
    Exit.COULD_NOT_TELL: "not known",
}


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    exit: Exit
    says: str
    remedy: str = ""
    note: bool = False
    """Only to be known: nothing is wrong, and nothing is missing."""

    @property
    def word(self) -> str:
        return "note" if self.note else WORDS[self.exit]

    @property
    def style(self) -> Style:
        return Style.FAINT if self.note else STYLES.get(self.exit, Style.BAD)


# -- words about permissions --------------------------------------------------------------


def by(missing: Iterable[AzureNeed | KubernetesNeed | VaultNeed | GitHubNeed | KeycloakNeed]) -> str:
    """The responders that need it."""
    return ", ".join(dict.fromkeys(responder for one in missing for responder in one.by))


def unread(system: str, name: str, read: Absent | Unknown, remedy: str) -> Check:
    """What could not be asked is not known, and never missing."""
    if isinstance(read, Absent):
        says = f"{name}: what is granted was not asked, since it does not exist"
        return Check(system, Exit.CONVERGED, says, note=True)
    says = f"{name}: what is granted could not be read: {read.why}"
    return Check(system, Exit.COULD_NOT_TELL, says, remedy)


def more_than_needed(system: str, name: str, more: Sequence[str]) -> Check:
    rest = f" and {len(more) - SHOWN} more" if len(more) > SHOWN else ""
    says = f"{name}: more than needed: {', '.join(more[:SHOWN])}{rest}"
    return Check(system, Exit.CONVERGED, says, note=True)
