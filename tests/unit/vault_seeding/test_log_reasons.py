"""What a log is understood to say, and that nothing else of it comes back."""

from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from responders.vault_seeding.log_reasons import ENTRA, TEXTS, Cause, causes, said
from responders.vault_seeding.reasons import REASONS, Reason

NAMES: Final = ("ghcr-username", "ghcr-token")

# As the platform's documents, Entra, Key Vault, Vault and Go's resolver spell them.
LOGS: Final[dict[str, tuple[str, list[Cause]]]] = {
    "nothing": ("", []),
    "a good run": ("vault is unsealed\nseeded 24 keys\nbye", []),
    "a dead issuer": (
        "AADSTS700211: No matching federated identity record found for presented assertion issuer 'https://o/'.",
        [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS700211")],
    ),
    "a wrong subject": ("ERROR AADSTS700213: …", [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS700213")]),
    "the older code": ("AADSTS70021: …", [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS70021")]),
    "an application that is gone": (
        "AADSTS700016: Application with identifier '0' was not found in the directory",
        [Cause(Reason.BOOTSTRAP_IDENTITY_UNKNOWN, "AADSTS700016")],
    ),
    "a token that has expired": (
        "AADSTS700024: Client assertion is not within its valid time range.",
        [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS700024")],
    ),
    "a signature by keys that are too new": (
        "AADSTS50013: Assertion failed signature validation.",
        [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS50013")],
    ),
    "a token of Entra's own": ("AADSTS700222: …", [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS700222")]),
    "a wrong audience by its other code": (
        "AADSTS7002121: …",
        [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS7002121")],
    ),
    "a wrong subject by another code": (
        "AADSTS7002131: …",
        [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS7002131")],
    ),
    "a wrong subject by one more": (
        "AADSTS7002137: …",
        [Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS7002137")],
    ),
    "a code of Entra that says nothing of the identity": (
        "AADSTS90024: RequestBudgetExceededError",
        [Cause(Reason.BOOTSTRAP_REFUSED_BY_ENTRA, "AADSTS90024")],
    ),
    "a code with another code at its beginning": (
        "AADSTS7002119: …",
        [Cause(Reason.BOOTSTRAP_REFUSED_BY_ENTRA, "AADSTS7002119")],
    ),
    "something longer than any code": ("AADSTS123456789: …", []),
    "a number behind Entra's letters that it did not write": ("AADSTS123456 is my password", []),
    "a role that is missing": (
        '{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByRbac"}}}',
        [Cause(Reason.BOOTSTRAP_ROLE_MISSING)],
    ),
    "a missing secret": (
        "missing required Key Vault secret: ghcr-username",
        [Cause(Reason.BOOTSTRAP_LACKS_SECRET, "ghcr-username")],
    ),
    "two of them": (
        "missing required Key Vault secret: ghcr-token\nmissing required Key Vault secret: ghcr-username",
        [
            Cause(Reason.BOOTSTRAP_LACKS_SECRET, "ghcr-username"),
            Cause(Reason.BOOTSTRAP_LACKS_SECRET, "ghcr-token"),
        ],
    ),
    "a missing secret that nobody declared is not named": (
        "missing required Key Vault secret: hunter2",
        [Cause(Reason.BOOTSTRAP_LACKS_SECRET)],
    ),
    "root and symptom of one run": (
        "AADSTS700211: …\nmissing required Key Vault secret: ghcr-username",
        [
            Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS700211"),
            Cause(Reason.BOOTSTRAP_LACKS_SECRET, "ghcr-username"),
        ],
    ),
    "a sealed Vault": ("Code: 503. Errors:\n\n* Vault is sealed", [Cause(Reason.BOOTSTRAP_MET_SEALED_VAULT)]),
    "a policy that denies": (
        "Code: 403. Errors:\n\n* permission denied",
        [Cause(Reason.BOOTSTRAP_DENIED_BY_VAULT)],
    ),
    "an audience that Vault does not take": (
        "invalid audience (aud) claim: audience claim does not match any expected audience",
        [Cause(Reason.BOOTSTRAP_AUDIENCE_REFUSED)],
    ),
    "a pod without its token": (
        "missing AZURE_FEDERATED_TOKEN_FILE",
        [Cause(Reason.BOOTSTRAP_TOKEN_FILE_MISSING)],
    ),
    "the same, as the shell says it": (
        "sh: AZURE_FEDERATED_TOKEN_FILE: parameter not set",
        [Cause(Reason.BOOTSTRAP_TOKEN_FILE_MISSING)],
    ),
    "a trace that only names the variable": ('+ cat "$AZURE_FEDERATED_TOKEN_FILE"', []),
    "a Vault that is not up": (
        "dial tcp 10.0.0.1:8200: connect: connection refused",
        [Cause(Reason.BOOTSTRAP_UNREACHABLE)],
    ),
    "a Vault without a name": ("lookup vault-core-dev: no such host", [Cause(Reason.BOOTSTRAP_UNREACHABLE)]),
}


@pytest.mark.parametrize(("text", "expected"), LOGS.values(), ids=LOGS)
def test_a_log_says(text: str, expected: list[Cause]) -> None:
    assert list(causes(text, NAMES)) == expected


def test_a_cause_is_told_once_however_often_it_is_logged() -> None:
    assert causes("AADSTS700211: …\n" * 100, NAMES) == (
        Cause(Reason.BOOTSTRAP_IDENTITY_REFUSED, "AADSTS700211"),
    )


def test_every_cause_has_words_and_is_a_reason() -> None:
    for reason in {
        *ENTRA.values(),
        *TEXTS,
        Reason.BOOTSTRAP_LACKS_SECRET,
        Reason.BOOTSTRAP_REFUSED_BY_ENTRA,
    }:
        assert reason in REASONS
        assert said(Cause(reason))


PIECES: Final = [text for text, _ in LOGS.values()]
EVERYTHING: Final = "\n".join(PIECES)
VOCABULARY: Final = " ".join(
    [*NAMES, *ENTRA, *Reason, *(said(cause) for _, found in LOGS.values() for cause in found)]
)
LONG_ENOUGH: Final = 6


def grams(text: str) -> list[str]:
    return [text[at : at + LONG_ENOUGH] for at in range(len(text) - LONG_ENOUGH + 1)]


SECRET_CHARACTERS: Final = st.text(min_size=LONG_ENOUGH, max_size=40) | st.from_regex(
    r"[A-Za-z0-9+/=_-]{6,40}", fullmatch=True
)


# No deadline: the machine may be busy, and pytest's own limit bounds the whole.
@settings(max_examples=300, deadline=None)
@given(
    secret=SECRET_CHARACTERS,
    at=st.integers(0, len(EVERYTHING)),
    lead=st.sampled_from(["", "missing required Key Vault secret: ", "AADSTS", "password="]),
)
def test_no_part_of_a_secret_anywhere_in_a_log_comes_back(secret: str, at: int, lead: str) -> None:
    assume(not any(gram in VOCABULARY for gram in grams(secret)))
    # Just behind Entra's letters and before a colon, a number is a code to anybody.
    assume(lead != "AADSTS" or not secret[:LONG_ENOUGH].isdecimal())
    found = causes(EVERYTHING[:at] + lead + secret + EVERYTHING[at:], NAMES)
    shown = " ".join(f"{cause.reason} {cause.detail} {said(cause)}" for cause in found)
    assert not any(gram in shown for gram in grams(secret))
