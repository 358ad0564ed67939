"""What a log is understood to say, and that nothing else of it comes back."""

from typing import Final

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from responders.keycloak_bootstrap.log_reasons import LONGEST, MEANS, Cause, Of, causes, said
from responders.keycloak_bootstrap.reasons import REASONS, RERUN, Reason

CLIENTS: Final = ("platform-app", "gitlab")

REFUSED: Final = (
    '{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}'
)
OTHERS_REFUSE: Final[dict[str, str]] = {
    "a status of nobody knows whom": "curl: (22) The requested URL returned error: 401 Unauthorized",
    "a registry that refuses": "GET https://harbor/v2/keycloak/manifests/latest: 401 Unauthorized",
    "a Vault that refuses": "PUT http://vault:8200/v1/auth/kubernetes/login keycloak: 401 Unauthorized",
    "a key of Vault's that is called so": "PUT http://v:8200/v1/secret/data/keycloak: 401 Unauthorized",
    "an Entra that refuses": '{"error":"invalid_grant","error_description":"AADSTS70021: No matching …"}',
    "a token that ran out": "GET http://keycloak:8080/admin/realms/ameide/clients: 401 Unauthorized",
}

# As the patcher, Keycloak, Vault and curl spell them.
OF_PATCHER: Final[dict[str, tuple[str, list[Cause]]]] = {
    "nothing": ("", []),
    "a good run": ("Secret written successfully: secret/gitlab-oidc-client-secret\nclient-patcher: done", []),
    "weak credentials": (
        "ERROR: GET /admin/realms/ameide/clients: 403 Forbidden",
        [Cause(Reason.KEYCLOAK_FORBIDDEN)],
    ),
    "no token": ("Token not available yet\nToken not available yet", [Cause(Reason.PATCHER_WITHOUT_TOKEN)]),
    "a client that was skipped": (
        "Client 'gitlab' not found - skipping",
        [Cause(Reason.PATCHER_SKIPPED_CLIENT, "gitlab")],
    ),
    "two of them": (
        "Client 'gitlab' not found - skipping\nClient 'platform-app' not found - skipping",
        [
            Cause(Reason.PATCHER_SKIPPED_CLIENT, "platform-app"),
            Cause(Reason.PATCHER_SKIPPED_CLIENT, "gitlab"),
        ],
    ),
    "a client that nobody declared is not named": (
        "Client 'hunter2' not found - skipping",
        [Cause(Reason.PATCHER_SKIPPED_CLIENT)],
    ),
    "a policy that denies": (
        "ERROR: PUT http://vault:8200/v1/secret/data/gitlab: Code: 403. Errors: * permission denied",
        [Cause(Reason.PATCHER_DENIED_BY_VAULT)],
    ),
    "a sealed Vault": (
        "ERROR: PUT …: Code: 503. Errors: * Vault is sealed",
        [Cause(Reason.PATCHER_MET_SEALED_VAULT)],
    ),
    "a login that is not taken": (
        '{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}',
        [Cause(Reason.PATCHER_LOGIN_REFUSED)],
    ),
    "a password that is not taken": ('{"error":"invalid_grant"}', [Cause(Reason.PATCHER_LOGIN_REFUSED)]),
    "a login that is not taken, by its status": (
        "curl: (22) http://keycloak:8080/realms/ameide/protocol/openid-connect/token: 401 Unauthorized",
        [Cause(Reason.PATCHER_LOGIN_REFUSED)],
    ),
    "the patcher's own client is not there, and another login was weak": (
        f"{REFUSED}\nERROR: GET /admin/realms/ameide/clients: 403 Forbidden",
        [Cause(Reason.KEYCLOAK_FORBIDDEN)],
    ),
    "the patcher's own client is not there, and another login did it up to Vault": (
        f"{REFUSED}\nToken acquired\nERROR: PUT …: Code: 503. Errors: * Vault is sealed",
        [Cause(Reason.PATCHER_MET_SEALED_VAULT)],
    ),
    "neither login is taken": (
        f"{REFUSED}\nToken could not be obtained\nLogin as admin-cli refused: invalid_grant",
        [Cause(Reason.PATCHER_LOGIN_REFUSED)],
    ),
    "a login that is not taken, and no token": (
        f"{REFUSED}\nToken not available yet",
        [Cause(Reason.PATCHER_LOGIN_REFUSED), Cause(Reason.PATCHER_WITHOUT_TOKEN)],
    ),
    **{what: (text, []) for what, text in OTHERS_REFUSE.items()},
    "a Keycloak that is not up": (
        "dial tcp 10.0.0.1:8080: connect: connection refused",
        [Cause(Reason.KEYCLOAK_NOT_REACHED_BY_JOB)],
    ),
    "root and symptom of one run": (
        "Token not available yet\nERROR: GET /admin/realms/ameide/clients: 403 Forbidden",
        [Cause(Reason.KEYCLOAK_FORBIDDEN), Cause(Reason.PATCHER_WITHOUT_TOKEN)],
    ),
}


