"""Faults of Vault, and of the seeds in it. Pure."""

from collections.abc import Iterator
from typing import Final

from responders.vault_seeding.facts import Facts
from responders.vault_seeding.reasons import Reason, finding
from shared.clients.key_vault import Sourced
from shared.clients.vault import Held, LoginRefused
from shared.model import Absent, Finding, Known, Unknown

MOST_SEEDINGS: Final = 2
"""Of one version of a source in a day. Whoever puts a placeholder back each time, or takes the key away,
would be written over without end."""
MOST_TRIES: Final = 5
"""The same, counting those that nobody confirmed: each of them may have been done."""


def vault_fault(facts: Facts) -> Finding | None:
    """The first thing that keeps the seeds from being read."""
    subject = facts.declared.address
    match facts.seal:
        case Unknown(why):
            return finding(Reason.SEEDING_UNREAD, subject, f"Vault's state could not be read: {why}")
        case Absent():
            return finding(
                Reason.SEEDING_UNREAD, subject, "Vault's state could not be read: nothing there is a Vault"
            )
        case Known(seal) if not seal.initialised:
            return finding(Reason.VAULT_UNINITIALISED, subject, "Vault is not initialised")
        case Known(seal) if seal.sealed:
            return finding(Reason.VAULT_SEALED, subject, "Vault is sealed")
    match facts.login:
        case LoginRefused(why):
            return finding(
                Reason.VAULT_LOGIN_REFUSED,
                subject,
                f"role {facts.declared.login.role} of auth/{facts.declared.login.mount}: {why}",
            )
        case Unknown(why):
            return finding(Reason.SEEDING_UNREAD, subject, f"Vault's login could not be tried: {why}")
    return None


def seed_faults(facts: Facts) -> Iterator[Finding]:
    """Of each declared seed, the first fault."""
    for key, name in facts.declared.seeds.items():
        if fault := _seed_fault(facts, key, facts.sources.get(name, Unknown("its source was not read"))):
            yield fault


def _seed_fault(facts: Facts, key: str, source: Known[Sourced] | Absent | Unknown) -> Finding | None:
    subject = facts.seed_id(key)
    match facts.held.get(key):
        case Unknown(why):
            return finding(Reason.SEEDING_UNREAD, subject, f"seed {key} could not be read: {why}")
        case Absent():
            missing = finding(Reason.SEED_MISSING, subject, f"Vault has no {key}")
            if not isinstance(source, Known):
                return missing
            return _unless_in_vain(facts, key, source.value.version, missing)
        case Known(held) if held.deleted:
            return finding(
                Reason.SEED_DELETED, subject, f"version {held.version} of {key} was deleted", **_of(held)
            )
        case Known(Held(fingerprint=None) as held):
            return finding(
                Reason.SEED_WITHOUT_VALUE,
                subject,
                f"version {held.version} of {key} has no field `value`",
                **_of(held),
            )
        case Known(Held(fingerprint=shown) as held) if shown is not None:
            match source:
                case Known(sourced) if sourced.fingerprint.digest != shown.digest:
                    return _difference(facts, key, held, sourced)
                case _ if shown.placeholder:
                    return finding(
                        Reason.SEED_IS_PLACEHOLDER,
                        subject,
                        f"version {held.version} of {key} is a placeholder",
                        **_of(held),
                    )
    return None


def _difference(facts: Facts, key: str, held: Held, source: Sourced) -> Finding:
    subject, evidence = facts.seed_id(key), {**_of(held), "source": source.version}
    if held.fingerprint is not None and held.fingerprint.placeholder:
        says = f"version {held.version} of {key} is a placeholder"
        wanting = finding(Reason.SEED_IS_PLACEHOLDER, subject, says, **evidence)
        return _unless_in_vain(facts, key, source.version, wanting)
    said = (
        f"version {held.version} of {key} differs from version {source.version} of secret"
        f" {facts.declared.seeds[key]}"
    )
    reason = Reason.SEED_BEHIND if _newer_than_bootstrap(facts, key) else Reason.SEED_DIFFERS
    return finding(reason, subject, said, **evidence)


def _unless_in_vain(facts: Facts, key: str, version: str, wanting: Finding) -> Finding:
    """The seed is to be written, unless that was done often enough."""
    if though := _in_vain(facts, key, version):
        return finding(
            Reason.SEED_FIGHT, wanting.subject, f"{wanting.message} {though}", **dict(wanting.evidence)
        )
    return wanting


def _in_vain(facts: Facts, key: str, version: str) -> str | None:
    """How often this version of the source was written; None where it may be once more."""
    made = [one for one in facts.tries_of(facts.seed_id(key)) if one.after.get("secretVersion") == version]
    of = f"version {version} of its source"
    if (done := sum(one.confirmed or one.proven for one in made)) >= MOST_SEEDINGS:
        return f"again, though {of} was written {done} times in a day"
    if len(made) >= MOST_TRIES:
        return f"still, though {of} was sent {len(made)} times in a day"
    return None


def _newer_than_bootstrap(facts: Facts, key: str) -> bool:
    """The source was set after the bootstrap last succeeded, so it cannot have brought it."""
    name = facts.declared.seeds[key].lower()
    listed = facts.secrets.value if isinstance(facts.secrets, Known) else ()
    updated = next((one.updated for one in listed if one.name.lower() == name), None)
    return updated is not None and (facts.last_success is None or facts.last_success < updated)


def _of(held: Held) -> dict[str, str]:
    return {"version": str(held.version)}
