"""A GitLab that is deployed from Git, in memory: what Argo CD renders, and how its migrations go."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from responders.gitlab_migrations import RESPONDER
from responders.gitlab_migrations.facts import MIGRATIONS, SIDEKIQ, WEBSERVICE, Facts
from shared.clients.cluster_api import JobState
from shared.engine import Report, Run, execute, record_outcome
from shared.landscape import (
    ApplicationRule,
    Contract,
    DeclaredArgoCD,
    DeclaredCluster,
    DeclaredGitLab,
    DeclaredKeycloak,
    Environment,
    Mode,
)
from shared.leases import Leases
from shared.memory import MemoryRows
from shared.model import Finding, Plan, Severity, Target
from shared.plans import Plans
from shared.steps import Crew
from shared.world import AnyResponder, Leads, Look, ReasonInfo, Responder, Scope
from shared.yaml_documents import Document, Scalar
from tests.unit.applications.builders import operation
from tests.unit.clocks import VirtualClock
from tests.unit.federated_credentials.builders import CLUSTER, LIVE
from tests.unit.gitlab_migrations.builders import (
    CI,
    PAGE,
    PATH,
    REPOSITORY,
    SECOND,
    SECRET,
    SUFFIX,
    database_yml,
    declared,
)
from tests.unit.platform import Platform
from tests.unit.running import OneTarget

APP = "dev-platform-gitlab"
MAY: dict[str, Any] = {
    "default": Mode.APPLY,
    "repositories": (REPOSITORY,),
    "applications": ("dev-*",),
    "pace": timedelta(0),
}
GIT = """\
# GitLab in dev.
gitlab:
  global:
    psql:
      ci:
        database: gitlabhq_production
  gitlab:
    migrations:
      annotations:
        rerun: "1"
