"""The token endpoint's judgement: who gets an access token, and the exact refusal of everybody else."""

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from sandbox import entra_errors as errors
from sandbox.cloud import Cloud, IssuerUnreachableError
from sandbox.entra_errors import EntraError
from sandbox.keys import IssuerKeys
from sandbox.records import Credential, Principal
from sandbox.tokens import Tokens

LIFETIME = timedelta(seconds=3599)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Entra:
    def __init__(self, cloud: Cloud, tokens: Tokens) -> None:
        self._cloud = cloud
        self._tokens = tokens

    def grant(self, tenant: str, form: Mapping[str, str]) -> tuple[Principal, dict[str, object]]:
        """The principal and the token response for a client-credentials request. Raises EntraError."""
        self.require_tenant(tenant)
        if form.get("grant_type") != "client_credentials":
            raise EntraError(errors.GRANT_TYPE, grant=form.get("grant_type", ""))
        client = form.get("client_id", "")
        principal = self._cloud.principal(client, self._cloud.entra_sees())
        if principal is None:
            raise EntraError(errors.UNKNOWN_CLIENT, client=client, tenant=tenant)
        if form.get("client_assertion_type") == ASSERTION_TYPE:
            self._accept_assertion(principal, form.get("client_assertion", ""))
        elif "client_secret" in form:
            _accept_secret(principal, form["client_secret"])
        else:
            raise EntraError(errors.NO_CREDENTIAL)
        audience = _audience(form.get("scope", ""))
        return principal, {
            "token_type": "Bearer",
            "expires_in": int(LIFETIME.total_seconds()),
            "ext_expires_in": int(LIFETIME.total_seconds()),
            "access_token": self._tokens.issue(principal, audience, LIFETIME),
        }

    def require_tenant(self, tenant: str) -> None:
        """Raises EntraError for every tenant but ours."""
        if tenant.lower() != self._cloud.tenant.lower():
            raise EntraError(errors.UNKNOWN_TENANT, tenant=tenant)

    def _accept_assertion(self, principal: Principal, assertion: str) -> None:
        """In the order in which Entra can know: trust first, then the issuer's keys, then the times."""
        claims = _unverified(assertion)
        issuer = str(claims.get("iss", ""))
        if issuer == self._tokens.issuer:
            raise EntraError(errors.OWN_TOKEN)
        _match(self._known_credentials(principal), issuer, str(claims.get("sub", "")), _audiences(claims))
        try:
            keys = self._cloud.published_keys(issuer)
        except IssuerUnreachableError as error:
            raise EntraError(errors.ISSUER_UNREACHABLE) from error
        _verify_signature(assertion, keys)
        _verify_times(claims, self._cloud.clock())

    def _known_credentials(self, principal: Principal) -> list[Credential]:
        identity = self._cloud.identity_of(principal.client_id, self._cloud.entra_sees())
        return list(identity.credentials.values()) if identity else []


def _accept_secret(principal: Principal, secret: str) -> None:
    if principal.secret is None or not hmac.compare_digest(principal.secret.encode(), secret.encode()):
        raise EntraError(errors.WRONG_SECRET, client=principal.client_id)


def _audience(scope: str) -> str:
    for part in scope.split():
        resource, suffix, rest = part.rpartition("/.default")
        if resource and suffix and not rest:
            return resource
    raise EntraError(errors.SCOPE, scope=scope)


def _unverified(assertion: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise EntraError(errors.MALFORMED) from error
    if not all(isinstance(claims.get(name, 0), int | float) for name in ("iat", "nbf", "exp")):
        raise EntraError(errors.MALFORMED)
    return claims


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    given = claims.get("aud", [])
    return [given] if isinstance(given, str) else list(given)


def _match(credentials: list[Credential], issuer: str, subject: str, audiences: list[str]) -> None:
    """Raises EntraError unless a credential has this issuer, audience and subject, letter for letter."""
    trusted = [held for held in credentials if held.issuer == issuer]
    if not trusted:
        raise EntraError(errors.ISSUER, issuer=issuer)
    meant = [held for held in trusted if held.audience in audiences]
    if not meant:
        raise EntraError(errors.AUDIENCE, audience=", ".join(audiences))
    if any(held.subject == subject for held in meant):
        return
    subjects = [held.subject for held in meant if held.subject is not None]
    if not subjects:
        # Claims matching is for other issuers than clusters', so none of these expressions is ever met.
        raise EntraError(errors.EXPRESSION, subject=subject)
    near = any(held.lower() == subject.lower() for held in subjects)
    raise EntraError(errors.SUBJECT_CASE if near else errors.SUBJECT, subject=subject)


def _verify_signature(assertion: str, keys: IssuerKeys) -> None:
    kid = jwt.get_unverified_header(assertion).get("kid")
    key = next((key for key in keys.published() if key.kid == kid), None)
    if key is None:
        raise EntraError(errors.SIGNATURE)
    try:
        jwt.decode(
            assertion,
            key.private.public_key(),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.InvalidTokenError as error:
        raise EntraError(errors.SIGNATURE) from error


def _verify_times(claims: Mapping[str, Any], now: datetime) -> None:
    start, end = claims.get("nbf", claims.get("iat", 0)), claims.get("exp", 0)
    if not start <= now.timestamp() + 300 or not now.timestamp() < end:
        raise EntraError(errors.EXPIRED, now=_stamp(now), start=_stamp(_at(start)), end=_stamp(_at(end)))


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _stamp(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}0Z"
