"""Proves what was begun where people see it: the page that GitLab makes with its database, and the pods that
waited for the schema. A pull request that was merged and a Job that was made prove nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from responders.gitlab_migrations.facts import WEBSERVICE, Facts
from responders.gitlab_migrations.plan import SYNC
from responders.gitlab_migrations.reasons import Reason
from responders.gitlab_migrations.repairs import MAP, is_mapped, needed
from shared.attempts import FIRST_LOOK, next_look
from shared.model import Finding, Proof, Unknown, Verdict
from shared.world import Look, Scope

METHOD: Final = "page-and-pods"
UNREAD_PAUSE: Final = timedelta(seconds=30)
LONGEST_FOR_PEOPLE: Final = timedelta(minutes=15)
"""While a pull request waits for them."""


def verify(scope: Scope, facts: Facts) -> tuple[Proof, ...]:
    """One proof for each object of ours that has none yet. Reads nothing itself."""
    if not well(facts):
        return ()
    detail = f"{facts.declared.page} is answered, the webservice is Ready, and the migrations are complete"
    return tuple(
        Proof(object=subject, method=METHOD, verdict=Verdict.ACCEPTED, detail=detail, at=scope.clock())
        for subject in _unproven(facts)
    )


def well(facts: Facts) -> bool:
    """The schema is there, people see it, and nothing of a change is still to come."""
    seen = facts.page_proven and facts.ready(WEBSERVICE)
    return seen and not facts.schema_awaited and needed(facts) is None and not _to_be_rendered(facts)


def _to_be_rendered(facts: Facts) -> bool:
    """Git has the mapping, and a Job of before it may be complete as well."""
    newest = next(reversed(facts.made), None)
    return facts.landed and newest is not None and newest.action == MAP and not is_mapped(facts)


def _unproven(facts: Facts) -> Iterator[str]:
    newest = next(reversed(facts.made), None)
    declared = facts.declared.migrations
    if newest is not None and not newest.proven and facts.landed and declared is not None:
        yield declared.values.reference
    attempt = facts.attempts.get(facts.application_id.lower())
    if attempt is not None and attempt.action == SYNC and not attempt.proven:
        yield facts.application_id


def look_again(facts: Facts, finding: Finding, now: datetime) -> Look:
    """Soon after what was begun last, then less and less often; people get longer."""
    if finding.reason == Reason.GITLAB_UNREAD:
        asked = max(_asked_for(facts), default=None)
        return Look(UNREAD_PAUSE) if asked is None else Look(asked, asked=True)
    if finding.reason == Reason.MIGRATIONS_CHANGE_OPEN:
        begun = max((one.at for one in facts.made), default=None)
        half = LONGEST_FOR_PEOPLE if begun is None else (now - begun) / 2
        return Look(min(max(half, FIRST_LOOK), LONGEST_FOR_PEOPLE))
    return next_look(_begun(facts), now)


def _begun(facts: Facts) -> Iterator[datetime]:
    """Our writes, the newest Job and what became of it, and when we were last held back."""
    yield from (one.at for one in facts.attempts.values())
    job = facts.job
    times = [job.created, job.completed] if job else []
    yield from (at for at in (*times, facts.blocked_at) if at is not None)


def _asked_for(facts: Facts) -> Iterator[timedelta]:
    """The pauses that the far sides named."""
    proposal = facts.proposal
    reads: list[object] = [facts.jobs, facts.log, facts.rendered, facts.application, facts.proposals]
    reads += facts.pods.values()
    reads += [proposal.text, proposal.history, proposal.proposed] if proposal else []
    for read in reads:
        if isinstance(read, Unknown) and read.delay is not None:
            yield read.delay
