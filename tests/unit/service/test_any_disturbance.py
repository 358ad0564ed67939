"""Whatever happens in whatever order: once it stops, what is declared ends right, nothing else was touched.

Rebuilt clusters, meddling hands, refusals, lost answers, lost messages, dying processes, lagging directories,
lost or doubled events come in any sequence. What must never happen is looked at after every one of them.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared import workqueue
from shared.errors import PermanentError, TemporaryError, Throttled, WriteConflict
from shared.journal import Kind
from shared.memory import MemoryMessages
from shared.model import Credential, Target
from tests.unit.app import DEV, PROD, VISIBILITY, App, contract, credential_written, environment, rebuilt
from tests.unit.app import cluster_written as written
from tests.unit.federated_credentials.builders import (
    AUDIENCE,
    CLUSTER,
    DEAD,
    IDENTITY,
    OWN,
    OWN_OBJECT,
    SUBJECT,
    declared,
    held,
)
from tests.unit.mortal import MortalApp
from tests.unit.platform import EXCHANGE, GET_CLUSTER, GET_IDENTITY, LIST, PUT

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
SWEEP = 15 * MINUTE
BOUND = timedelta(hours=26)
"""A fight is forgotten after a day, and every pause is shorter."""

SHARED = f"{IDENTITY}-shared"
UNLISTED = f"{IDENTITY}-unlisted"
FOREIGN = held("foreign", issuer="https://token.actions.githubusercontent.com", subject="repo:a/b")
LEFTOVER = held("leftover", subject=f"{SUBJECT}-leftover", issuer=DEAD)

DEV_DECLARES: Final = {
    IDENTITY: (declared("one"), declared("two", subject=f"{SUBJECT}-2")),
    SHARED: (declared("shared-dev"),),
    UNLISTED: (declared("unlisted"),),
}
PROD_DECLARES: Final = {SHARED: (declared("shared-prod", subject=f"{SUBJECT}-prod"),)}
REPAIRABLE: Final = [
    (identity, one)
    for declares in (DEV_DECLARES, PROD_DECLARES)
    for identity, declared_there in declares.items()
    if identity != UNLISTED
    for one in declared_there
]
TROUBLES: Final[dict[str, Exception]] = {
    "409": WriteConflict("ARM answered 409", delay=20 * SECOND),
    "429": Throttled("ARM answered 429", delay=45 * SECOND),
    "503": TemporaryError("ARM answered 503", delay=30 * SECOND),
    "403": TemporaryError("ARM answered 403", delay=5 * MINUTE),
    "400": PermanentError("ARM answered 400"),
    "a defect": RuntimeError("any"),
}


class Disturbances(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        allowed = contract(identities=(IDENTITY, SHARED), pace=SECOND)
        app = rebuilt(
            environment(DEV_DECLARES, contract=allowed),
            environment(PROD_DECLARES, name="prod", contract=allowed),
            made=MortalApp,
        )
        assert isinstance(app, MortalApp)
        self.app = app
        self.issuers = 0
        self.own_before = held("own", issuer=DEAD)
        self.app.platform.hold(OWN, self.own_before)
        for identity in (IDENTITY, SHARED):
            self.app.platform.meddle(identity, FOREIGN)
            self.app.platform.meddle(identity, LEFTOVER)
        self.unlisted = self.app.platform.holds(UNLISTED)
        self.told_of = 0

    # -- what happens ---------------------------------------------------------------------

    @rule()
    def the_cluster_is_rebuilt(self) -> None:
        self.issuers += 1
        self.app.platform.build(CLUSTER, f"https://westeurope.oic.prod-aks.azure.com/tenant/{self.issuers}/")

    @rule()
    def the_cluster_is_told_of(self) -> None:
        self.app.deliver(written())

    @rule(twice=st.booleans())
    def our_own_writes_are_told_of(self, twice: bool) -> None:
        for _ in range(1 + twice):
            for one in self.app.platform.written[self.told_of :]:
                self.app.deliver(credential_written(one.id, caller=OWN_OBJECT if twice else None))
        self.told_of = len(self.app.platform.written)

    @rule(which=st.sampled_from(REPAIRABLE), how=st.sampled_from(["issuer", "subject", "audience", "gone"]))
    def somebody_meddles(self, which: tuple[str, Any], how: str) -> None:
        identity, one = which
        if one.name not in self.app.platform.holds(identity):
            return
        found = self.app.platform.holds(identity)[one.name]
        match how:
            case "issuer":
                self._put(identity, replace(found, issuer=DEAD))
            case "subject":
                self._put(identity, replace(found, subject=f"{SUBJECT}-wrong-{one.name}"))
            case "audience":
                self._put(identity, replace(found, audiences=("api://wrong",)))
            case "gone":
                self.app.platform.delete(identity, one.name)

    def _put(self, identity: str, credential: Credential) -> None:
        self.app.platform.meddle(identity, credential)

    @rule(
        call=st.sampled_from([GET_CLUSTER, GET_IDENTITY, LIST, PUT, EXCHANGE]),
        trouble=st.sampled_from(sorted(TROUBLES)),
        after=st.booleans(),
        times=st.integers(1, 3),
    )
    def azure_has_trouble(self, call: str, trouble: str, after: bool, times: int) -> None:
        if call == EXCHANGE and not isinstance(TROUBLES[trouble], TemporaryError):
            return
        self.app.platform.lay(call, TROUBLES[trouble], after=after and call == PUT, times=times)

    @rule(lag=st.integers(0, 40), propagation=st.integers(0, 300))
    def the_directory_lags(self, lag: int, propagation: int) -> None:
        self.app.platform.lag = lag * SECOND
        self.app.platform.propagation = propagation * SECOND

    @rule(moments=st.integers(1, 40))
    def the_process_will_die(self, moments: int) -> None:
        self.app.mortal.die_in(moments)

    @rule()
    def the_targets_queue_is_cleared(self) -> None:
        """With the messages that nobody can see yet."""
        self.app.messages._queues.pop(workqueue.QUEUE, None)

    @rule(of=st.sampled_from([DEV, PROD]))
    def a_message_is_doubled(self, of: Target) -> None:
        MemoryMessages.send(self.app.messages, workqueue.QUEUE, workqueue.to_message(of))

    @rule(span=st.sampled_from([SECOND, VISIBILITY, 2 * MINUTE, SWEEP]))
    def time_passes(self, span: timedelta) -> None:
        self.app.let(span)

    @rule()
    def the_timer_fires(self) -> None:
        self.app.sweep()
        self.app.work_off()

    # -- what holds all the time ----------------------------------------------------------

    @invariant()
    def there_is_never_a_second_writer_under_an_identity(self) -> None:
        assert self.app.platform.overlaps == []

    @invariant()
    def nothing_outside_the_contract_is_ever_written(self) -> None:
        allowed = {f"{identity}/federatedIdentityCredentials/{one.name}" for identity, one in REPAIRABLE}
        assert {one.id for one in self.app.platform.written} <= allowed
        assert self.app.platform.holds(OWN) == {"own": self.own_before}
        assert self.app.platform.holds(UNLISTED) == self.unlisted

    @invariant()
    def what_nobody_declared_is_never_changed_or_deleted(self) -> None:
        for identity in (IDENTITY, SHARED):
            held_there = self.app.platform.holds(identity)
            assert held_there["foreign"] == FOREIGN
            assert held_there["leftover"] == LEFTOVER

    @invariant()
    def only_what_is_true_or_was_is_written(self) -> None:
        """Never an issuer that no cluster had, never a subject or audience that nobody declared."""
        subjects = {one.name: one.subject for _, one in REPAIRABLE}
        for one in self.app.platform.written:
            assert one.credential.subject == subjects[one.credential.name]
            assert one.credential.audiences == (AUDIENCE,)
            assert one.credential.issuer != DEAD

    @invariant()
    def every_write_was_announced(self) -> None:
        announced = {
            entry.detail["object"]
            for target in (DEV, PROD)
            for entry in self.app.journal(target, Kind.STEP_STARTED)
        }
        assert {one.id for one in self.app.platform.written} <= announced

    # -- and in the end -------------------------------------------------------------------

    def teardown(self) -> None:
        app = self.app
        app.platform.calm()
        end = app.clock() + BOUND
        while app.clock() < end:
            app.sweep()
            app.let(SWEEP)
            if app.clock() > end - BOUND + 2 * SWEEP and all_is_well(app):
                break
        assert all_is_well(app), (app.state(DEV), app.state(PROD))
        for identity, one in REPAIRABLE:
            assert app.platform.admits(CLUSTER, one.subject, identity)
        assert app.state(DEV).word == "human", "the identity that the contract does not list"
        assert app.state(PROD).word in {"repaired", "converged"}


def all_is_well(app: App) -> bool:
    live = app.platform._clusters[CLUSTER.lower()].issuer
    right = all(
        app.platform.holds(identity).get(one.name) == held(one.name, issuer=live, subject=one.subject)
        for identity, one in REPAIRABLE
    )
    return right and app.state(DEV).word == "human" and app.state(PROD).word in {"repaired", "converged"}


TestAnyDisturbance = Disturbances.TestCase
TestAnyDisturbance.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
