"""Reads everything the checks need, side by side, each call once. Read only.

    ARM ── API server ──┬── realm imports
                        ├── both Jobs ── the log of each that failed ──┐
                        │                or left a client out          │
                        ├── digests ── each Secret                     ├── Vault, once the patcher is done
                        └── Argo CD's Application                      └── Git, for a change of values
    Keycloak ──┬── the realm's page, as anybody sees it
               └── its clients

What cannot be read comes back as Unknown and stops no other read. Logs are made into reason codes here and
dropped.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from responders.keycloak_bootstrap.checks import faults
from responders.keycloak_bootstrap.course import KNOB, NAME, mended, prefix_of, purpose_of, wanted_of
from responders.keycloak_bootstrap.facts import Change, Facts, Purpose, Rerun
from responders.keycloak_bootstrap.log_reasons import Cause, Of, causes
from responders.keycloak_bootstrap.reasons import ABSENT, ORDER, RERUN, Reason
from shared import proposals
from shared.attempts import tries
from shared.changes import MEMORY
from shared.clients.argocd import Application
from shared.clients.cluster_api import JobState
from shared.clients.github import PullRequest
from shared.clients.keycloak import Client, LoginRefused, Realm
from shared.clients.managed_clusters import ApiServer
from shared.clients.web import NoAnswer
from shared.clients.workloads import Config, Materialised, Work
from shared.errors import Misconfigured
from shared.journal import Kind
from shared.landscape import Action, DeclaredKeycloak, Mode, ValuesFile
from shared.model import Finding, Known, Read, Unknown, Word
from shared.permissions import WRITING
from shared.world import Scope
from shared.yaml_documents import Document, NotYamlError, Scalar

READERS: Final = 16
"""Reads of a process at one time."""
# Kept for all runs, as starting threads takes longer than some reads do.
_POOL: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="gather-realm")
_WAYS: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="gather-realm-ways")
"""Of reads that wait for others in the pool above, so they may not take its places."""

type _Clients = Read[tuple[Client, ...]] | LoginRefused


def gather(scope: Scope) -> Facts:
    """Raises Misconfigured for an environment without Keycloak, which no target leads to."""
    declared = scope.environment.keycloak
    if declared is None:
        raise Misconfigured(f"environment {scope.environment.name} declares no keycloak")
    page = _POOL.submit(scope.world.web.get, declared.url, f"/realms/{quote(declared.realm, safe='')}")
    clients = _POOL.submit(scope.world.keycloaks.clients, realm_of(declared))
    leftovers = _leftovers(scope, declared)
    argocd = scope.environment.argocd
    unread = Unknown("the cluster was not read")
    reruns, blocked_at, well_until = _remembered(scope)
    facts = Facts(
        environment=scope.environment.name,
        declared=declared,
        cluster_id=scope.environment.cluster(declared.cluster).id,
        argocd=f"{scope.environment.cluster(argocd.cluster).id}/namespaces/{argocd.namespace}"
        if argocd
        else None,
        by_jobs=scope.environment.contract.mode(Action.KEYCLOAK_JOBS) in WRITING,
        cluster=unread,
        imports=unread,
        bootstrap=unread,
        patcher=unread,
        logs={},
        digests=unread if declared.digests else None,
        secrets={},
        application=unread if argocd else None,
        page=NoAnswer("not asked yet"),
        clients=Unknown("not read yet"),
        vault="",
        login=None,
        keys={},
        tries=tries(scope),
        reruns=reruns,
        blocked_at=blocked_at,
        well_until=well_until,
    )
    facts = _with_cluster(scope, facts, clients)
    facts = replace(facts, page=page.result(), clients=clients.result())
    facts = _with_vault(scope, facts)
    facts = _with_values(scope, facts)
    return replace(facts, leftovers=leftovers.result() if leftovers else None)


def realm_of(declared: DeclaredKeycloak) -> Realm:
    """Where, and as whom."""
    return Realm(
        url=declared.url,
        realm=declared.realm,
        client_id=declared.login.client_id,
        key_vault=declared.login.key_vault,
        secret=declared.login.secret,
    )


# -- the cluster --------------------------------------------------------------------------


def _with_cluster(scope: Scope, facts: Facts, clients: Future[_Clients]) -> Facts:
    found = scope.world.clusters.api_server(facts.cluster_id)
    if not isinstance(found, Known):
        unread = found if isinstance(found, Unknown) else Unknown("ARM knows no such resource")
        return replace(facts, cluster=unread)
    api, world, declared = found.value, scope.world.workloads, facts.declared
    namespace, hooks = declared.namespace, declared.hooks
    application = _WAYS.submit(_application, scope, facts, api)
    materialised = _WAYS.submit(_secrets, scope, declared, api)
    bootstrap = _POOL.submit(world.job, api, namespace, hooks.bootstrap)
    patcher = _POOL.submit(world.job, api, namespace, hooks.patcher)
    imports = _POOL.submit(world.realm_imports, api, namespace)
    jobs = {Of.BOOTSTRAP: bootstrap.result(), Of.PATCHER: patcher.result()}
    logs = _logs(scope, declared, api, jobs) | _skips(scope, declared, api, jobs[Of.PATCHER], clients)
    digests, secrets = materialised.result()
    return replace(
        facts,
        cluster=Known(None),
        imports=imports.result(),
        bootstrap=jobs[Of.BOOTSTRAP],
        patcher=jobs[Of.PATCHER],
        logs=logs,
        digests=digests,
        secrets=secrets,
        application=application.result(),
    )


def _application(scope: Scope, facts: Facts, api: ApiServer) -> Read[Application] | None:
    argocd = scope.environment.argocd
    if argocd is None:
        return None
    cluster_id = scope.environment.cluster(argocd.cluster).id
    if cluster_id != facts.cluster_id:
        found = scope.world.clusters.api_server(cluster_id)
        if not isinstance(found, Known):
            return found if isinstance(found, Unknown) else Unknown("ARM knows no such cluster")
        api = found.value
    return scope.world.argocd.application(api, argocd.namespace, facts.declared.application)


def _logs(
    scope: Scope, declared: DeclaredKeycloak, api: ApiServer, jobs: Mapping[Of, Read[Work]]
) -> dict[str, Read[tuple[Cause, ...]]]:
    failed = {
        read.value.name: of
        for of, read in jobs.items()
        if isinstance(read, Known) and read.value.state is JobState.FAILED
    }
    texts = _each(failed, lambda name: scope.world.workloads.job_log(api, declared.namespace, name))
    return {
        name: Known(causes(text.value, failed[name], declared.clients)) if isinstance(text, Known) else text
        for name, text in texts.items()
    }


def _skips(
    scope: Scope, declared: DeclaredKeycloak, api: ApiServer, patcher: Read[Work], clients: Future[_Clients]
) -> dict[str, Read[tuple[Cause, ...]]]:
    """Which of the clients that are missing a patcher says to have skipped. It completes all the same, and
    what else it met on its way has passed."""
    if not isinstance(patcher, Known) or patcher.value.state is not JobState.COMPLETE:
        return {}
    missing = _missing(declared, clients.result())
    if not missing:
        return {}
    name = patcher.value.name
    text = scope.world.workloads.job_log(api, declared.namespace, name)
    if not isinstance(text, Known):
        return {name: text}
    told = causes(text.value, Of.PATCHER, missing)
    skips = (one for one in told if one.reason is Reason.PATCHER_SKIPPED_CLIENT and one.detail)
    return {name: Known(tuple(skips))}


def _missing(declared: DeclaredKeycloak, clients: _Clients) -> Collection[str]:
    there = {one.client_id for one in clients.value} if isinstance(clients, Known) else set(declared.clients)
    return declared.clients.keys() - there


def _secrets(
    scope: Scope, declared: DeclaredKeycloak, api: ApiServer
) -> tuple[Read[Config] | None, Mapping[str, Read[Materialised]]]:
    """A Secret is compared where it is read, so that the digests come first."""
    world, namespace = scope.world.workloads, declared.namespace
    digests = world.config_map(api, namespace, declared.digests) if declared.digests else None
    data = digests.value.data if isinstance(digests, Known) else {}

    def read(name: str) -> Read[Materialised]:
        keys = declared.secrets[name]
        published = {key: data[digest] for key, digest in keys.items() if digest in data}
        return world.secret(
            api, namespace, name, published=published, placeholders=frozenset(declared.placeholders)
        )

    return digests, _each(declared.secrets, read)


# -- Vault --------------------------------------------------------------------------------


def _with_vault(scope: Scope, facts: Facts) -> Facts:
    """Only what the patcher has written by now can be missing there."""
    vault = scope.environment.vault
    keys = [one.vault_key for one in facts.declared.clients.values() if one.vault_key is not None]
    if vault is None or not keys or not facts.at_rest:
        return facts
    vaults, login, where = scope.world.vaults, vault.login, f"{vault.address}/{vault.mount}"
    match vaults.login(vault.address, login.mount, login.role, login.audience):
        case Known(session):
            known = frozenset(facts.declared.placeholders)
            held = _each(dict.fromkeys(keys), lambda key: vaults.read(session, vault.mount, key, known))
            return replace(facts, vault=where, login=Known(None), keys=held)
        case refused:
            return replace(facts, vault=where, login=refused)


# -- Git ----------------------------------------------------------------------------------


def _with_values(scope: Scope, facts: Facts) -> Facts:
    """The file is read where the order is wrong or may be, for another run of the Jobs, and to prove what was
    proposed."""
    file = facts.declared.hooks.values
    found = faults(facts, scope.clock())
    may_be = {*ORDER, *ABSENT} & {one.reason for one in found}
    purpose = purpose_of(facts, found)
    needed = bool(may_be) or purpose is Purpose.RERUN
    begun = facts.unproven(file.reference) if file else None
    if file is None or not (needed or begun):
        return facts
    read_at = scope.clock()
    text = scope.world.files.read(file.repository, file.ref, file.path)
    said = _said(facts.declared, text.value.text) if isinstance(text, Known) else {}
    facts = replace(facts, landed=begun is not None and begun.after.items() <= said.items())
    if not needed:
        return facts
    facts = replace(facts, said=said)
    # Of a Job that is missing, the file may have told just now that it comes too late.
    found = faults(facts, scope.clock())
    purpose = purpose_of(facts, found)
    if purpose not in (Purpose.ORDER, Purpose.RERUN):
        return facts
    wanted = wanted_of(facts, purpose)
    if wanted is None:
        return facts
    prefix = prefix_of(facts.environment, purpose)
    before = _knobs_before(facts, found) if purpose is Purpose.RERUN else {}
    for knob, stands in before.items():
        earlier = dict.fromkeys(wanted, knob)
        proposal = proposals.look(scope, file, earlier, prefix, read=(read_at, text))
        if proposals.stand(proposal, scope.clock())[0] in stands:
            return replace(facts, change=Change(purpose=purpose, wanted=earlier, proposal=proposal))
    proposal = proposals.look(scope, file, wanted, prefix, read=(read_at, text))
    return replace(facts, change=Change(purpose=purpose, wanted=wanted, proposal=proposal))


_AS_GOOD: Final = frozenset({proposals.Stand.OPEN, proposals.Stand.OUTDATED, proposals.Stand.SETTLING})


def _knobs_before(facts: Facts, found: Iterable[Finding]) -> Mapping[str, Collection[proposals.Stand]]:
    """Values of the knob that we proposed for Jobs before these, newest first, and what their change must be
    at to be kept to. Argo CD runs the Jobs with whatever commit: a pull request that is open is as good for
    those that ran meanwhile, one that was merged is so until it is synced, and one that was declined was
    declined for them as well, while the fault is the same."""
    made = {one.what: one for one in reversed(facts.reruns) if one.what.startswith(KNOB)}
    mends = mended(found, RERUN)
    return {
        what: {
            *_AS_GOOD,
            *([] if one.synced else [proposals.Stand.RIGHT]),
            *([proposals.Stand.DECLINED] if one.mends == mends else []),
        }
        for what, one in made.items()
    }


def _said(declared: DeclaredKeycloak, text: str) -> Mapping[str, str]:
    """What the file says at the keys of the annotations and of the knob."""
    hooks = declared.hooks
    keys = (hooks.bootstrap_hook, hooks.bootstrap_wave, hooks.patcher_hook, hooks.patcher_wave, hooks.rerun)
    try:
        document = Document(text)
    except NotYamlError:
        return {}
    fields = {key: document.field(key) for key in keys if key}
    return {key: found.text for key, found in fields.items() if isinstance(found, Scalar)}


def _leftovers(scope: Scope, declared: DeclaredKeycloak) -> Future[Read[tuple[PullRequest, ...]]] | None:
    """Listed wherever they may have been opened, since what nobody needs any more is closed."""
    file, contract = declared.hooks.values, scope.environment.contract
    modes: set[Mode] = {contract.mode(one) for one in (Action.KEYCLOAK_ORDER, Action.KEYCLOAK_RERUN)}
    if file is None or not modes & WRITING or not contract.may_write_to(file.repository):
        return None
    return _POOL.submit(_listed, scope, file)


def _listed(scope: Scope, file: ValuesFile) -> Read[tuple[PullRequest, ...]]:
    return proposals.leftovers(scope, file, proposals.branch_prefix(scope.environment.name, NAME))


# -- ours ---------------------------------------------------------------------------------


type _Write = tuple[str, str]
"""The run, and the object: a run writes an object once at most."""


def _remembered(scope: Scope) -> tuple[tuple[Rerun, ...], datetime | None, datetime | None]:
    """How often the Jobs were made to run, and for what; when we last waited for another target; and until
    when everything was well. A step that was certainly not written counts for nothing."""
    made: dict[_Write, Rerun] = {}
    # What had been made, by the sync of ours that came behind it: one that was refused takes nothing along.
    synced: dict[_Write, frozenset[_Write]] = {}
    blocked_at = well_until = fell_ill = None
    for entry in scope.journal.read(scope.target, since=scope.clock() - MEMORY):
        detail = entry.detail
        key = (entry.run, str(detail.get("object", "")))
        after = detail.get("after") or {}
        match entry.kind, detail.get("action"):
            case Kind.STEP_STARTED, Action.KEYCLOAK_JOBS.value:
                what = str(after.get("uid", ""))
                made[key] = Rerun(at=entry.at, mends=str(detail.get("mends")), object=key[1], what=what)
            case Kind.STEP_STARTED, Action.KEYCLOAK_RERUN.value if proposals.NUMBER not in after:
                what = next(iter(map(str, after.values())), "")
                made[key] = Rerun(at=entry.at, mends=str(detail.get("mends")), object=key[1], what=what)
            case Kind.STEP_STARTED, Action.APPLICATION_SYNC.value:
                synced[key] = frozenset(made)
            case Kind.STEP_FAILED, _ if detail.get("written") is False:
                made.pop(key, None)
                synced.pop(key, None)
            case Kind.OUTCOME, _ if detail.get("word") in _WELL:
                well_until, fell_ill = scope.clock(), None
            case Kind.OUTCOME, _:
                blocked_at = entry.at if detail.get("blocked_by") else blocked_at
                fell_ill = fell_ill or entry.at
    in_a_sync = frozenset[_Write]().union(*synced.values())
    reruns = tuple(replace(one, synced=key in in_a_sync) for key, one in made.items())
    return reruns, blocked_at, (fell_ill or well_until) if well_until else None


_WELL: Final = frozenset({Word.CONVERGED.value, Word.REPAIRED.value})


# -- how ----------------------------------------------------------------------------------


def _each[T](names: Iterable[str], read: Callable[[str], T]) -> dict[str, T]:
    futures: dict[str, Future[T]] = {name: _POOL.submit(read, name) for name in names}
    return {name: future.result() for name, future in futures.items()}
