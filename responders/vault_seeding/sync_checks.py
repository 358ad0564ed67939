"""Faults of what rests on the seeds: stores, and the ExternalSecrets that read through them. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.vault_seeding import situations
from responders.vault_seeding.facts import Facts
from responders.vault_seeding.log_reasons import said
from responders.vault_seeding.reasons import Reason, finding
from shared.attempts import Stand, stand_of_refresh
from shared.clients.cluster_api import Kind, Synced
from shared.clients.kubernetes_api import time_of
from shared.model import Absent, Finding, Known, Unknown

UNPROVEN = "ValidationUnknown"
"""The operator's reason for a store that is called Ready without having been tried."""
UNTRIED_PATIENCE: Final = timedelta(minutes=10)
"""After a rebuild, stores are there some time before the ExternalSecrets that read through them."""
MOST_REFRESHES: Final = 24
"""Of one object in a day: as many as the same situation gets, one an hour. A store whose reason changes at
each look is in a new situation each time."""


def sync_faults(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Of each declared store, then of each ExternalSecret."""
    for kind, read in ((Kind.STORE, facts.stores), (Kind.EXTERNAL_SECRET, facts.external_secrets)):
        match read:
            case Unknown(why):
                yield finding(
                    Reason.SEEDING_UNREAD, facts.namespace_id, f"{kind.singular}s could not be listed: {why}"
                )
            case Absent():
                yield finding(
                    Reason.EXTERNAL_SECRETS_NOT_SERVED,
                    facts.synced_id(kind, ""),
                    f"the API server serves no {kind.singular}",
                )
            case Known(found):
                yield from _faults(facts, kind, found, now)


def declared(facts: Facts, kind: Kind, found: tuple[Synced, ...]) -> tuple[str, ...]:
    """Names of what must be Ready. Without any ExternalSecret declared, all of the namespace must."""
    if kind is Kind.STORE:
        return facts.declared.stores
    return facts.declared.external_secrets or tuple(one.name for one in found)


def _faults(facts: Facts, kind: Kind, found: tuple[Synced, ...], now: datetime) -> Iterator[Finding]:
    by_name = {one.name: one for one in found}
    for name in declared(facts, kind, found):
        synced = by_name.get(name)
        if synced is None:
            missing = Reason.STORE_MISSING if kind is Kind.STORE else Reason.EXTERNAL_SECRET_MISSING
            says = f"namespace {facts.declared.namespace} has no {kind.singular} {name}"
            yield finding(missing, facts.synced_id(kind, name), says)
        elif not synced.ready:
            yield from _not_ready(facts, kind, synced, now)
        elif kind is Kind.STORE and synced.reason == UNPROVEN:
            yield _unproven(facts, synced, now)


def _unproven(facts: Facts, store: Synced, now: datetime) -> Finding:
    """An ExternalSecret that reads through it is its proof, or has a finding of its own."""
    subject = facts.synced_id(Kind.STORE, store.name)
    says = f"SecretStore {store.name} says {UNPROVEN}, which proves nothing"
    if _is_read_through(facts, store.name):
        return finding(Reason.STORE_UNPROVEN, subject, says)
    since = _time(store.since)
    young = since is not None and now - since < UNTRIED_PATIENCE
    reason = Reason.STORE_UNTRIED if young else Reason.STORE_NEVER_TRIED
    return finding(reason, subject, f"{says}, and no ExternalSecret reads through it")


def _is_read_through(facts: Facts, store: str) -> bool:
    if not isinstance(facts.external_secrets, Known):
        return True
    found = facts.external_secrets.value
    watched = declared(facts, Kind.EXTERNAL_SECRET, found)
    return any(store in one.reads for one in found if one.name in watched)


def _time(text: str) -> datetime | None:
    try:
        return time_of(text)
    except ValueError:
        return None


def _not_ready(facts: Facts, kind: Kind, synced: Synced, now: datetime) -> Iterator[Finding]:
    subject = facts.synced_id(kind, synced.name)
    causes = facts.told.get(subject, ())
    why = "; ".join(said(cause) for cause in causes)
    message = f"{kind.singular} {synced.name} is not Ready ({synced.reason or 'no condition yet'})" + (
        f": {why}" if why else ""
    )
    reason = Reason.STORE_NOT_READY if kind is Kind.STORE else Reason.EXTERNAL_SECRET_NOT_READY
    made = facts.tries_of(subject)
    situation = situations.of_refresh(facts, kind, synced)
    match stand_of_refresh(made[-1] if made else None, situation, now):
        case Stand.WAITING:
            yield finding(Reason.REFRESHING, subject, f"{kind.singular} {synced.name} was just refreshed")
        case Stand.DUE if len(made) < MOST_REFRESHES:
            yield finding(reason, subject, message)
        case _:
            yield finding(Reason.REFRESH_IN_VAIN, subject, message)
