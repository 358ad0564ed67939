"""Reads everything the checks need, side by side, each call once. Read only.

    API server ──┬── migrations Jobs ── log of the newest, where it failed
                 ├── pods ── last lines of one that is in its init containers
                 ├── ConfigMap with the rendered databases
                 └── the Application
    page ── last lines of the webservice, where it fails though it should not
    Git ── the file of values, and how our pull requests fare

What cannot be read comes back as Unknown and stops no other read. Logs are made into reason codes here and
dropped.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from responders.gitlab_migrations.facts import (
    ENDED,
    MIGRATIONS,
    WEBSERVICE,
    WORKLOADS,
    Facts,
    Made,
)
from responders.gitlab_migrations.leftovers import prefix_of, prefix_of_all
from responders.gitlab_migrations.log_reasons import RULE, Cause, causes, remembered
from responders.gitlab_migrations.mapping import KEY, Rendered, read
from responders.gitlab_migrations.repairs import MAP, RERUN, needed, restarts
from shared.attempts import MEMORY as DAY
from shared.attempts import tries
from shared.clients.argocd import Application
from shared.clients.cluster_api import JobState
from shared.clients.managed_clusters import ApiServer
from shared.clients.web import NoAnswer, Page
from shared.clients.workloads import Config, Pod, Work
from shared.errors import Misconfigured
from shared.failure_texts import classify_first
from shared.journal import Kind
from shared.landscape import DeclaredGitLab, Environment
from shared.model import Absent, Known, Read, Unknown, same_id
from shared.proposals import NUMBER, leftovers, look
from shared.world import Scope

READERS: Final = 16
"""Reads of a process at one time."""
# Kept for all runs, as starting threads takes longer than some reads do.
_POOL: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="gather-gitlab")

MEMORY: Final = timedelta(days=7)
"""How far back the journal is read for our changes: a pull request may wait for people."""
LATEST: Final = 20
"""Lines of a log that tell of the present, where what writes it goes on."""
DEPENDENCIES: Final = "dependencies"
"""The init container that waits for the schema, and for what else GitLab needs."""
BACKGROUND: Final = "bbm"
"""Component of the Job beside the migrations, which waits for what they leave to the background."""
_NAMED_SO: Final = re.compile(rf"-{BACKGROUND}-(?!(?:.*-)?{MIGRATIONS}-)")
"""At the end of its name, where the suffix follows. What comes before `migrations` is the release's name."""


def gather(scope: Scope) -> Facts:
    """Raises Misconfigured for an environment without GitLab, which no target leads to."""
    declared = scope.environment.gitlab
    if declared is None:
        raise Misconfigured(f"environment {scope.environment.name} declares no gitlab")
    cluster_id = scope.environment.cluster(declared.cluster).id
    page = _POOL.submit(scope.world.web.get, declared.url, declared.page)
    made, blocked_at, told = _remembered(scope)
    written, application_id = tries(scope), _application_id(scope.environment, declared)
    facts = Facts(
        environment=scope.environment.name,
        declared=declared,
        cluster_id=cluster_id,
        application_id=application_id,
        jobs=Absent(),
        pods={},
        log=Absent(),
        waits={},
        rendered=Absent(),
        sign_on=scope.environment.keycloak.url if scope.environment.keycloak else "",
        page=NoAnswer("other"),
        page_cause="",
        application=Absent(),
        proposal=None,
        proposals=Absent(),
        made=made,
        landed=False,
        attempts={key: one[-1] for key, one in written.items()},
        syncs=written.get(application_id.lower(), ()),
        blocked_at=blocked_at,
        watched=frozenset(one.name for one in scope.preconditions),
    )
    facts = _with_cluster(scope, facts, page, told)
    return _with_git(scope, facts)


# -- the cluster --------------------------------------------------------------------------


