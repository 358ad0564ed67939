"""Proves what was begun, by the facts read after it: where it failed, not where it was written."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.vault_seeding.facts import Facts
from responders.vault_seeding.reasons import Reason
from responders.vault_seeding.sync_checks import UNPROVEN
from shared.attempts import Attempt, next_look
from shared.clients.cluster_api import Kind
from shared.model import Finding, Known, Proof, Unknown, Verdict
from shared.world import Look, Scope

UNREAD_PAUSE: Final = timedelta(seconds=30)


def verify(scope: Scope, facts: Facts) -> tuple[Proof, ...]:
    """One proof for each of our writes whose effect is there, and that has none yet. Reads nothing itself."""
    return tuple(
        Proof(object=subject, method="read-back", verdict=Verdict.ACCEPTED, detail=detail, at=scope.clock())
        for subject, detail in _effects(facts)
    )


def _effects(facts: Facts) -> Iterator[tuple[str, str]]:
    if (begun := _unproven(facts, facts.cron_job_id)) and _succeeded_since(facts, begun.at):
        yield facts.cron_job_id, "the bootstrap succeeded after it was started"
    for key, name in facts.declared.seeds.items():
        if _unproven(facts, facts.seed_id(key)) and _equal(facts, key, name):
            yield facts.seed_id(key), "Vault holds what Key Vault holds"
    for kind, read in ((Kind.STORE, facts.stores), (Kind.EXTERNAL_SECRET, facts.external_secrets)):
        for one in read.value if isinstance(read, Known) else ():
            subject = facts.synced_id(kind.value, one.name)
            if _unproven(facts, subject) and one.ready and one.reason != UNPROVEN:
                yield subject, f"{kind.singular} {one.name} is Ready"


def _unproven(facts: Facts, subject: str) -> Attempt | None:
    attempt = facts.attempts.get(subject.lower())
    return attempt if attempt and not attempt.proven else None


def _succeeded_since(facts: Facts, at: datetime) -> bool:
    # The API server's times have no fractions of a second.
    return facts.last_success is not None and facts.last_success >= at.replace(microsecond=0)


def _equal(facts: Facts, key: str, name: str) -> bool:
    match facts.held.get(key), facts.sources.get(name):
        case Known(held), Known(source):
            return held.fingerprint is not None and held.fingerprint.digest == source.fingerprint.digest
    return False


def look_again(facts: Facts, finding: Finding, now: datetime) -> Look:
    """Soon after what was begun last, then less and less often."""
    if finding.reason == Reason.SEEDING_UNREAD:
        asked = max(_asked_for(facts), default=None)
        return Look(UNREAD_PAUSE) if asked is None else Look(asked, asked=True)
    return next_look(_begun(facts), now)


def _begun(facts: Facts) -> Iterator[datetime]:
    """Our writes, and the making of the CronJob, which a rebuild brings about."""
    yield from (one.at for one in facts.attempts.values())
    if isinstance(facts.cron_job, Known) and facts.cron_job.value.created is not None:
        yield facts.cron_job.value.created


def _asked_for(facts: Facts) -> Iterator[timedelta]:
    """The pauses that the far side named."""
    reads = (
        facts.key_vault,
        facts.secrets,
        facts.seal,
        facts.login,
        facts.cron_job,
        facts.jobs,
        facts.log,
        facts.stores,
        facts.external_secrets,
        *facts.sources.values(),
        *facts.held.values(),
    )
    for read in reads:
        if isinstance(read, Unknown) and read.delay is not None:
            yield read.delay
