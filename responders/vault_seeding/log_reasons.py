"""What a log says, as reason codes. Pure.

Promises: nothing of the log is ever repeated. A cause is made of words that stand here, and of secrets' names
that the landscape declares; whatever else the text holds, a secret above all, stays out of it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final, NamedTuple

from responders.vault_seeding.reasons import Reason

LONGEST: Final = 256 * 1024
"""Characters that are looked at, from the end: what went wrong last stands there."""


class Cause(NamedTuple):
    reason: Reason
    detail: str = ""
    """A code of Entra, or a declared secret's name."""


# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
ENTRA: Final[Mapping[str, Reason]] = {
    "AADSTS70021": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "AADSTS700211": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "AADSTS700212": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "AADSTS700213": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "AADSTS7002138": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "AADSTS50166": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "AADSTS501661": Reason.BOOTSTRAP_IDENTITY_REFUSED,
    "AADSTS700016": Reason.BOOTSTRAP_IDENTITY_UNKNOWN,
    "AADSTS90002": Reason.BOOTSTRAP_IDENTITY_UNKNOWN,
}
_ENTRA: Final = re.compile(r"AADSTS\d{5,9}", re.ASCII)
_LACKS: Final = re.compile(
    r"missing required key vault secret:?\s+[\"']?([0-9A-Za-z-]{1,127})(?![0-9A-Za-z-])", re.IGNORECASE
)

TEXTS: Final[Mapping[Reason, str]] = {
    Reason.BOOTSTRAP_ROLE_MISSING: r"\bForbiddenByRbac\b",
    # The variable alone is no sign: a shell that traces its commands names it every time.
    Reason.BOOTSTRAP_TOKEN_FILE_MISSING: r"(?:missing|no) AZURE_FEDERATED_TOKEN_FILE"
    r"|AZURE_FEDERATED_TOKEN_FILE\W{0,3}(?: \w+){0,3}\W{0,2}(?:not set|unset|missing|required|unbound|empty)",
    Reason.BOOTSTRAP_MET_SEALED_VAULT: r"\bVault is sealed\b",
    Reason.BOOTSTRAP_AUDIENCE_REFUSED: r"\binvalid audience\b",
    Reason.BOOTSTRAP_DENIED_BY_VAULT: r"\bpermission denied\b",
    Reason.BOOTSTRAP_UNREACHABLE: (
        r"\bconnection refused\b|\bno such host\b|\bcould not resolve host\b|\bi/o timeout\b"
    ),
}
"""What tells of each, in any letter case."""


def causes(text: str, names: Collection[str]) -> tuple[Cause, ...]:
    """Every cause that the text names, each once, in the order of this module's tables.

    names: the secrets that may be named back. A missing one of another name is told without it.
    """
    return tuple(dict.fromkeys(_found(text[-LONGEST:], names)))


def _found(text: str, names: Collection[str]) -> Iterator[Cause]:
    said = set(_ENTRA.findall(text))
    yield from (Cause(reason, code) for code, reason in ENTRA.items() if code in said)
    lacking = {name.lower() for name in _LACKS.findall(text)}
    known = [name for name in names if name.lower() in lacking]
    yield from (Cause(Reason.BOOTSTRAP_LACKS_SECRET, name) for name in known)
    if len(known) < len(lacking):
        yield Cause(Reason.BOOTSTRAP_LACKS_SECRET)
    yield from (Cause(reason) for reason, tells in TEXTS.items() if re.search(tells, text, re.IGNORECASE))


_SAYS: Final[Mapping[Reason, str]] = {
    Reason.BOOTSTRAP_IDENTITY_REFUSED: "Entra refuses the token exchange",
    Reason.BOOTSTRAP_IDENTITY_UNKNOWN: "Entra knows no such application",
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
