"""A realm in a small platform in memory: Argo CD runs its two Jobs by the values in Git, and they act as the
real ones do. Whole runs against it."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from responders.keycloak_bootstrap import RESPONDER
from responders.keycloak_bootstrap.course import NAME
from responders.keycloak_bootstrap.facts import Facts
from responders.keycloak_bootstrap.order import Place
from responders.vault_seeding import RESPONDER as SEEDING
from shared.clients.cluster_api import CronJob, JobState, Kind
from shared.clients.fingerprints import placeholder_digest
from shared.engine import Report, Run, record_outcome
from shared.landscape import (
    Action,
    Contract,
    DeclaredArgoCD,
    DeclaredCluster,
    DeclaredKeycloak,
    DeclaredVault,
    Environment,
    Mode,
)
from shared.landscape.argocd import ApplicationRule
from shared.memory import MemoryRows
from shared.model import Target, Word
from shared.world import AnyResponder, Responder, Scope
from shared.yaml_documents import Document, Scalar
from tests.unit.applications.builders import operation
from tests.unit.clocks import START, VirtualClock
from tests.unit.federated_credentials.builders import CLUSTER, LIVE
from tests.unit.keycloak_bootstrap.builders import (
    APPLICATION,
    BOOTSTRAP,
    CALLBACK,
    PATCHER,
    PATH,
    PORTAL,
    REPOSITORY,
    RIGHT,
    URL,
    declared,
)
from tests.unit.platform import Platform
from tests.unit.running import OneTarget
from tests.unit.vault_seeding.builders import CRON_JOB, KEY_VAULT
from tests.unit.vault_seeding.builders import declared as declared_vault
from tests.unit.workloads import digest

MINUTE = timedelta(minutes=1)
TARGET = Target("dev", NAME)
SECRET = "the client's secret that nobody may see"
FIXTURE = "keycloak_generated_placeholder"
TENANT = "00000000-0000-0000-0000-000000000000"
PAGE = REPOSITORY.removesuffix(".git")
FORBIDDEN = f"login with {SECRET}\nERROR: GET /admin/realms/ameide/clients: 403 Forbidden\n"
UNAUTHORISED = (
    "POST https://auth.dev.ameide.io/realms/ameide/protocol/openid-connect/token: 401 Unauthorized\n"
    '{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}\n'
)
SEALED = "PUT /v1/secret/data/gitlab-oidc-client-secret: 503 Vault is sealed\n"
CLIENTS = {
    "platform-app": (PORTAL, "platform-app-client-secret"),
    "gitlab": (CALLBACK, "gitlab-oidc-client-secret"),
}


def allowing(**changes: Any) -> Contract:
    usual: dict[str, Any] = {
        "default": Mode.APPLY,
        "repositories": (REPOSITORY,),
        "namespaces": ("ameide-dev",),
        "keycloaks": (URL,),
        "applications": ("dev-*",),
        "pace": timedelta(0),
    }
    return Contract(**{**usual, **changes})


DIRECT = allowing(actions={Action.KEYCLOAK_JOBS: Mode.APPLY})


@dataclass
class World(OneTarget[Facts]):
    """Everything is well at first: the Jobs ran in the right order two hours ago."""

    text: str = RIGHT
    keycloak: DeclaredKeycloak = field(
        default_factory=lambda: declared(placeholders=(placeholder_digest(FIXTURE),))
    )
    vault: DeclaredVault | None = field(default_factory=declared_vault)
    with_argocd: bool = True
    contract: Contract = field(default_factory=allowing)
    preconditions: tuple[AnyResponder, ...] = (SEEDING,)
    clock: VirtualClock = field(default_factory=VirtualClock)
    rows: MemoryRows = field(default_factory=MemoryRows)
    responder: Responder[Facts] = RESPONDER
    tenant: str = TENANT
    automation: bool = False
    """The client that the patcher logs in as is there."""
    refused_by: str = FORBIDDEN
    """What the patcher's log says without that client."""
    refuses: str = ""
    """What the patcher's log says instead of being done, whatever else is so."""
    brings: bool = True
    """What the patcher says it has written is there."""
    syncs: int = 0

    def __post_init__(self) -> None:
        self.azure = Platform(self.clock)
        self.github, self.seeds, self.argocd = self.azure.github, self.azure.seeds, self.azure.argocd
        self.workloads, self.keycloaks, self.web = (
            self.azure.workloads,
            self.azure.keycloaks,
            self.azure.web,
        )
        self.github.clock = self.workloads.clock = self.clock
        self.azure.build(CLUSTER, LIVE)
        self._seeded()
        self.github.put(REPOSITORY, "main", PATH, self.text)
        self.web.answer(f"{URL}/realms/ameide", 200)
        for name in self.keycloak.realm_imports:
            self.workloads.import_realm(name, created=START - timedelta(days=1))
        for client in CLIENTS:
            self.keycloaks.hold(client)
        self.argocd.make(APPLICATION)
        self.argocd.synced = self.sync
        self.workloads.reran = self.rerun
        self.clock.advance(-timedelta(hours=2))
        self.sync(APPLICATION)
        self.clock.advance(timedelta(hours=2))
        self.syncs = 0

    def _seeded(self) -> None:
        """As vault_seeding wants it."""
        self.azure.resources[KEY_VAULT.lower()] = "https://seeds-kv.vault.azure.net/"
        self.seeds.key_vaults.values = {"ghcr-username": "robot", "ghcr-token": "a token"}
        self.seeds.vaults.versions = {"ghcr/token": ["a token"]}
        cluster = self.seeds.kubernetes
        cluster.cron_jobs[CRON_JOB] = CronJob(
            uid="uid-1",
            schedule="0 3 * * *",
            time_zone=None,
            suspended=False,
            created=START - timedelta(days=30),
            last_success=None,
        )
        cluster.run("old", JobState.COMPLETE, START - MINUTE)
        cluster.make(Kind.STORE, "store")
        cluster.make(Kind.EXTERNAL_SECRET, "pull")

    # -- what is declared -----------------------------------------------------------------

    @property
    def declares(self) -> Environment:
        rule = ApplicationRule(match="dev-*")
        return Environment(
            name="dev",
            clusters=(DeclaredCluster(name="aks", id=CLUSTER),),
            identities=(),
            keycloak=self.keycloak,
            vault=self.vault,
            argocd=DeclaredArgoCD(cluster="aks", applications=(rule,)) if self.with_argocd else None,
            contract=self.contract,
        )

    @property
    def scope(self) -> Scope:
        return replace(super().scope, preconditions=self.preconditions)

    # -- what Argo CD and the Jobs do -----------------------------------------------------

    def sync(self, name: str, text: str = "") -> None:
        """Both Jobs, by what the file says now; the first that fails ends it.

        text: what they are rendered from instead
        """
        self.syncs += 1
        document, begun = Document(text or self.values), self.clock()
        places = {
            BOOTSTRAP: _place(document, "masterBootstrap"),
            PATCHER: _place(document, "clientPatcher"),
        }
        failed, made = None, []
        for job in sorted(places, key=lambda one: (places[one].phases[0], places[one].wave)):
            place = places[job]
            made.append(job)
            self.workloads.make(job, uid=f"{job}-of-sync-{self.syncs}", hook=place.hook, wave=place.wave)
            if not self.run_job(job):
                failed = job
                break
        phase = "Failed" if failed else "Succeeded"
        ended = operation(phase, "one or more synchronization tasks completed unsuccessfully")
        self.argocd.change(
            name,
            requested=False,
            operation=replace(ended, started=begun, finished=self.clock(), jobs=tuple(made)),
            sync="OutOfSync" if failed else "Synced",
        )

    def rerun(self, job: str) -> None:
        self.run_job(job)

    def run_job(self, job: str) -> bool:
        work = {BOOTSTRAP: self.bootstrap, PATCHER: self.patch}[job]
        begun, well = self.clock(), work()
        self.clock.advance(timedelta(seconds=5))
        self.workloads.change(
            job,
            state=JobState.COMPLETE if well else JobState.FAILED,
            reason="" if well else "BackoffLimitExceeded",
            created=begun,
            started=begun,
            completed=self.clock() if well else None,
        )
        return well

    def bootstrap(self) -> bool:
        self.automation = True
        return True

    def patch(self) -> bool:
        said = self.refuses or ("" if self.automation else self.refused_by)
        if said:
            self.workloads.job_logs[PATCHER] = said
            return False
        for client, (uri, key) in CLIENTS.items():
            self.keycloaks.hold(client, uri)
            if self.brings:
                self.seeds.vaults.versions[key] = [f"{SECRET} of {client}"]
        self.refresh_secrets()
        return True

    def refresh_secrets(self) -> None:
        """What the External Secrets Operator makes of Vault, and the digests beside it."""
        held = {key: (self.seeds.vaults.versions.get(key) or [None])[-1] for _, key in CLIENTS.values()}
        if not all(held.values()):
            return
        self.workloads.values["keycloak-realm-oidc-clients"] = {key: str(one) for key, one in held.items()}
        self.workloads.values["gitlab-oidc-provider"] = {"provider": f"secret: {SECRET}"}
        published = {client: digest(str(held[key])) for client, (_, key) in CLIENTS.items()}
        self.workloads.configure("keycloak-client-secret-versions", published)

    # -- what people do -------------------------------------------------------------------

    @property
    def values(self) -> str:
        return self.github.text(REPOSITORY, "main", PATH) or ""

    def commit(self, text: str) -> None:
        self.github.put(REPOSITORY, "main", PATH, text)

    def merge(self) -> None:
        (number,) = self.github.open
        self.github.merge(number, "main", PATH)
        self.clock.advance(timedelta(seconds=30))

    def recreate(self) -> None:
        """The cluster was made anew, with a Keycloak that knows nobody, and synced."""
        self.automation = False
        self.workloads.works.clear()
        self.workloads.values.clear()
        self.workloads.configs.clear()
        for client, (_, key) in CLIENTS.items():
            self.keycloaks.hold(client)
            self.seeds.vaults.versions.pop(key, None)
        self.sync(APPLICATION)
        self.clock.advance(20 * MINUTE)

    def run(self) -> Report:
        """With what became of it, as the work queue journals it."""
        begun = self.clock()
        report = super().run()
        made = Run(id=begun.isoformat(), correlation_id="c", actor="test")
        record_outcome(self.scope.journal, TARGET, made, report)
        return report

    # -- what came of it ------------------------------------------------------------------

    def words(self, runs: int) -> list[Word]:
        return [self.run().outcome.word for _ in range(runs)]

    def until(self, *words: Word, runs: int = 12) -> Report:
        """Runs half a minute apart, up to the first that ends so."""
        for _ in range(runs):
            report = self.run()
            if report.outcome.word in words:
                return report
            self.clock.advance(timedelta(seconds=30))
        raise AssertionError(f"after {runs} runs it ends with {report.outcome.because}")

    def actions(self) -> list[str]:
        return [
            entry.detail["action"]
            for entry in self.scope.journal.read(TARGET, since=START - timedelta(days=2))
            if entry.kind == "step-started"
        ]

    def told(self) -> str:
        """All that is kept of every run."""
        entries = self.scope.journal.read(TARGET, since=START - timedelta(days=2))
        return repr([(entry.kind, entry.detail) for entry in entries])


def _place(document: Document, section: str) -> Place:
    def said(key: str) -> str:
        found = document.field(f"{section}.{key}")
        return found.text if isinstance(found, Scalar) else ""

    return Place(said("hook"), int(said("syncWave") or "0"))


def jobs_of(report: Report) -> Collection[str]:
    return [step.object.rpartition("/")[2] for step in report.applied.done]
