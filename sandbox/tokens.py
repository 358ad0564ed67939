"""Access tokens: issued by Entra's endpoints, verified by ARM and Kubernetes."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import jwt

from sandbox.cloud import Cloud
from sandbox.keys import SigningKey
from sandbox.records import Principal

ARM_AUDIENCES = frozenset(
    f"{host}{slash}"
    for host in ("https://management.azure.com", "https://management.core.windows.net")
    for slash in ("", "/")
)
KUBERNETES_AUDIENCE = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""The AKS server application, the same in every tenant: https://azure.github.io/kubelogin/concepts/aks.html"""


class Fault(StrEnum):
    """Why a bearer token is not good."""

    INVALID = "invalid"
    EXPIRED = "expired"
    AUDIENCE = "audience"


class TokenError(Exception):
    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who presents a verified token."""

    object_id: str
    client_id: str
    claims: Mapping[str, object]


class Tokens:
    """Signs and verifies access tokens with the directory's one key."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.key = SigningKey.generate()

    @property
    def issuer(self) -> str:
        """Azure's own name in `iss`; nobody resolves it."""
        return f"https://sts.windows.net/{self._cloud.tenant}/"

    def issue(self, principal: Principal, audience: str, lifetime: timedelta) -> str:
        """An app-only access token of version 1.0 for the principal."""
        now = int(self._cloud.clock().timestamp())
        claims: dict[str, object] = {
            "aud": audience,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + int(lifetime.total_seconds()),
            "appid": principal.client_id,
            # 0: no client authentication by the caller itself; 1: a secret; 2: a certificate or assertion.
            "appidacr": "2" if principal.secret is None else "1",
            "idp": self.issuer,
            "idtyp": "app",
            "oid": principal.object_id,
            "sub": principal.object_id,
            "tid": self._cloud.tenant,
            "uti": uuid.uuid4().hex[:22],
            "ver": "1.0",
        }
        if principal.identity_id:
            claims["xms_mirid"] = principal.identity_id
        return self.key.sign(claims)

    def verify(self, token: str, audiences: Collection[str]) -> Caller:
        """The caller that the token proves. Raises TokenError."""
        try:
            claims = jwt.decode(
                token,
                self.key.private.public_key(),
                algorithms=["RS256"],
                issuer=self.issuer,
                # Time is judged below by the cloud's own clock, the audience for a more telling refusal.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.InvalidTokenError as error:
            raise TokenError(Fault.INVALID, "The access token is invalid.") from error
        if claims["exp"] <= self._cloud.clock().timestamp():
            raise TokenError(Fault.EXPIRED, "The access token has expired.")
        if claims["aud"] not in audiences:
            raise TokenError(
                Fault.AUDIENCE,
                f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. "
                f"It should exactly match (including forward slash) with one of {sorted(audiences)}.",
            )
        return Caller(object_id=claims["oid"], client_id=claims["appid"], claims=claims)


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; None when it holds none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
