"""Whether Entra takes a service account's token for an identity: the proof of a federated credential.

Used by shared.clients.token_exchange. The token that Entra issues is dropped at once; the verdict counts.
"""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from shared.clients.azure_core import AGAIN, ONE_TRY, Answer, answer_of, as_unknown, translated
from shared.clients.credentials import quiet
from shared.clients.importing import IMPORTING
from shared.errors import ReconvergeError, TemporaryError
from shared.model import Unknown

if TYPE_CHECKING:
    from azure.core.exceptions import ClientAuthenticationError

SERVICE: Final = "Entra"

# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
NOT_ABOUT_THE_CREDENTIAL: Final = frozenset(
    {
        "AADSTS50166",  # Entra could not fetch the keys of the issuer
        "AADSTS501661",
        "AADSTS90061",
        "AADSTS90006",  # Entra itself is short of something
        "AADSTS90024",
        "AADSTS90033",
    }
)
"""Refusals that leave open whether the credential is right."""


LARGEST_NUMBER: Final = 10**9
"""Above all error codes: another number is something else, and is not shown."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Entra issued a token."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Entra refuses this token for this identity."""

    code: str
    """Such as `AADSTS700211`."""


type Exchange = Accepted | Declined | Unknown
"""Unknown is unproven: the exchange could not be tried, or its answer proves nothing."""


def exchange(assertion: str, *, client_id: str, tenant: str, authority: str, scope: str) -> Exchange:
    """Present `assertion` as the identity `client_id`, asking for a token for `scope`. One POST.

    Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """
    with IMPORTING:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import ClientAssertionCredential

    quiet()
    credential = ClientAssertionCredential(
        tenant, client_id, lambda: assertion, authority=authority, **ONE_TRY
    )
    try:
        with credential, translated(SERVICE, _unproven):
            try:
                credential.get_token(scope)
            except ClientAuthenticationError as error:
                return _verdict(error)
    except ReconvergeError as error:
        return as_unknown(error)
    return Accepted()


def _verdict(error: "ClientAuthenticationError") -> Declined | Unknown:
    answer = replace(answer_of(SERVICE, error), code=_first_code(error))
    about_the_credential = answer.code and answer.code not in NOT_ABOUT_THE_CREDENTIAL
    if answer.status in {400, 401} and about_the_credential:
        return Declined(answer.code)
    return as_unknown(_unproven(answer))


def _first_code(error: "ClientAuthenticationError") -> str:
    """The number, since Microsoft changes the texts. Empty where the body is not Entra's."""
    try:
        body = json.loads(error.response.text()) if error.response else {}
        number = body["error_codes"][0]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return f"AADSTS{number}" if type(number) is int and 0 < number < LARGEST_NUMBER else ""


def _unproven(answer: Answer) -> TemporaryError:
    asked = answer.retry_after
    return TemporaryError(str(answer), delay=asked or AGAIN, asked=asked is not None)
