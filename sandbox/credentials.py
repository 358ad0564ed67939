"""Azure's rules for the federated credentials of one managed identity, as functions of the identity.

Source of the rules and of the messages that are Microsoft's:
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from sandbox.arm_errors import ArmError
from sandbox.records import Credential, Expression, Identity

MOST_PER_IDENTITY = 20
LONGEST_VALUE = 600
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9-_]{2,119}")

FLEXIBLE_SINCE = "2025-01-31-preview"
"""The first API version that knows `claimsMatchingExpression`; versions sort as text."""


def with_credential(identity: Identity, credential: Credential) -> Identity:
    """The identity after a PUT, which replaces a credential of that name as a whole. Raises ArmError."""
    key = credential.name.lower()
    others = {name: held for name, held in identity.credentials.items() if name != key}
    if credential.subject is not None and any(
        held.issuer == credential.issuer and held.subject == credential.subject for held in others.values()
    ):
        raise ArmError(
            400, "BadRequest", "Issuer and subject combination already exists for this Managed Identity."
        )
    if len(others) >= MOST_PER_IDENTITY:
        # What Azure answers here is not documented: the code says that it is ours.
        raise ArmError(
            400,
            "SandboxInventedTooManyFederatedIdentityCredentials",
            f"The identity holds {MOST_PER_IDENTITY} federated identity credentials, which is the limit.",
        )
    held = identity.credentials.get(key)
    kept = replace(credential, name=held.name) if held else credential
    return replace(identity, credentials={**others, key: kept})


def without_credential(identity: Identity, name: str) -> Identity:
    """The identity after a DELETE; unchanged when there is no such credential."""
    others = {key: held for key, held in identity.credentials.items() if key != name.lower()}
    return replace(identity, credentials=others)


def read_credential(name: str, body: object, api_version: str) -> Credential:
    """The credential that a PUT asks for. Raises ArmError."""
    if not _NAME.fullmatch(name):
        raise ArmError(400, "BadRequest", f"Federated Identity Credential name '{name}' is invalid.")
    properties = body.get("properties") if isinstance(body, Mapping) else None
    if not isinstance(properties, Mapping) or not properties:
        raise _empty()
    audiences = properties.get("audiences")
    if not isinstance(audiences, list) or len(audiences) != 1:
        raise ArmError(400, "BadRequest", "Federated identity credentials must have exactly one audience.")
    expression = _read_expression(properties) if api_version >= FLEXIBLE_SINCE else None
    subject = None if expression else _text(properties, "subject")
    return Credential(
        name=name,
        issuer=_text(properties, "issuer"),
        subject=subject,
        audience=_bounded("audience", audiences[0]),
        expression=expression,
    )


def show_credential(identity: Identity, credential: Credential, api_version: str) -> dict[str, object]:
    """The credential as that API version shows it: an older one cannot tell what a flexible one matches."""
    properties: dict[str, object] = {"issuer": credential.issuer, "audiences": [credential.audience]}
    if credential.subject is not None:
        properties["subject"] = credential.subject
    if credential.expression and api_version >= FLEXIBLE_SINCE:
        properties["claimsMatchingExpression"] = {
            "value": credential.expression.value,
            "languageVersion": credential.expression.language_version,
        }
    return {
        "id": f"{identity.id}/federatedIdentityCredentials/{credential.name}",
        "name": credential.name,
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "properties": properties,
    }


def _read_expression(properties: Mapping[str, object]) -> Expression | None:
    given = properties.get("claimsMatchingExpression")
    if given is None:
        return None
    if not isinstance(given, Mapping) or properties.get("subject"):
        raise ArmError(400, "BadRequest", "A credential has either a subject or a claimsMatchingExpression.")
    version = given.get("languageVersion")
    return Expression(
        value=_text(given, "value"), language_version=version if isinstance(version, int) else 1
    )


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not value:
        raise _empty()
    return _bounded(name, value)


def _bounded(name: str, value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > LONGEST_VALUE:
        raise ArmError(
            400,
            "BadRequest",
            f"Federated identity credential {name} must be 1 to {LONGEST_VALUE} characters.",
        )
    return value


def _empty() -> ArmError:
    return ArmError(400, "BadRequest", "Federated Identity Credential from HTTP body has empty properties")
