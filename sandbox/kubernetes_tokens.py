"""A cluster's own tokens: signed for its service accounts, and verified when they are presented.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt

from sandbox.keys import IssuerKeys
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import SERVICE_ACCOUNTS
from sandbox.timeline import Clock

IN_CLUSTER = "https://kubernetes.default.svc"
"""The API server, as the cluster's own programs know it."""


class TokenRefused(Exception):
    """The text says why, as a TokenReview does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a good token proves."""

    namespace: str
    name: str
    uid: str
    token_id: str
    audiences: tuple[str, ...]
    """Those of the asked ones that the token is for."""

    @property
    def subject(self) -> str:
        return _subject(self.namespace, self.name)


class ServiceAccountTokens:
    def __init__(self, *, issuer: str, keys: IssuerKeys, objects: Objects, clock: Clock) -> None:
        self.keys = keys
        self.issuer = issuer
        self._objects = objects
        self._clock = clock

    @property
    def audiences(self) -> tuple[str, ...]:
        """What a token must be for to be good for the API server itself."""
        return tuple(dict.fromkeys((self.issuer, IN_CLUSTER)))

    def issue(self, account: Object, audiences: list[str], lifetime: timedelta) -> str:
        metadata, issued = account["metadata"], int(self._clock().timestamp())
        return self.keys.signing.sign(
            {
                "iss": self.issuer,
                "sub": _subject(metadata["namespace"], metadata["name"]),
                "aud": audiences,
                "iat": issued,
                "nbf": issued,
                "exp": issued + int(lifetime.total_seconds()),
                "jti": str(uuid.uuid4()),
                "kubernetes.io": {
                    "namespace": metadata["namespace"],
                    "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
                },
            }
        )

    def issued(self, token: str) -> bool:
        """Whether it claims to be of this cluster, which is not yet a proof."""
        try:
            claims = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            return False
        return bool(claims.get("iss") == self.issuer)

    def verify(self, token: str, audiences: tuple[str, ...]) -> Verified:
        """Signature, time, audience, and that the account is still the one it was issued for.

        Raises TokenRefused.
        """
        claims = self._claims(token)
        if claims["exp"] <= self._clock().timestamp():
            raise TokenRefused("[invalid bearer token, service account token has expired]")
        meant = tuple(one for one in audiences if one in claims["aud"])
        if not meant:
            raise TokenRefused(
                f"[invalid bearer token, token audiences {_quoted(claims['aud'])} is invalid for the target "
                f"audiences {_quoted(audiences)}]"
            )
        bound = claims["kubernetes.io"]
        namespace, name, uid = bound["namespace"], *(bound["serviceaccount"][key] for key in ("name", "uid"))
        account = self._objects.get(SERVICE_ACCOUNTS, namespace, name)
        if account is None:
            raise TokenRefused(f'[invalid bearer token, serviceaccounts "{name}" not found]')
        if account["metadata"]["uid"] != uid:
            raise TokenRefused(
                f"[invalid bearer token, service account UID ({account['metadata']['uid']}) does not match "
                f"claim ({uid})]"
            )
        return Verified(namespace=namespace, name=name, uid=uid, token_id=claims["jti"], audiences=meant)

    def _claims(self, token: str) -> dict[str, Any]:
        for key in self.keys.published():
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key.private.public_key(),
                    algorithms=["RS256"],
                    issuer=self.issuer,
                    # Time is judged by the cloud's own clock, the audience for a more telling refusal.
                    options={
                        "verify_exp": False,
                        "verify_nbf": False,
                        "verify_iat": False,
                        "verify_aud": False,
                    },
                )
            except jwt.InvalidTokenError:
                continue
            return claims
        raise TokenRefused("invalid bearer token")


def _subject(namespace: str, name: str) -> str:
    return f"system:serviceaccount:{namespace}:{name}"


def _quoted(audiences: list[str] | tuple[str, ...]) -> str:
    return "[" + " ".join(f'"{one}"' for one in audiences) + "]"
