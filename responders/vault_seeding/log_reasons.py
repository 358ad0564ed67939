"""What a log says, as reason codes. Pure.

Promises: nothing of the log is ever repeated. A cause is made of words that stand here, and of secrets' names
that the landscape declares; whatever else the text holds, a secret above all, stays out of it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from responders.vault_seeding.reasons import Reason
from shared.failure_texts import TABLE

LONGEST: Final = 256 * 1024
"""Characters that are looked at, from the end: what went wrong last stands there."""


class Cause(NamedTuple):
    reason: Reason
    detail: str = ""
    """A code of Entra, or a declared secret's name."""


MEANS: Final[Mapping[str, Reason]] = {
    "CredentialMissing": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "IssuerStale": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "AudienceDiffers": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "SubjectDiffers": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "IssuerUnreachable": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "FactDiffers": Reason.BOOTSTRAP_IDENTITY_UNKNOWN,
    "TenantUnknown": Reason.BOOTSTRAP_IDENTITY_UNKNOWN,
    "BootstrapRoleMissing": Reason.BOOTSTRAP_ROLE_MISSING,
    "BootstrapTokenFileMissing": Reason.BOOTSTRAP_TOKEN_FILE_MISSING,
    "BootstrapLacksSecret": Reason.BOOTSTRAP_LACKS_SECRET,
    "VaultSealed": Reason.BOOTSTRAP_MET_SEALED_VAULT,
    "BootstrapAudienceRefused": Reason.BOOTSTRAP_AUDIENCE_REFUSED,
    "BootstrapDeniedByVault": Reason.BOOTSTRAP_DENIED_BY_VAULT,
    "BootstrapUnreachable": Reason.BOOTSTRAP_UNREACHABLE,
}
"""What a fault of the one table of failure texts means for the bootstrap whose log tells of it."""

_OF_THE_EXCHANGE: Final = (
    "AADSTS7002121",  # another audience
    "AADSTS7002131",  # another subject
    "AADSTS7002137",  # the same
    "AADSTS700024",   # a token that has expired
    "AADSTS50013",    # its signature, while the issuer's keys change
    "AADSTS700222",   # a token that Entra issued itself
)  # fmt: skip
"""What a refused exchange is told by as well, beside the table's rows.
https://learn.microsoft.com/entra/identity-platform/reference-error-codes"""
ENTRA: Final[Mapping[str, Reason]] = {
    **{code: MEANS[row.code] for row in TABLE if row.code in MEANS for code in row.their_codes},
    **dict.fromkeys(_OF_THE_EXCHANGE, Reason.BOOTSTRAP_IDENTITY_REFUSED),
}
_ENTRA: Final = re.compile(r"AADSTS\d{5,9}", re.ASCII)
_ANY_OF_ENTRA: Final = re.compile(r"\bAADSTS\d{5,7}(?=: )", re.ASCII)
"""As Entra begins its text. Whatever else is written behind these letters is not shown."""

TEXTS: Final[Mapping[Reason, re.Pattern[str]]] = {
    MEANS[row.code]: row.in_log for row in TABLE if row.code in MEANS and row.in_log
}
"""What tells of each in this log."""


def causes(text: str, names: Collection[str]) -> tuple[Cause, ...]:
    """Every cause that the text names, each once, in the order of this module's tables.

    names: the secrets that may be named back. A missing one of another name is told without it.
    """
    return tuple(dict.fromkeys(_found(text[-LONGEST:], names)))


def _found(text: str, names: Collection[str]) -> Iterator[Cause]:
    said = set(_ENTRA.findall(text))
    yield from (Cause(reason, code) for code, reason in ENTRA.items() if code in said)
    others_of_entra = sorted({*_ANY_OF_ENTRA.findall(text)} - ENTRA.keys())
    yield from (Cause(Reason.BOOTSTRAP_REFUSED_BY_ENTRA, code) for code in others_of_entra)
    lacking = {name.lower() for name in TEXTS[Reason.BOOTSTRAP_LACKS_SECRET].findall(text)}
    known = [name for name in names if name.lower() in lacking]
    yield from (Cause(Reason.BOOTSTRAP_LACKS_SECRET, name) for name in known)
    if len(known) < len(lacking):
        yield Cause(Reason.BOOTSTRAP_LACKS_SECRET)
    others = (reason for reason in TEXTS if reason is not Reason.BOOTSTRAP_LACKS_SECRET)
    yield from (Cause(reason) for reason in others if TEXTS[reason].search(text))


_SAYS: Final[Mapping[Reason, str]] = {
    Reason.BOOTSTRAP_IDENTITY_REFUSED: "Entra refuses the token exchange",
    Reason.BOOTSTRAP_IDENTITY_UNKNOWN: "Entra knows no such application",
    Reason.BOOTSTRAP_REFUSED_BY_ENTRA: "Entra answers with a code of its own",
    Reason.BOOTSTRAP_ROLE_MISSING: "Key Vault answers ForbiddenByRbac",
    Reason.BOOTSTRAP_LACKS_SECRET: "a required Key Vault secret is missing",
    Reason.BOOTSTRAP_TOKEN_FILE_MISSING: "AZURE_FEDERATED_TOKEN_FILE is missing",
    Reason.BOOTSTRAP_MET_SEALED_VAULT: "Vault is sealed",
    Reason.BOOTSTRAP_AUDIENCE_REFUSED: "Vault says invalid audience",
    Reason.BOOTSTRAP_DENIED_BY_VAULT: "Vault says permission denied",
    Reason.BOOTSTRAP_UNREACHABLE: "a connection could not be made",
}


def said(cause: Cause) -> str:
    """A cause in words."""
    return f"{_SAYS[cause.reason]} ({cause.detail})" if cause.detail else _SAYS[cause.reason]
