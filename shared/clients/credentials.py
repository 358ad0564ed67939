"""Who the app is towards Azure, and its tokens.

Used by the other Azure clients, to whom it looks like a credential of the SDK, and by whoever asks "was this
our own write". Its failures are ours already when they reach an SDK, so no client mistakes a missing token
for an answer of the service.
"""

import base64
import json
import logging
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import AGAIN, ONE_TRY, Answer, OncePer, answer_of, translated
from shared.clients.importing import IMPORTING
from shared.errors import Misconfigured, ReconvergeError, TemporaryError
from shared.settings import IdentityConnection, Settings

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

SERVICE: Final = "the token service"
AZ_PATIENCE: Final = 30
"""Seconds for `az account get-access-token`, which takes about one when nothing is wrong."""


class Origin(Enum):
    """Where tokens come from. Chosen once, not by trying one after the other: a failure then names its cause,
    and nobody becomes somebody else because his first choice had a bad minute."""

    PLATFORM = "the platform's managed identity"
    ENVIRONMENT = "the service principal of the environment"
    AZ = "whoever is signed in with `az login`"


class AppCredential:
    """Satisfies the SDK's TokenCredential. Raises TemporaryError or Misconfigured."""

    def __init__(self, origin: Origin, *, client_id: str | None, authority: str) -> None:
        self._origin = origin
        self._client_id = client_id
        self._authority = authority
        self._inner: OncePer[Origin, TokenCredential] = OncePer(self._make)

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """A token, from the SDK's cache where it still has one."""
        with IMPORTING:
            from azure.core.exceptions import ClientAuthenticationError

        with translated(SERVICE, _bad_day):
            try:
                return self._inner(self._origin).get_token(*scopes, **options)
            # The SDK makes this of everything: of a refusal, and of whatever kept it from asking, which it
            # then names as the cause.
            except ClientAuthenticationError as error:
                raise self._explain(answer_of(SERVICE, error), refused=error.__cause__ is None) from error

    def object_id(self, scope: str) -> str:
        """The `oid` of our own tokens, in lower case: events name by it who caused them.

        The token is ours and comes straight from its issuer, so its signature is not checked.
        """
        payload = self.get_token(scope).token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["oid"]).lower()

    def _make(self, origin: Origin) -> "TokenCredential":
        with IMPORTING:
            from azure.identity import AzureCliCredential, EnvironmentCredential, ManagedIdentityCredential

        quiet()
        match origin:
            case Origin.PLATFORM:
                return ManagedIdentityCredential(client_id=self._client_id, **ONE_TRY)
            case Origin.ENVIRONMENT:
                # Discovery would ask the public cloud whether it knows the authority we were given.
                return EnvironmentCredential(
                    authority=self._authority, disable_instance_discovery=True, **ONE_TRY
                )
            case Origin.AZ:
                return AzureCliCredential(process_timeout=AZ_PATIENCE)

    def _explain(self, answer: Answer, *, refused: bool) -> ReconvergeError:
        match self._origin:
            case Origin.PLATFORM:
                which = f"identity {self._client_id}" if self._client_id else "a system-assigned identity"
                return TemporaryError(
                    f"no token: {answer}. Check that {which} is assigned to the app and in AZURE_CLIENT_ID",
                    delay=timedelta(minutes=1),
                )
            case Origin.ENVIRONMENT if refused:
                return Misconfigured(
                    "no token: Entra refuses the service principal. Check AZURE_TENANT_ID, AZURE_CLIENT_ID"
                    " and AZURE_CLIENT_SECRET"
                )
            case Origin.ENVIRONMENT:
                return _bad_day(answer)
            case Origin.AZ:
                return Misconfigured(
                    f"no token: {answer}. Sign in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID"
                    " and AZURE_CLIENT_SECRET"
                )


def _bad_day(answer: Answer) -> TemporaryError:
    return TemporaryError(f"no token: {answer}", delay=answer.retry_after or AGAIN)


def of_app(settings: Settings) -> AppCredential:
    return AppCredential(
        _origin(settings, managed_identity=settings.managed_identity),
        client_id=settings.client_id,
        authority=settings.authority,
    )


def of_storage(settings: Settings) -> AppCredential:
    """The storage connection may name an identity of its own; else it is the app's."""
    match settings.storage:
        case IdentityConnection(managed_identity=managed, client_id=client_id):
            return AppCredential(
                _origin(settings, managed_identity=managed or settings.managed_identity),
                client_id=client_id or settings.client_id,
                authority=settings.authority,
            )
    return of_app(settings)


def _origin(settings: Settings, *, managed_identity: bool) -> Origin:
    if managed_identity:
        return Origin.PLATFORM
    return Origin.ENVIRONMENT if settings.service_principal else Origin.AZ


def quiet() -> None:
    """At WARNING the identity SDK logs the whole body of a refusal."""
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
