"""What the checks of GitLab's migrations rest on. Names, states and codes; no text of a log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from responders.gitlab_migrations.log_reasons import Cause
from responders.gitlab_migrations.mapping import Rendered
from shared.attempts import Attempt
from shared.clients.argocd import Application
from shared.clients.cluster_api import JobState
from shared.clients.github import PullRequest
from shared.clients.web import NoAnswer, Page, origin_of
from shared.clients.workloads import Pod, Work
from shared.landscape import DeclaredGitLab
from shared.model import Known, Read
from shared.proposals import Proposal

MIGRATIONS: Final = "migrations"
WEBSERVICE: Final = "webservice"
SIDEKIQ: Final = "sidekiq"
WORKLOADS: Final = (WEBSERVICE, SIDEKIQ)
"""What serves, by the label `app`. All wait for the schema."""
ENDED: Final = frozenset({"Succeeded", "Failed"})
"""Phases of pods that nothing comes of any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One change of the file of values that we proposed, from the journal. Without an answer of GitHub's as
    well, as its pull request may be there; not where GitHub certainly refused it."""

    at: datetime
    action: str
    mends: str
    """Reason code of the finding it was made for."""
    keys: Mapping[str, str]
    """What they were to say, by key."""
    proven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    environment: str
    declared: DeclaredGitLab
    cluster_id: str
    application_id: str
    """Of Argo CD; empty where the environment declares none."""
    # -- the cluster
    jobs: Read[tuple[Work, ...]]
    """Of the migrations alone, newest first, without those that are being deleted."""
    pods: Mapping[str, Read[tuple[Pod, ...]]]
    """By the label `app`, newest first, without those that ended."""
    log: Read[tuple[Cause, ...]]
    """What the newest Job's log says, or said when it was last seen, where it failed or is tried again;
    Absent where that is not known, or was not looked at."""
    waits: Mapping[str, tuple[Cause, ...]]
    """What the last lines of a pod say that is in its init containers, by the label `app`."""
    rendered: Read[Rendered]
    """Absent: no ConfigMap of the release tells of main's database."""
    # -- the web
    sign_on: str
    """Address of the Keycloak that people sign in by; empty where the environment declares none."""
    page: Page | NoAnswer
    page_cause: str
    """Code of what the webservice's last lines tell of, where the page fails; empty where none is known."""
    # -- Argo CD and Git
    application: Read[Application]
    """Absent as well where the environment declares no Argo CD."""
    proposal: Proposal | None
    """The change of the file that is needed; None where none is, or no key for it is declared."""
    proposals: Read[tuple[PullRequest, ...]]
    """Open ones of ours for this GitLab; Absent where no file is declared."""
    # -- ours
    made: tuple[Made, ...]
    """Oldest first."""
    landed: bool
    """The file says what the newest of them was to bring."""
    attempts: Mapping[str, Attempt]
    """The newest of each object."""
    syncs: tuple[Attempt, ...]
    """All of the Application within a day, oldest first."""
    blocked_at: datetime | None
    """When something that this rests on held us back for the last time, within a day."""
    watched: frozenset[str]
    """The responders that look after something in this environment."""

    # -- how things are called

    @property
    def namespace_id(self) -> str:
        return f"{self.cluster_id}/namespaces/{self.declared.namespace}"

    @property
    def release_id(self) -> str:
        return f"{self.namespace_id}/releases/{self.declared.release}"

    @property
    def page_id(self) -> str:
        return f"{self.declared.url}{self.declared.page}"

    @property
    def job_id(self) -> str:
        """Of the newest migrations Job; of the release where there is none."""
        return f"{self.namespace_id}/jobs/{self.job.name}" if self.job else self.release_id

    def workload_id(self, app: str) -> str:
        return f"{self.release_id}/{app}"

    # -- what several checks ask

    @property
    def job(self) -> Work | None:
        """The newest of the migrations."""
        return next(iter(self.jobs.value), None) if isinstance(self.jobs, Known) else None

    @property
    def at_work(self) -> tuple[str, datetime | None] | None:
        """Migrations that run, and since when: a Job of whatever name, or a pod that outlives its Job."""
        for job in self.jobs.value if isinstance(self.jobs, Known) else ():
            if job.state is JobState.ACTIVE:
                return f"Job {job.name}", job.started or job.created
        pods = (pod for pod in self.running(MIGRATIONS) if pod.phase == "Running")
        return next(((f"pod {pod.name}", pod.created) for pod in pods), None)

    @property
    def complete(self) -> bool:
        return self.job is not None and self.job.state is JobState.COMPLETE

    @property
    def schema_awaited(self) -> bool:
        """Pods wait for the schema, and rightly so: nothing shows that it is there."""
        if self.job is not None:
            return not self.complete
        return not self.served

    @property
    def served(self) -> bool:
        """A pod has come past the schema, or the page has."""
        past = any(pod.initialised for app in WORKLOADS for pod in self.running(app))
        return past or self.page_proven

    def running(self, app: str) -> tuple[Pod, ...]:
        read = self.pods.get(app)
        return read.value if isinstance(read, Known) else ()

    def ready(self, app: str) -> bool:
        return any(pod.ready for pod in self.running(app))

    @property
    def page_proven(self) -> bool:
        """The page came from GitLab with its database, or from its sign-on."""
        match self.page:
            case Page(status=status) if 200 <= status < 300:
                return True
            case Page(status=status, redirected_to=str(origin)) if 300 <= status < 400:
                # With that alone as its sign-on, this is how GitLab's page answers. To anywhere else a
                # gateway sends as well, and where both are one address, the page leads in circles.
                return origin == origin_of(self.sign_on) != origin_of(self.declared.url)
        return False

    @property
    def page_says(self) -> str:
        """In our words; empty where the page is well."""
        if self.page_proven:
            return ""
        return str(self.page.status) if isinstance(self.page, Page) else f"no answer: {self.page.why}"
