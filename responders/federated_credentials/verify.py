"""Proves what was written: the content by the facts read after the write, the effect by a real exchange.

Read only, but for the exchange, whose tokens are dropped at once.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from responders.federated_credentials.cases import Case, cases, stands
from responders.federated_credentials.checks import cluster_fault, identity_fault
from responders.federated_credentials.facts import Facts
from responders.federated_credentials.plan import is_settled
from responders.federated_credentials.reasons import Reason
from shared.clients.entra import Accepted, Declined
from shared.landscape import ProofMethod
from shared.model import Finding, Known, Proof, Unknown, Verdict
from shared.world import Look, Scope

PROVERS: Final = 8

FIRST_LOOK: Final = timedelta(seconds=5)
LAST_LOOK: Final[Mapping[str, timedelta]] = {
    Reason.PROPAGATING: timedelta(minutes=2),
    Reason.READ_MAY_BE_STALE: timedelta(minutes=2),
    # What keeps a token from being tried is seldom gone in minutes.
    Reason.UNPROVEN: timedelta(minutes=15),
}
UNREAD_PAUSE: Final = timedelta(seconds=30)
SETTLING_PAUSE: Final = timedelta(minutes=1)
"""A cluster takes minutes to build; its last event wakes us anyway."""


def verify(scope: Scope, facts: Facts) -> tuple[Proof, ...]:
    """One proof for each credential that reads as declared and as we wrote it, and that has none yet."""
    now = scope.clock()
    due = [case for case in _readable(facts, now) if is_settled(case) and _unproven(case)]
    if facts.contract.proof is ProofMethod.READ_BACK:
        return tuple(_read_back(scope, case) for case in due)
    with ThreadPoolExecutor(max_workers=PROVERS, thread_name_prefix="verify") as pool:
        return tuple(pool.map(lambda case: _exchange(scope, case), due))


def _readable(facts: Facts, now: datetime) -> list[Case]:
    return [
        case
        for holding in facts.holdings
        if identity_fault(facts, holding) is None
        for case in cases(facts, holding, now)
        if cluster_fault(facts, case.declared.cluster) is None
    ]


def _unproven(case: Case) -> bool:
    """It stands there by our own last write, which has no proof yet."""
    if case.found is None or not case.writes:
        return False
    return not case.writes[-1].proven and stands(case.writes[-1], case.found)


def _read_back(scope: Scope, case: Case) -> Proof:
    return Proof(
        object=case.subject_id,
        method="read-back",
        verdict=Verdict.ACCEPTED,
        detail="reads as declared; contract.proof asks for no exchange",
        at=scope.clock(),
    )


def _exchange(scope: Scope, case: Case) -> Proof:
    assert isinstance(case.holding.identity, Known)  # noqa: S101 (identity_fault was None)
    identity = case.holding.identity.value
    match scope.world.exchanges.prove(
        case.facts.cluster_ids[case.declared.cluster],
        case.declared.subject,
        case.declared.audience,
        client_id=identity.client_id,
        tenant=identity.tenant_id,
    ):
        case Accepted():
            verdict, detail = Verdict.ACCEPTED, "Entra accepted a token of the service account"
        case Declined(code):
            verdict, detail = Verdict.REFUSED, code
        case Unknown(why):
            verdict, detail = Verdict.UNPROVEN, why
    return Proof(
        object=case.subject_id,
        method="token-exchange",
        verdict=verdict,
        detail=detail,
        at=scope.clock(),
        write=None if verdict is Verdict.ACCEPTED else case.writes[-1].plain(),
    )


def look_again(facts: Facts, finding: Finding, now: datetime) -> Look:
    """Soon after a write, then less and less often: half its age, from 5 s to the reason's longest pause."""
    if longest := LAST_LOOK.get(finding.reason):
        newest = max(
            (writes[-1].at for holding in facts.holdings for writes in holding.writes.values()), default=now
        )
        return Look(min(max((now - newest) / 2, FIRST_LOOK), longest))
    if finding.reason == Reason.UNREAD:
        asked = max(_asked_for(facts), default=None)
        return Look(UNREAD_PAUSE) if asked is None else Look(asked, asked=True)
    return Look(SETTLING_PAUSE)


def _asked_for(facts: Facts) -> Iterator[timedelta]:
    """The pauses that the far side named."""
    reads = [
        *facts.clusters.values(),
        *(read for one in facts.holdings for read in (one.identity, one.credentials)),
    ]
    for read in reads:
        if isinstance(read, Unknown) and read.delay is not None:
            yield read.delay
