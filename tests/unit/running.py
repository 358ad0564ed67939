"""One target of a small platform in memory: what its responder sees there, and what comes of a run."""

from datetime import timedelta
from typing import Any

from shared.engine import Report, Run, execute
from shared.journal import Journal
from shared.landscape import Environment, Landscape, OwnIdentity
from shared.leases import Leases
from shared.memory import MemoryRows
from shared.model import Finding, Plan, Target
from shared.plans import Plans
from shared.steps import Crew
from shared.world import Responder, Scope
from tests.unit.clocks import VirtualClock
from tests.unit.platform import Platform

HERE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/Ameide/providers"
OWN = f"{HERE}/Microsoft.ManagedIdentity/userAssignedIdentities/own"


class OneTarget[F]:
    """Its worlds bring what is declared, and the far sides."""

    responder: Responder[F]
    tenant: str
    clock: VirtualClock
    rows: MemoryRows
    azure: Platform

    @property
    def declares(self) -> Environment:
        raise NotImplementedError

    @property
    def scope(self) -> Scope:
        environment = self.declares
        own: dict[str, Any] = {"identity": OWN, "object_id": self.tenant}
        return Scope(
            target=Target(environment.name, self.responder.name),
            landscape=Landscape(
                version=1,
                tenant=self.tenant,
                reconverge=OwnIdentity(**own),
                environments={environment.name: environment},
            ),
            environment=environment,
            world=self.azure.world,
            journal=Journal(self.rows, self.clock),
            clock=self.clock,
            pause=self.clock.pause,
        )

    def gather(self) -> F:
        return self.responder.gather(self.scope)

    def findings(self) -> tuple[Finding, ...]:
        return self.responder.check(self.gather(), self.clock())

    def reasons(self) -> list[str]:
        return [str(one.reason) for one in self.findings()]

    def plan(self) -> Plan:
        facts = self.gather()
        return self.responder.plan(facts, self.responder.check(facts, self.clock()))

    def run(self) -> Report:
        """One run, as the engine makes it."""
        number = self.clock().isoformat()
        crew = Crew(Leases(self.rows, self.clock), lambda: None, number)
        run = Run(id=number, correlation_id="c", actor="test")
        report = execute(self.scope, self.responder, run, Plans(self.rows, self.clock), crew)
        self.clock.advance(timedelta(seconds=1))
        return report
