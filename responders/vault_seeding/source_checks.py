"""Faults of Key Vault, where the seeds come from. Pure."""

from collections.abc import Iterator
from datetime import datetime

from responders.vault_seeding.facts import Facts
from responders.vault_seeding.reasons import Reason, finding
from shared.clients.key_vault import Secret
from shared.model import Absent, Finding, Known, Unknown


def key_vault_fault(facts: Facts) -> Finding | None:
    """The first thing that makes the Key Vault unusable as a source."""
    subject = facts.declared.key_vault
    if _subscription(subject) != _subscription(facts.cluster_id):
        return finding(
            Reason.KEY_VAULT_ELSEWHERE,
            subject,
            f"the Key Vault is in subscription {_subscription(subject)}, the cluster in"
            f" {_subscription(facts.cluster_id)}",
        )
    match facts.key_vault, facts.secrets:
        case Unknown(why), _:
            return finding(Reason.SEEDING_UNREAD, subject, f"the Key Vault could not be read: {why}")
        case Absent(), _:
            return finding(Reason.KEY_VAULT_MISSING, subject, "ARM knows no such Key Vault")
        case _, Unknown(why):
            return finding(Reason.SEEDING_UNREAD, subject, f"its secrets could not be listed: {why}")
        case _, Absent():
            return finding(Reason.SEEDING_UNREAD, subject, "its secrets could not be listed: 404")
    return None


def secret_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Of each secret that is needed, the first fault."""
    assert isinstance(facts.secrets, Known)  # noqa: S101 (key_vault_fault was None)
    listed = {one.name.lower(): one for one in facts.secrets.value}
    for name in facts.declared.sources:
        if fault := _secret_fault(facts, name, listed.get(name.lower()), now):
            yield fault


def _secret_fault(facts: Facts, name: str, secret: Secret | None, now: datetime) -> Finding | None:
    subject = facts.secret_id(name)
    if secret is None:
        return finding(Reason.SECRET_MISSING, subject, f"Key Vault has no secret {name}")
    if unusable := unusability(secret, now):
        return finding(unusable, subject, _SAYS[unusable].format(secret=secret))
    match facts.sources.get(name):
        case Unknown(why):
            return finding(Reason.SEEDING_UNREAD, subject, f"secret {name} could not be read: {why}")
        case Absent():
            return finding(Reason.SECRET_MISSING, subject, f"Key Vault has no version of secret {name}")
        case Known(source) if source.fingerprint.placeholder:
            return finding(
                Reason.SECRET_IS_PLACEHOLDER,
                subject,
                f"version {source.version} of secret {name} is a placeholder",
                version=source.version,
            )
    return None


def unusability(secret: Secret, now: datetime) -> Reason | None:
    """Why nobody can read its value now."""
    if not secret.enabled:
        return Reason.SECRET_DISABLED
    if secret.expires is not None and secret.expires <= now:
        return Reason.SECRET_EXPIRED
    if secret.not_before is not None and secret.not_before > now:
        return Reason.SECRET_NOT_YET_VALID
    return None


_SAYS = {
    Reason.SECRET_DISABLED: "secret {secret.name} is disabled",
    Reason.SECRET_EXPIRED: "secret {secret.name} expired at {secret.expires:%Y-%m-%d %H:%M}",
    Reason.SECRET_NOT_YET_VALID: "{secret.name} is not valid before {secret.not_before:%Y-%m-%d %H:%M}",
}


def _subscription(arm_id: str) -> str:
    return arm_id.lower().split("/")[2]
