"""Who asks a cluster: people and programs of Entra, and the cluster's own service accounts.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.kubernetes_errors import unauthorized
from sandbox.kubernetes_tokens import ServiceAccountTokens, TokenRefused, Verified
from sandbox.tokens import KUBERNETES_AUDIENCE, TokenError, Tokens, bearer

AUTHENTICATED = "system:authenticated"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    name: str
    """Of Entra: the object id. Of a service account: system:serviceaccount:<namespace>:<name>."""
    uid: str = ""
    groups: tuple[str, ...] = (AUTHENTICATED,)
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def info(self) -> dict[str, Any]:
        """The user as reviews show it."""
        return {
            "username": self.name,
            **({"uid": self.uid} if self.uid else {}),
            "groups": list(self.groups),
            **({"extra": {name: list(values) for name, values in self.extra.items()}} if self.extra else {}),
        }


class Authenticator:
    def __init__(self, entra: Tokens, accounts: ServiceAccountTokens) -> None:
        self._entra = entra
        self._accounts = accounts

    def user(self, header: str | None) -> User:
        """Whom the Authorization header proves. Raises StatusError (401)."""
        token = bearer(header)
        if token is None:
            raise unauthorized()
        try:
            return self.review(token, self._accounts.audiences)[0]
        except TokenRefused as error:
            raise unauthorized() from error

    def review(self, token: str, audiences: tuple[str, ...]) -> tuple[User, tuple[str, ...]]:
        """Whom the token proves, and for which of the audiences. Raises TokenRefused.

        An Entra token for the AKS server is one for this API server.
        """
        if self._accounts.issued(token):
            verified = self._accounts.verify(token, audiences)
            return _account(verified), verified.audiences
        try:
            caller = self._entra.verify(token, {KUBERNETES_AUDIENCE})
        except TokenError as error:
            raise TokenRefused("invalid bearer token") from error
        ours = tuple(one for one in audiences if one in self._accounts.audiences)
        if not ours:
            raise TokenRefused("the token is not for any of the audiences")
        return User(name=caller.object_id, extra={"oid": (caller.object_id,)}), ours


def _account(verified: Verified) -> User:
    return User(
        name=verified.subject,
        uid=verified.uid,
        groups=("system:serviceaccounts", f"system:serviceaccounts:{verified.namespace}", AUTHENTICATED),
        extra={"authentication.kubernetes.io/credential-id": (f"JTI={verified.token_id}",)},
    )
