"""Who the app is towards Azure, and its tokens.

Used by the other Azure clients, to whom it looks like a credential of the SDK, and by whoever asks "was this
our own write". Its failures are ours already when they reach an SDK, so no client mistakes a missing token
for an answer of the service.
"""

import base64
import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import ONE_TRY, Answer, OncePer, answer_of, translated
from shared.errors import Misconfigured, ReconvergeError, TemporaryError
from shared.settings import IdentityConnection, Settings

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

SERVICE: Final = "the token service"
AZ_PATIENCE: Final = 30
"""Seconds for `az account get-access-token`, which takes about one when nothing is wrong."""


class AppCredential:
    """The platform's managed identity where it offers one; else whoever is signed in on this computer.

    Satisfies the SDK's TokenCredential. Raises TemporaryError or Misconfigured.
    """

    def __init__(self, *, managed_identity: bool, client_id: str | None, authority: str) -> None:
        self._managed_identity = managed_identity
        self._client_id = client_id
        self._authority = authority
        self._inner: OncePer[bool, TokenCredential] = OncePer(
            lambda managed: self._managed() if managed else self._signed_in()
        )

    def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """A token, from the SDK's cache where it still has one."""
        from azure.core.exceptions import ClientAuthenticationError

        with translated(SERVICE, self._explain):
            try:
                return self._inner(self._managed_identity).get_token(*scopes, **options)
            except ClientAuthenticationError as error:  # an "unavailable" credential had no answer at all
                raise self._explain(answer_of(SERVICE, error)) from error

    def object_id(self, scope: str) -> str:
        """The `oid` of our own tokens, in lower case: events name by it who caused them.

        The token is ours and comes straight from its issuer, so its signature is not checked.
        """
        payload = self.get_token(scope).token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["oid"]).lower()

    def _managed(self) -> "TokenCredential":
        from azure.identity import ManagedIdentityCredential

        quiet()
        return ManagedIdentityCredential(client_id=self._client_id, **ONE_TRY)

    def _signed_in(self) -> "TokenCredential":
        """A CI job's service principal, else an engineer's `az login`."""
        from azure.identity import AzureCliCredential, ChainedTokenCredential, EnvironmentCredential

        quiet()
        return ChainedTokenCredential(
            EnvironmentCredential(authority=self._authority, **ONE_TRY),
            AzureCliCredential(process_timeout=AZ_PATIENCE),
        )

    def _explain(self, answer: Answer) -> ReconvergeError:
        said = str(answer) if answer.status else f"{SERVICE} gave none"
        if self._managed_identity:
            which = f"identity {self._client_id}" if self._client_id else "a system-assigned identity"
            return TemporaryError(
                f"no token: {said}. Check that {which} is assigned to the app, and named by AZURE_CLIENT_ID",
                delay=timedelta(minutes=1),
            )
        return Misconfigured(
            f"no token: {said}. Sign in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and"
            " AZURE_CLIENT_SECRET"
        )


def of_app(settings: Settings) -> AppCredential:
    return AppCredential(
        managed_identity=settings.managed_identity,
        client_id=settings.client_id,
        authority=settings.authority,
    )


def of_storage(settings: Settings) -> AppCredential:
    """The storage connection may name an identity of its own; else it is the app's."""
    match settings.storage:
        case IdentityConnection(managed_identity=managed, client_id=client_id):
            return AppCredential(
                managed_identity=managed or settings.managed_identity,
                client_id=client_id or settings.client_id,
                authority=settings.authority,
            )
    return of_app(settings)


def quiet() -> None:
    """At WARNING the identity SDK logs the whole body of a refusal."""
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