@pytest.mark.parametrize(("text", "expected"), OF_PATCHER.values(), ids=OF_PATCHER)
def test_a_log_of_the_patcher_says(text: str, expected: list[Cause]) -> None:
    assert list(causes(text, Of.PATCHER, CLIENTS)) == expected


OF_BOOTSTRAP: Final[dict[str, tuple[str, list[Cause]]]] = {
    "a good run": ("master bootstrap: done", []),
    "an administrator that is not taken": (
        '{"error":"invalid_grant","error_description":"Invalid user credentials"}',
        [Cause(Reason.BOOTSTRAP_ADMIN_REFUSED)],
    ),
    "the same by its status": (
        "POST http://keycloak:8080/realms/master/protocol/openid-connect/token: 401 Unauthorized",
        [Cause(Reason.BOOTSTRAP_ADMIN_REFUSED)],
    ),
    "the same in words": (
        "Keycloak answered 401 Unauthorized",
        [Cause(Reason.BOOTSTRAP_ADMIN_REFUSED)],
    ),
    "an administrator that is taken in the end": (
        "Invalid user credentials [invalid_grant]\nLogged in as admin\nERROR: no such file",
        [],
    ),
    **{what: (text, []) for what, text in OTHERS_REFUSE.items()},
    "a Keycloak that is not up": (
        "curl: (7) Failed to connect: Connection refused",
        [Cause(Reason.KEYCLOAK_NOT_REACHED_BY_JOB)],
    ),
    "what only the patcher can mean": ("Client 'gitlab' not found - skipping", []),
}


@pytest.mark.parametrize(("text", "expected"), OF_BOOTSTRAP.values(), ids=OF_BOOTSTRAP)
def test_a_log_of_the_bootstrap_says(text: str, expected: list[Cause]) -> None:
    assert list(causes(text, Of.BOOTSTRAP, CLIENTS)) == expected


def test_what_went_wrong_last_is_read_of_a_log_without_end() -> None:
    text = "waiting\n" * LONGEST + "ERROR: GET /admin/realms/ameide/clients: 403 Forbidden"
    assert causes(text, Of.PATCHER, CLIENTS) == (Cause(Reason.KEYCLOAK_FORBIDDEN),)


def test_every_cause_has_words_and_is_a_reason() -> None:
    found = {cause for _, told in (OF_PATCHER | OF_BOOTSTRAP).values() for cause in told}
    meant = {reason for means in MEANS.values() for reason in means.values()}
    assert meant <= {cause.reason for cause in found}
    for cause in found:
        assert cause.reason in REASONS
        assert said(cause)
        assert cause.reason in RERUN or cause.reason == Reason.BOOTSTRAP_ADMIN_REFUSED


EVERYTHING: Final = "\n".join(text for text, _ in (OF_PATCHER | OF_BOOTSTRAP).values())
VOCABULARY: Final = " ".join(
    [*CLIENTS, *Reason, *(said(cause) for _, told in (OF_PATCHER | OF_BOOTSTRAP).values() for cause in told)]
)
LONG_ENOUGH: Final = 6


def grams(text: str) -> list[str]:
    return [text[at : at + LONG_ENOUGH] for at in range(len(text) - LONG_ENOUGH + 1)]


SECRETS: Final = st.text(min_size=LONG_ENOUGH, max_size=40) | st.from_regex(
    r"[A-Za-z0-9+/=_-]{6,40}", fullmatch=True
)


# No deadline: the machine may be busy, and pytest's own limit bounds the whole.
@settings(max_examples=200, deadline=None)
@given(
    secret=SECRETS,
    at=st.integers(0, len(EVERYTHING)),
    lead=st.sampled_from(["", "Client '", "client_secret=", "password="]),
    of=st.sampled_from(Of),
)
def test_no_part_of_a_secret_anywhere_in_a_log_comes_back(secret: str, at: int, lead: str, of: Of) -> None:
    assume(not any(gram in VOCABULARY for gram in grams(secret)))
    found = causes(EVERYTHING[:at] + lead + secret + EVERYTHING[at:], of, CLIENTS)
    shown = " ".join(f"{cause.reason} {cause.detail} {said(cause)}" for cause in found)
    assert not any(gram in shown for gram in grams(secret))