"""
_RULE = "- The 'ci' since it is using 'database_tasks: false' should share database with 'main:'."
REFUSAL = (
    f"password={SECRET}\nrake aborted!\nDatabase config validation failure:\n{_RULE}\n"
    "Use `export GITLAB_VALIDATE_DATABASE_CONFIG=0` to ignore this validation."
)
ON_ONE = REFUSAL.replace(
    _RULE, "- Many configurations (main, ci) share the same database (gitlabhq_production)."
)
NO_DATABASE = f'{SECRET} could not translate host name "pg" to address: Name or service not known'
NO_STORAGE = f"GET /users/sign_in 500\n{SECRET} <Code>InvalidAccessKeyId</Code>"
DAMAGE = "Missing"
LABELS = {"app": MIGRATIONS, "release": "platform-gitlab"}


class World(OneTarget[Facts]):
    responder = RESPONDER
    tenant = "11111111-1111-1111-1111-111111111111"

    def __init__(self, git: str = GIT, **contract: Any) -> None:
        self.clock = VirtualClock()
        self.rows = MemoryRows()
        self.azure = Platform(self.clock)
        self.azure.build(CLUSTER, LIVE)
        self.github, self.argocd = self.azure.github, self.azure.argocd
        self.github.clock = self.clock
        self.workloads, self.web = self.azure.workloads, self.azure.web
        self.workloads.clock = self.clock
        self.github.put(REPOSITORY, "main", PATH, git)
        self.gitlab: DeclaredGitLab = declared()
        self.keycloak: DeclaredKeycloak | None = None
        self.has_argocd = True
        self.contract = Contract(**{**MAY, **contract})
        self.reachable = True
        self.storage = True
        self.sealed = False
        """The root: Vault is sealed."""
        self.never_succeeds = ""
        """What the migrations write when they fail whatever is changed."""
        self.fixed_name = False
        """The Job's name follows from the suffix alone, as with nameSuffixOverride."""
        self.argocd.make(APP)
        self.argocd.synced = self.controller_syncs
        self.controller_syncs(APP)
        self.clock.advance(timedelta(hours=1))

    @property
    def declares(self) -> Environment:
        rules = (ApplicationRule(match="dev-*"),)
        return Environment(
            name="dev",
            clusters=(DeclaredCluster(name="aks", id=CLUSTER),),
            identities=(),
            keycloak=self.keycloak,
            gitlab=self.gitlab,
            argocd=DeclaredArgoCD(cluster="aks", applications=rules) if self.has_argocd else None,
            contract=self.contract,
        )

    @property
    def scope(self) -> Scope:
        return replace(super().scope, preconditions=(self.vault_seeding(),))

    def vault_seeding(self) -> AnyResponder:
        def check(*_: object) -> tuple[Finding, ...]:
            sealed = Finding(reason=DAMAGE, subject="http://vault", message="it is sealed")
            return (sealed,) if self.sealed else ()

        target = Target("dev", "vault_seeding")
        return Responder(
            name="vault_seeding",
            actions=(),
            reasons={DAMAGE: ReasonInfo(Leads.PERSON, Severity.ERROR, "", "")},
            gather=lambda _scope: None,
            check=check,
            plan=lambda _facts, _findings: Plan(target=target, facts="", steps=()),
            apply=lambda _scope, _step: None,
            verify=lambda _scope, _facts: (),
            doubt=lambda _facts, _proofs, _now: (),
            look_again=lambda _facts, _finding, _now: Look(SECOND),
        )

    def run(self) -> Report:
        number = self.clock().isoformat()
        crew = Crew(Leases(self.rows, self.clock), lambda: None, number)
        run = Run(id=number, correlation_id="c", actor="test")
        scope = self.scope
        report = execute(scope, self.responder, run, Plans(self.rows, self.clock), crew)
        record_outcome(scope.journal, scope.target, run, report)
        self.clock.advance(SECOND)
        return report

    # -- what Git says --------------------------------------------------------------------

    @property
    def git(self) -> str:
        return self.github.text(REPOSITORY, "main", PATH) or ""

    def value(self, key: str, default: str) -> str:
        found = Document(self.git).field(key)
        return found.text if isinstance(found, Scalar) else default

    def commit(self, change: Callable[[str], str]) -> None:
        self.github.put(REPOSITORY, "main", PATH, change(self.git))

    def merge(self) -> None:
        (number,) = self.github.open
        self.github.merge(number, "main", PATH)
        self.clock.advance(timedelta(minutes=5))

    # -- what Argo CD and the cluster do --------------------------------------------------

    def controller_syncs(self, name: str) -> None:
        """Renders what Git says. A Job of a name that is there already is left as it is."""
        now = self.clock()
        ci = self.value(f"{CI}.database", "gitlabhq_production_ci")
        self.render(database_yml(ci=ci, host=self.value(f"{CI}.host", "postgres-ameide-rw")))
        inputs = self.value(SUFFIX, "") if self.fixed_name else self.git
        suffix = hashlib.sha256(inputs.encode()).hexdigest()[:7]
        job = f"platform-gitlab-migrations-{suffix}"
        if job not in self.workloads.works:
            self.workloads.works.clear()
            self.migrate(job, LABELS, now, ci)
        state = replace(operation(), started=now, finished=now)
        self.argocd.change(name, requested=False, operation=state)

    def render(self, database: str) -> None:
        self.workloads.configure("platform-gitlab-migrations", {"database.yml.erb": database}, LABELS)

    def migrate(self, name: str, labels: dict[str, str], now: datetime, ci: str) -> None:
        log = self.never_succeeds
        if not log and not self.reachable:
            log = NO_DATABASE
        if not log and ci != "gitlabhq_production":
            log = REFUSAL
        self.workloads.make(
            name,
            log or "Migrations complete",
            labels=labels,
            state=JobState.FAILED if log else JobState.COMPLETE,
            reason="BackoffLimitExceeded" if log else "",
            created=now,
            started=now,
            completed=None if log else now,
        )
        # Background migrations have a Job of their own, which is none of ours, and fails here.
        self.workloads.make(
            name.replace("migrations-", "migrations-bbm-"),
            REFUSAL,
            labels={**labels, "app.kubernetes.io/component": "bbm"},
            state=JobState.FAILED,
            created=now + SECOND,
        )
        self.start_pods(schema=not log, now=now)

    def start_pods(self, *, schema: bool, now: datetime) -> None:
        for app in (WEBSERVICE, SIDEKIQ):
            waits = NO_DATABASE if not self.reachable else "Database has not been initialized yet."
            log = NO_STORAGE if not self.storage else "listening"
            self.workloads.run_pod(
                f"{app}-1",
                {app: log} if schema else {"dependencies": waits},
                labels={"app": app, "release": "platform-gitlab"},
                created=now,
                ready=schema,
                initialised=schema,
            )
        if not schema:
            self.web.answer(PAGE, 502)
        else:
            self.web.answer(PAGE, 200 if self.storage else 500)

    def come_back(self) -> None:
        """The database answers again, and pods that wait say so."""
        self.reachable = True
        self.start_pods(schema=False, now=self.clock())


def unmapped(**contract: Any) -> World:
    """Git maps ci to a database of its own, and the migrations were refused."""
    return World(GIT.replace("gitlabhq_production", "gitlabhq_production_ci"), **contract)


def without_database(**contract: Any) -> World:
    """The migrations failed while the database could not be reached."""
    world = World(**contract)
    world.reachable = False
    world.commit(lambda text: text.replace('"1"', '"2"'))
    world.controller_syncs(APP)
    world.clock.advance(timedelta(hours=1))
    return world