def _with_cluster(
    scope: Scope, facts: Facts, page: Future[Page | NoAnswer], told: Mapping[str, "_Told"]
) -> Facts:
    apps = (MIGRATIONS, *WORKLOADS)
    found = scope.world.clusters.api_server(facts.cluster_id)
    if not isinstance(found, Known):
        unread = found if isinstance(found, Unknown) else Unknown("ARM knows no such resource: the cluster")
        pods_unread = dict.fromkeys(apps, unread)
        return replace(facts, jobs=unread, pods=pods_unread, application=unread, page=page.result())
    api, workloads, declared = found.value, scope.world.workloads, facts.declared
    namespace = declared.namespace
    pods = {app: _POOL.submit(workloads.pods, api, namespace, _selector(declared, app)) for app in apps}
    config_maps = _POOL.submit(workloads.config_maps, api, namespace, _selector(declared, MIGRATIONS))
    application = _POOL.submit(_application, scope, facts, api)
    jobs = workloads.jobs(api, namespace, _selector(declared, MIGRATIONS))
    facts = replace(facts, jobs=Known(tuple(_migrations(jobs.value))) if isinstance(jobs, Known) else jobs)
    facts = replace(facts, pods={app: _alive(future.result()) for app, future in pods.items()})
    log = _POOL.submit(_log, scope, facts, api, told)
    waits = {app: _POOL.submit(_waits, scope, facts, api, app) for app in WORKLOADS}
    facts = replace(facts, page=page.result())
    return replace(
        facts,
        page_cause=_page_cause(scope, facts, api),
        log=log.result(),
        waits={app: future.result() for app, future in waits.items()},
        rendered=_rendered(config_maps.result()),
        application=application.result(),
    )


def _selector(declared: DeclaredGitLab, app: str) -> str:
    return f"app={app},release={declared.release}"


def _migrations(jobs: tuple[Work, ...]) -> Iterator[Work]:
    """Those of the schema."""
    return (job for job in jobs if not (_in_background(job) or job.deleting))


def _alive(read_: Read[tuple[Pod, ...]]) -> Read[tuple[Pod, ...]]:
    if not isinstance(read_, Known):
        return read_
    return Known(tuple(pod for pod in read_.value if not (_in_background(pod) or pod.phase in ENDED)))


def _in_background(one: Work | Pod) -> bool:
    """It waits for background migrations. Its labels are those of the migrations but for the component; where
    a chart gives it none, its name tells."""
    component = one.labels.get("app.kubernetes.io/component")
    return component == BACKGROUND or _NAMED_SO.search(one.name) is not None


def _log(scope: Scope, facts: Facts, api: ApiServer, told: Mapping[str, "_Told"]) -> Read[tuple[Cause, ...]]:
    """Of each try while there is another, and of the last. With that the chart's pods may go, and their logs:
    then what was found earlier of this very Job counts.

    https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy
    """
    job = facts.job
    if job is None or not (job.state is JobState.FAILED or restarts(facts, job)):
        return Absent()
    read_ = scope.world.workloads.job_log(api, facts.declared.namespace, job.name)
    if isinstance(read_, Known):
        return Known(causes(read_.value))
    earlier = told.get(facts.job_id.lower())
    if isinstance(read_, Unknown) or earlier is None or (job.created and earlier.at < job.created):
        return read_
    return Known((earlier.cause,))


def _waits(scope: Scope, facts: Facts, api: ApiServer, app: str) -> tuple[Cause, ...]:
    """Of the newest pod that is in its init containers. Whatever it said earlier may be over."""
    waiting = (pod for pod in facts.running(app) if not pod.initialised and DEPENDENCIES in pod.containers)
    for pod in waiting:
        text = scope.world.workloads.pod_log(api, facts.declared.namespace, pod.name, DEPENDENCIES)
        return causes(_latest(text.value)) if isinstance(text, Known) else ()
    return ()


def _latest(text: str) -> str:
    return "\n".join(text.splitlines()[-LATEST:])


def _rendered(read_: Read[tuple[Config, ...]]) -> Read[Rendered]:
    """What the newest of the release's ConfigMaps says that tells of main's database."""
    if isinstance(read_, Unknown):
        return read_
    for config in read_.value if isinstance(read_, Known) else ():
        if rendered := read(config.data.get(KEY, "")):
            return Known(rendered)
    return Absent()


# -- Argo CD ------------------------------------------------------------------------------


def _application_id(environment: Environment, declared: DeclaredGitLab) -> str:
    argocd = environment.argocd
    if argocd is None:
        return ""
    cluster_id = environment.cluster(argocd.cluster).id
    return f"{cluster_id}/namespaces/{argocd.namespace}/applications/{declared.application}"


