"""What the log of one of the realm's Jobs says, as reason codes. Pure.

Promises: nothing of a log is ever repeated. A cause is made of words that stand here and of clients that the
landscape declares; whatever else the text holds, a secret above all, stays out of it.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from enum import Enum
from typing import Final, NamedTuple

from responders.keycloak_bootstrap.reasons import Reason
from shared.failure_texts import TABLE
from shared.failure_texts.model import FailureText
from shared.failure_texts.reading import read

LONGEST: Final = 64 * 1024
"""Characters that are looked at, from the end: what went wrong last stands there."""


class Of(Enum):
    """Whose log it is."""

    BOOTSTRAP = "the master bootstrap"
    PATCHER = "the client patcher"


class Cause(NamedTuple):
    reason: Reason
    detail: str = ""
    """A declared client."""


MEANS: Final[Mapping[Of, Mapping[str, Reason]]] = {
    Of.BOOTSTRAP: {
        "BootstrapAdminRefused": Reason.BOOTSTRAP_ADMIN_REFUSED,
        "BootstrapUnreachable": Reason.KEYCLOAK_NOT_REACHED_BY_JOB,
    },
    Of.PATCHER: {
        "KeycloakForbidden": Reason.KEYCLOAK_FORBIDDEN,
        # The patcher logs in as its own client, and where that fails as the administrator.
        "ClientSecretRefused": Reason.PATCHER_LOGIN_REFUSED,
        "BootstrapAdminRefused": Reason.PATCHER_LOGIN_REFUSED,
        "PatcherWithoutToken": Reason.PATCHER_WITHOUT_TOKEN,
        "PatcherSkippedClient": Reason.PATCHER_SKIPPED_CLIENT,
        "BootstrapDeniedByVault": Reason.PATCHER_DENIED_BY_VAULT,
        "VaultSealed": Reason.PATCHER_MET_SEALED_VAULT,
        "BootstrapUnreachable": Reason.KEYCLOAK_NOT_REACHED_BY_JOB,
    },
}
"""What a fault of the one table of failure texts means in such a log."""

_ROWS: Final[Mapping[str, FailureText]] = {row.code: row for row in TABLE}
_UNAUTHORISED: Final = re.compile(r"\b401 unauthorized\b", re.IGNORECASE)
"""Keycloak's status for a login, in the words of whoever prints no body. Everybody else has it too."""
_KEYCLOAKS: Final = re.compile(
    r"/protocol/openid-connect/token\b|://keycloak\b|(?<![\w./-])keycloak(?![\w/-])", re.IGNORECASE
)
"""By its token endpoint, as a host, or as a word: registries and Vault have paths that are called so."""
_NOT_OF_A_LOGIN: Final = re.compile(
    r"\bvault\b|/v[12]/|/admin/realms/|\bAADSTS[0-9]|\bmicrosoftonline\b", re.IGNORECASE
)
"""A line of Vault, of a registry, of Entra, or of Keycloak's API, which refuses a token that ran out."""
_ENTERED: Final = re.compile(
    r"\blogged in\b|\blogin (?:succeeded|successful)\b|\btoken (?:acquired|obtained|received)\b"
    r"|\b(?:acquired|obtained|got) (?:an? |the )?(?:\w{1,20} )?token\b|\bwritten successfully\b"
    r"|\bcreated new client\b",
    re.IGNORECASE,
)
_NEGATED: Final = re.compile(r"\b(?:not|no|never|cannot|failed|unable)\b", re.IGNORECASE)
_LOGINS: Final[Mapping[Of, Reason]] = {
    Of.BOOTSTRAP: Reason.BOOTSTRAP_ADMIN_REFUSED,
    Of.PATCHER: Reason.PATCHER_LOGIN_REFUSED,
}
_WITHOUT_LOGIN: Final = frozenset({*_LOGINS.values(), Reason.PATCHER_WITHOUT_TOKEN})
"""What does not tell that somebody was let in."""


def causes(text: str, of: Of, clients: Collection[str]) -> tuple[Cause, ...]:
    """Every cause that the text names, each once, in the order of this module's tables.

    clients: those that may be named back. A skipped one of another name is told without it.
    """
    return tuple(dict.fromkeys(_found(text[-LONGEST:], of, clients)))


def _found(text: str, of: Of, clients: Collection[str]) -> Iterator[Cause]:
    refused = _is_refused(text, of)
    for code, reason in MEANS[of].items():
        row = _ROWS[code]
        if reason is Reason.PATCHER_SKIPPED_CLIENT and row.in_log:
            yield from _skipped(set(row.in_log.findall(text)), clients)
        elif refused if reason is _LOGINS[of] else _tells(row, text):
            yield Cause(reason)


def _is_refused(text: str, of: Of) -> bool:
    """Whether a login is what failed in the end. The patcher tries its own client first and the administrator
    then, so that a later line may tell that one of them was let in, or failed of something else."""
    # Few logs have a sign of it anywhere, and then each line of a long one need not be looked at.
    if not (_UNAUTHORISED.search(text) or any(_tells(row, text) for row in _logins(of))):
        return False
    for line in filter(str.strip, reversed(text.splitlines())):
        if _refuses(line, of):
            return True
        if _decides_otherwise(line, of):
            return False
    return False


def _refuses(line: str, of: Of) -> bool:
    if _NOT_OF_A_LOGIN.search(line):
        return False
    if _UNAUTHORISED.search(line) and _KEYCLOAKS.search(line):
        return True
    return any(_tells(row, line) for row in _logins(of))


def _logins(of: Of) -> tuple[FailureText, ...]:
    return tuple(_ROWS[code] for code, reason in MEANS[of].items() if reason is _LOGINS[of])


def _decides_otherwise(line: str, of: Of) -> bool:
    if _ENTERED.search(line) and not _NEGATED.search(line):
        return True
    others = (_ROWS[code] for code, reason in MEANS[of].items() if reason not in _WITHOUT_LOGIN)
    return any(_tells(row, line) for row in others)


def _skipped(names: Collection[str], clients: Collection[str]) -> Iterator[Cause]:
    known = [name for name in clients if name in names]
    yield from (Cause(Reason.PATCHER_SKIPPED_CLIENT, name) for name in known)
    if len(known) < len(names):
        yield Cause(Reason.PATCHER_SKIPPED_CLIENT)


def _tells(row: FailureText, text: str) -> bool:
    return bool(row.in_log.search(text)) if row.in_log else row.reads(read(text)) is not None


_SAYS: Final[Mapping[Reason, str]] = {
    Reason.KEYCLOAK_FORBIDDEN: "Keycloak's admin API answers 403",
    Reason.PATCHER_DENIED_BY_VAULT: "Vault says permission denied",
    Reason.PATCHER_MET_SEALED_VAULT: "Vault is sealed",
    Reason.KEYCLOAK_NOT_REACHED_BY_JOB: "a connection could not be made",
    Reason.BOOTSTRAP_ADMIN_REFUSED: "Keycloak does not take the administrator's login",
    Reason.PATCHER_LOGIN_REFUSED: "Keycloak does not take the patcher's login",
    Reason.PATCHER_WITHOUT_TOKEN: "no token was available",
    Reason.PATCHER_SKIPPED_CLIENT: "a client was not found and skipped",
}


def said(cause: Cause) -> str:
    """A cause in words."""
    return f"{_SAYS[cause.reason]} ({cause.detail})" if cause.detail else _SAYS[cause.reason]
