"""Checks and plan of many identities with all the credentials that Azure lets them hold.

The floor is the least that any checker does: one plain pass over the same records that compares three texts
of each credential. When everything is stale, the answer itself is the greater part: its floor also makes the
same number of findings and steps, from texts that are there already. Its own growth is shown beside ours:
Python's collector walks all that lives, the more often the more is made.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Final

from bench.measure import Line, Race, computing, ms, race
from responders.federated_credentials import RESPONDER
from responders.federated_credentials.facts import Facts, Holding
from shared.landscape import Contract, DeclaredCredential, Mode
from shared.model import Cluster, Credential, Finding, Identity, Known, Plan, Step, Target, utc_now

IDENTITIES: Final = 1_000
MANY: Final = 10_000
CREDENTIALS: Final = 20
BUDGET: Final = timedelta(milliseconds=100)
LINEAR: Final = 1.2
ROUNDS: Final = 5
ROUNDS_OF_MANY: Final = 2

_GROUP: Final = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/bench/providers"
_CLUSTER: Final = f"{_GROUP}/Microsoft.ContainerService/managedClusters/aks"
_LIVE: Final = "https://westeurope.oic.prod-aks.azure.com/22222222-2222-2222-2222-222222222222/live/"
_DEAD: Final = "https://westeurope.oic.prod-aks.azure.com/22222222-2222-2222-2222-222222222222/dead/"


def lines() -> list[Line]:
    return [*_of("healthy", _LIVE, _compare), *_of("all stale", _DEAD, _compare_and_answer)]


def _of(state: str, issuer: str, floor: Callable[[Facts], object]) -> list[Line]:
    facts = _facts(IDENTITIES, issuer)
    against_floor = race(computing(lambda: _judge(facts)), computing(lambda: floor(facts)), rounds=ROUNDS)
    what = f"checks and plan, {IDENTITIES:,} × {CREDENTIALS} {state}"
    many = _facts(MANY, issuer)
    against_few = _growth(_judge, many, facts)
    floors = _growth(floor, many, facts)
    return [
        Line(
            what=what,
            measured=ms(against_floor.one),
            against=f"a budget of {ms(BUDGET.total_seconds())}",
            ratio=against_floor.one / BUDGET.total_seconds(),
            target=1.0,
            note=f"fastest round {ms(against_floor.fastest)}",
        ),
        Line(
            what=what,
            measured=ms(against_floor.one),
            against=f"{(floor.__doc__ or '').rstrip('.').lower()}: {ms(against_floor.other)}",
            ratio=against_floor.ratio,
        ),
        Line(
            what=f"time per identity, {MANY:,} {state}",
            measured=f"{against_few.one / MANY * 1_000_000:.0f} µs",
            against=f"with {IDENTITIES:,}: {against_few.other / IDENTITIES * 1_000_000:.0f} µs",
            ratio=against_few.ratio * IDENTITIES / MANY,
            target=LINEAR,
            note=f"the floor's own {floors.ratio * IDENTITIES / MANY:.2f}",
        ),
    ]


def _growth(work: Callable[[Facts], object], many: Facts, few: Facts) -> Race:
    return race(computing(lambda: work(many)), computing(lambda: work(few)), rounds=ROUNDS_OF_MANY)


def _judge(facts: Facts) -> Plan:
    return RESPONDER.plan(facts, RESPONDER.check(facts, utc_now()))


def _compare(facts: Facts) -> list[tuple[DeclaredCredential, Credential]]:
    """Three comparisons each."""
    different = []
    for holding in facts.holdings:
        assert isinstance(holding.credentials, Known)  # noqa: S101 (made so below)
        for declared, held in zip(holding.declared, holding.credentials.value, strict=True):
            if (
                held.issuer != _LIVE
                or held.subject != declared.subject
                or held.audiences[0] != declared.audience
            ):
                different.append((declared, held))
    return different


def _compare_and_answer(facts: Facts) -> Plan:
    """The same, with a finding and a step each."""
    different = _compare(facts)
    findings = [Finding(reason="", subject=_CLUSTER, message=held.issuer) for _, held in different]
    steps = [
        Step(
            action="",
            object=_CLUSTER,
            owner=_CLUSTER,
            before={"name": held.name, "issuer": held.issuer, "subject": declared.subject, "audience": ""},
            after={"name": held.name, "issuer": _LIVE, "subject": declared.subject, "audience": ""},
            mends=finding.reason,
        )
        for (declared, held), finding in zip(different, findings, strict=True)
    ]
    return Plan(target=Target(facts.environment, RESPONDER.name), facts="", steps=tuple(steps))


def _facts(identities: int, issuer: str) -> Facts:
    """An environment whose credentials all trust that issuer, and else are as declared."""
    cluster = Cluster(id=_CLUSTER, provisioning_state="Succeeded", power_state="Running", issuer=_LIVE)
    return Facts(
        environment="bench",
        clusters={"aks": Known(cluster)},
        cluster_ids={"aks": _CLUSTER},
        live_issuers=frozenset({_LIVE}),
        holdings=tuple(_holding(number, issuer) for number in range(identities)),
        contract=Contract(default=Mode.APPLY),
        own_identity=f"{_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/own",
        own_object_id="own",
    )


def _holding(number: int, issuer: str) -> Holding:
    identity_id = f"{_GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/identity-{number}"
    return Holding(
        id=identity_id,
        declared=_declared(number),
        elsewhere=frozenset(),
        trusted_issuers=frozenset(),
        identity=Known(Identity(id=identity_id, client_id="", principal_id=str(number), tenant_id="")),
        credentials=Known(tuple(_held(declared, issuer) for declared in _declared(number))),
        writes={},
        others={},
    )


@cache
def _declared(number: int) -> tuple[DeclaredCredential, ...]:
    return tuple(
        DeclaredCredential(
            name=f"credential-{index}",
            cluster="aks",
            subject=f"system:serviceaccount:namespace-{number}:account-{index}",
        )
        for index in range(CREDENTIALS)
    )


def _held(declared: DeclaredCredential, issuer: str) -> Credential:
    """Its texts are equal to the declared ones and not the same objects, as if they came from the wire."""
    return Credential(
        name=_copy(declared.name),
        issuer=_copy(issuer),
        subject=_copy(declared.subject),
        audiences=(_copy(declared.audience),),
    )


def _copy(text: str) -> str:
    return text.encode().decode()
