"""A GitLab that is well, to take things away from."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from responders.gitlab_migrations.facts import MIGRATIONS, SIDEKIQ, WEBSERVICE, Facts, Made
from responders.gitlab_migrations.log_reasons import Cause
from responders.gitlab_migrations.mapping import read
from responders.gitlab_migrations.reasons import Reason
from responders.gitlab_migrations.repairs import RERUN, needed
from shared.attempts import Attempt
from shared.clients.argocd import Application
from shared.clients.cluster_api import JobState
from shared.clients.git_files import FileAt
from shared.clients.github import PullRequest, State
from shared.clients.web import Page
from shared.clients.workloads import Pod, Work
from shared.landscape import DeclaredGitLab, DeclaredMigrations, ValuesFile
from shared.model import Known
from shared.proposals import Proposal, change_id
from tests.unit.applications.builders import application as argo_application
from tests.unit.applications.builders import operation
from tests.unit.clocks import START
from tests.unit.federated_credentials.builders import CLUSTER
from tests.unit.workloads import pod as any_pod
from tests.unit.workloads import work

NOW = START
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SECRET = "hunter2-the-password"
REPOSITORY = "https://github.com/ameide/gitops.git"
PATH = "sources/values/env/dev/platform/platform-gitlab.yaml"
URL = "https://gitlab.dev.example"
PAGE = f"{URL}/users/sign_in"
SIGN_ON = "https://auth.dev.example"
JOB = "platform-gitlab-migrations-1a2b3c4"
CI = "gitlab.global.psql.ci"
SUFFIX = "gitlab.gitlab.migrations.annotations.rerun"
VALUES = ValuesFile(repository=REPOSITORY, path=PATH)
APPLICATION_ID = f"{CLUSTER}/namespaces/argocd/applications/dev-platform-gitlab"


def declared(**changes: Any) -> DeclaredGitLab:
    base = DeclaredGitLab(
        cluster="aks",
        namespace="ameide-dev",
        application="dev-platform-gitlab",
        release="platform-gitlab",
        url=URL,
        migrations=DeclaredMigrations(values=VALUES, ci=CI, suffix=SUFFIX),
    )
    return base.model_copy(update=changes)


def database_yml(
    *,
    ci: str | None = "gitlabhq_production",
    host: str = "postgres-ameide-rw",
    port: str = "5432",
    tasks: bool | None = False,
    main_tasks: bool = True,
) -> str:
    """As the chart renders it. ci: None leaves it out."""
    lines = [
        "production:",
        "  main:",
        *_entry("gitlabhq_production", "postgres-ameide-rw", "5432"),
        f"    database_tasks: {str(main_tasks).lower()}",
    ]
    if ci is not None:
        lines += ["  ci:", *_entry(ci, host, port)]
        lines += [] if tasks is None else [f"    database_tasks: {str(tasks).lower()}"]
    return "\n".join(lines) + "\n"


def _entry(database: str, host: str, port: str) -> list[str]:
    return [
        "    adapter: postgresql",
        "    encoding: unicode",
        f'    database: "{database}"',
        '    username: "gitlab"',
        '    password: <%= File.read("/etc/gitlab/postgres/psql-password").strip.to_json %>',
        f'    host: "{host}"',
        f"    port: {port}",
    ]


UNMAPPED = database_yml(ci="gitlabhq_production_ci")


def job(state: JobState = JobState.COMPLETE, age: timedelta = HOUR, **changes: Any) -> Work:
    begun = NOW - age
    base = work(
        JOB,
        labels={"app": MIGRATIONS, "release": "platform-gitlab"},
        state=state,
        reason="BackoffLimitExceeded" if state is JobState.FAILED else "",
        created=begun,
        started=begun,
        completed=begun + MINUTE if state is JobState.COMPLETE else None,
    )
    return replace(base, **changes)


def pod(app: str = WEBSERVICE, age: timedelta = HOUR, **changes: Any) -> Pod:
    labels = {"app": app, "release": "platform-gitlab"}
    return any_pod(f"{app}-1", **{"labels": labels, "created": NOW - age, "containers": (app,), **changes})


def waiting(app: str = WEBSERVICE, reason: str = "", container: str = "dependencies", **changes: Any) -> Pod:
    """In its init containers, or kept from them by a reason."""
    waits = ((container, reason),) if reason else ()
    usual = {"ready": False, "initialised": False, "phase": "Pending", "waiting": waits}
    return pod(app, **{**usual, "containers": () if reason else ("dependencies",), **changes})


def pods(webservice: Pod | None = None, sidekiq: Pod | None = None, *others: Pod) -> Any:
    return {
        WEBSERVICE: Known((webservice or pod(WEBSERVICE),)),
        SIDEKIQ: Known((sidekiq or pod(SIDEKIQ),)),
        MIGRATIONS: Known(others),
    }


WAITING = pods(waiting(WEBSERVICE), waiting(SIDEKIQ))


def rendered(text: str) -> Any:
    found = read(text)
    assert found is not None
    return Known(found)


def application(**changes: Any) -> Known[Application]:
    usual = {"operation": operation(age=2 * HOUR)}
    return Known(argo_application("dev-platform-gitlab", **{**usual, **changes}))


def facts(**changes: Any) -> Facts:
    """Everything is well, unless told otherwise."""
    base = Facts(
        environment="dev",
        declared=declared(),
        cluster_id=CLUSTER,
        application_id=APPLICATION_ID,
        jobs=Known((job(),)),
        pods=pods(),
        log=Known(()),
        waits={},
        rendered=rendered(database_yml()),
        sign_on=SIGN_ON,
        page=Page(status=200),
        page_cause="",
        application=application(),
        proposal=None,
        proposals=Known(()),
        made=(),
        landed=False,
        attempts={},
        syncs=(),
        blocked_at=None,
        watched=frozenset(),
    )
    return replace(base, **changes)


def failed(*causes: Reason | Cause, **changes: Any) -> Facts:
    """The migrations failed, and the log says why; pods wait, and the page fails."""
    told = tuple(one if isinstance(one, Cause) else Cause(one) for one in causes)
    usual = {
        "jobs": Known((job(JobState.FAILED),)),
        "log": Known(told),
        "pods": WAITING,
        "page": Page(status=502),
    }
    return with_proposal(
        facts(**{**usual, **changes}), **({} if "proposal" not in changes else {"keep": True})
    )


def refused(text: str = UNMAPPED, **changes: Any) -> Facts:
    """The check of the databases refused what is rendered."""
    return failed(Reason.GITLAB_DATABASE_CONFIG_REFUSED, **{"rendered": rendered(text), **changes})


def with_proposal(given: Facts, *, keep: bool = False, **changes: Any) -> Facts:
    """As gather looks after the change that is needed, if any is: due, unless told otherwise."""
    repair = needed(given)
    if keep or repair is None or repair.keys is None:
        return given
    return replace(given, proposal=proposal(dict(repair.keys), **changes))


def proposal(keys: dict[str, str], *, right: bool = False, **changes: Any) -> Proposal:
    after = changes.pop("after", {} if right else keys)
    before = dict.fromkeys(after, "")
    base = Proposal(
        file=VALUES,
        before=before,
        after=after,
        change=change_id(VALUES.reference, before, after) if after else "",
        text=Known(FileAt("gitlab: {}\n", "c0ffee")),
        wanted_text=None if right else "wanted",
        read_at=NOW,
        history=None if right else Known(()),
        proposed=None,
    )
    return replace(base, **changes)


def pull_request(state: State = State.OPEN, number: int = 7, branch: str = "", **changes: Any) -> PullRequest:
    url = f"https://github.com/ameide/gitops/pull/{number}"
    return replace(PullRequest(number=number, url=url, branch=branch, state=state), **changes)


def made(
    text: str,
    age: timedelta = HOUR,
    mends: str = Reason.MIGRATIONS_LOCKED,
    *,
    action: str = RERUN,
    proven: bool = False,
) -> Made:
    key = SUFFIX if action == RERUN else f"{CI}.database"
    return Made(
        at=NOW - age,
        action=action,
        mends=mends,
        keys={key: text},
        proven=proven,
    )


def attempt(situation: str, at: datetime = NOW - SECOND, **changes: Any) -> Attempt:
    base = Attempt(at=at, situation=situation, action="application.sync", confirmed=True)
    return replace(base, **changes)