def _application(scope: Scope, facts: Facts, api: ApiServer) -> Read[Application]:
    argocd = scope.environment.argocd
    if argocd is None:
        return Absent()
    cluster_id = scope.environment.cluster(argocd.cluster).id
    if not same_id(cluster_id, facts.cluster_id):
        found = scope.world.clusters.api_server(cluster_id)
        if not isinstance(found, Known):
            return found if isinstance(found, Unknown) else Unknown("ARM knows no such resource: the cluster")
        api = found.value
    return scope.world.argocd.application(api, argocd.namespace, facts.declared.application)


# -- the page -----------------------------------------------------------------------------


def _page_cause(scope: Scope, facts: Facts, api: ApiServer) -> str:
    """What the webservice says where its page fails, although nothing of the migrations explains it."""
    fails = isinstance(facts.page, Page) and facts.page.status >= 500
    serving = next((pod for pod in facts.running(WEBSERVICE) if pod.ready), None)
    if not fails or facts.schema_awaited or serving is None or WEBSERVICE not in serving.containers:
        return ""
    text = scope.world.workloads.pod_log(api, facts.declared.namespace, serving.name, WEBSERVICE)
    if not isinstance(text, Known):
        return ""
    # Line by line, the last first: a log tells of many things, and each line of one.
    told = classify_first(reversed(text.value.splitlines()[-LATEST:])).failure
    return told.code if told else ""


# -- Git ----------------------------------------------------------------------------------


def _with_git(scope: Scope, facts: Facts) -> Facts:
    declared = facts.declared.migrations
    if declared is None:
        return facts
    proposals = _POOL.submit(leftovers, scope, declared.values, prefix_of_all(facts.environment))
    repair = needed(facts)
    if repair is not None and repair.keys:
        prefix = prefix_of(facts.environment, repair.action)
        facts = replace(facts, proposal=look(scope, declared.values, repair.keys, prefix))
    return replace(facts, landed=_landed(scope, facts), proposals=proposals.result())


def _landed(scope: Scope, facts: Facts) -> bool:
    """Asked only while our newest change has no proof: whoever closed its pull request brought nothing."""
    newest = next(reversed(facts.made), None)
    declared = facts.declared.migrations
    if newest is None or newest.proven or declared is None:
        return False
    repair, found = needed(facts), facts.proposal
    if found is None or repair is None or repair.keys != newest.keys:
        found = look(scope, declared.values, newest.keys, prefix_of(facts.environment, newest.action))
    return isinstance(found.text, Known) and not found.after


# -- ours ---------------------------------------------------------------------------------


class _Told(NamedTuple):
    """What a log told of a Job, as an earlier run found it."""

    at: datetime
    cause: Cause


def _remembered(scope: Scope) -> tuple[tuple[Made, ...], datetime | None, Mapping[str, _Told]]:
    """The changes that we proposed, oldest first, when we were last held back, and what was found of Jobs, by
    their ids in lower case."""
    made: dict[str, list[Made]] = {}
    told: dict[str, _Told] = {}
    blocked: datetime | None = None
    now = scope.clock()
    for entry in scope.journal.read(scope.target, since=now - MEMORY):
        key, detail = str(entry.detail.get("object", "")), entry.detail
        match entry.kind:
            case Kind.STEP_STARTED if one := _made(entry.at, detail):
                made.setdefault(key, []).append(one)
            case Kind.STEP_FAILED if made.get(key) and detail.get("written") is False:
                made[key].pop()
            case Kind.PROOF if made.get(key) and detail.get("verdict") == "accepted":
                made[key][-1] = replace(made[key][-1], proven=True)
            case Kind.FINDING if cause := _cause(detail):
                told[str(detail.get("subject", "")).lower()] = _Told(entry.at, cause)
            case Kind.OUTCOME if detail.get("roots") and now - entry.at < DAY:
                blocked = entry.at
    found = sorted(itertools.chain.from_iterable(made.values()), key=lambda one: one.at)
    return tuple(found), blocked, told


def _cause(finding: Mapping[str, Any]) -> Cause | None:
    evidence = finding.get("evidence") or {}
    return remembered(str(finding.get("reason", "")), str(evidence.get(RULE, "")))


def _made(at: datetime, detail: Mapping[str, Any]) -> Made | None:
    action, keys = str(detail.get("action", "")), dict(detail.get("after") or {})
    if action not in (MAP, RERUN) or NUMBER in keys:
        return None
    return Made(at=at, action=action, mends=str(detail.get("mends", "")), keys=keys)
