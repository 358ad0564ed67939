"""Reads everything the checks need, side by side, each call once. Read only.

    ARM ──┬── Key Vault: list ── one GET for each source of a seed
          └── API server ──┬── CronJob ── Jobs ── the newest Job's log, when it fails
                           └── stores, ExternalSecrets ── Events, when one is not Ready
    Vault ── seal status ── login ── one GET for each seed

What cannot be read comes back as Unknown and stops no other read. Logs and Events are made into reason codes
here and dropped.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from responders.vault_seeding.bootstrap_checks import failing
from responders.vault_seeding.facts import Facts
from responders.vault_seeding.log_reasons import Cause, causes
from responders.vault_seeding.source_checks import unusability
from shared.attempts import tries
from shared.clients.cluster_api import CronJob, Job, Kind, Synced
from shared.clients.key_vault import Secret, Sourced
from shared.clients.managed_clusters import ApiServer
from shared.clients.vault import Held, LoginRefused, SealStatus, Session
from shared.errors import Misconfigured
from shared.landscape import Action, Contract, DeclaredVault, Environment, Mode
from shared.model import Absent, Known, Read, Unknown, same_id
from shared.world import Scope

READERS: Final = 16
"""Reads of a process at one time."""
# Kept for all runs, as starting threads takes longer than some reads do.
_POOL: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="gather-seeds")
_ROOTS: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="gather-ways")
"""Of the three ways. They wait for reads in the other pool, so they may not take its places."""


def gather(scope: Scope) -> Facts:
    """Raises Misconfigured for an environment without Vault, which no target leads to."""
    declared = scope.environment.vault
    if declared is None:
        raise Misconfigured(f"environment {scope.environment.name} declares no vault")
    cluster_id = scope.environment.cluster(declared.cluster).id
    source = _ROOTS.submit(_source, scope, declared)
    vault = _ROOTS.submit(_vault, scope, declared)
    facts = Facts(
        environment=scope.environment.name,
        declared=declared,
        cluster_id=cluster_id,
        key_vault=Absent(),
        secrets=Absent(),
        sources={},
        seal=Absent(),
        login=Unknown("Vault is not open"),
        held={},
        cron_job=Absent(),
        jobs=Absent(),
        log=Absent(),
        stores=Absent(),
        external_secrets=Absent(),
        told={},
        tries=tries(scope),
        may_start=_may_start(scope.environment.contract, declared),
        rests_on=_rests_on(scope.environment, declared, cluster_id),
    )
    facts = _with_cluster(scope, facts)
    key_vault, secrets, sources = source.result()
    seal, login, held = vault.result()
    return replace(
        facts, key_vault=key_vault, secrets=secrets, sources=sources, seal=seal, login=login, held=held
    )


# -- Key Vault ----------------------------------------------------------------------------


def _source(
    scope: Scope, declared: DeclaredVault
) -> tuple[Read[str], Read[tuple[Secret, ...]], Mapping[str, Read[Sourced]]]:
    uri = scope.world.resources.vault_uri(declared.key_vault)
    if not isinstance(uri, Known):
        return uri, _unread(uri, "the Key Vault"), {}
    key_vaults, placeholders = scope.world.key_vaults, frozenset(declared.placeholders)
    secrets = key_vaults.secrets(uri.value)
    if not isinstance(secrets, Known):
        return uri, secrets, {}
    now = scope.clock()
    usable = {one.name.lower() for one in secrets.value if unusability(one, now) is None}
    wanted = [name for name in dict.fromkeys(declared.seeds.values()) if name.lower() in usable]
    return uri, secrets, _each(wanted, lambda name: key_vaults.source(uri.value, name, placeholders))


# -- Vault --------------------------------------------------------------------------------


def _vault(
    scope: Scope, declared: DeclaredVault
) -> tuple[Read[SealStatus], Read[None] | LoginRefused, Mapping[str, Read[Held]]]:
    vaults, login = scope.world.vaults, declared.login
    seal = vaults.seal_status(declared.address)
    if not isinstance(seal, Known) or seal.value.sealed or not seal.value.initialised:
        return seal, Unknown("Vault is not open"), {}
    match vaults.login(declared.address, login.mount, login.role, login.audience):
        case Known(session):
            return seal, Known(None), _held(scope, declared, session)
        case refused:
            return seal, refused, {}


def _held(scope: Scope, declared: DeclaredVault, session: Session) -> Mapping[str, Read[Held]]:
    placeholders = frozenset(declared.placeholders)
    return _each(
        declared.seeds, lambda key: scope.world.vaults.read(session, declared.mount, key, placeholders)
    )


# -- the cluster --------------------------------------------------------------------------


def _with_cluster(scope: Scope, facts: Facts) -> Facts:
    found = scope.world.clusters.api_server(facts.cluster_id)
    if not isinstance(found, Known):
        unread = _unread(found, "the cluster")
        return replace(facts, cron_job=unread, jobs=unread, stores=unread, external_secrets=unread)
    api, kubernetes, namespace = found.value, scope.world.kubernetes, facts.declared.namespace
    synced = {kind: _POOL.submit(kubernetes.synced, api, namespace, kind) for kind in Kind}
    facts = _with_bootstrap(scope, facts, api)
    facts = replace(
        facts, stores=synced[Kind.STORE].result(), external_secrets=synced[Kind.EXTERNAL_SECRET].result()
    )
    told = {**_told(scope, facts, api, Kind.STORE, facts.stores)}
    told |= _told(scope, facts, api, Kind.EXTERNAL_SECRET, facts.external_secrets)
    return replace(facts, told=told)


def _with_bootstrap(scope: Scope, facts: Facts, api: ApiServer) -> Facts:
    kubernetes, namespace = scope.world.kubernetes, facts.declared.namespace
    cron_job: Read[CronJob] = kubernetes.cron_job(api, namespace, facts.declared.bootstrap.cron_job)
    if not isinstance(cron_job, Known):
        return replace(facts, cron_job=cron_job)
    jobs: Read[tuple[Job, ...]] = kubernetes.jobs(api, namespace, cron_job.value.uid)
    facts = replace(facts, cron_job=cron_job, jobs=jobs)
    if not isinstance(jobs, Known) or not failing(facts, scope.clock()):
        return facts
    match kubernetes.log(api, namespace, jobs.value[0].name):
        case Known(text):
            return replace(facts, log=Known(causes(text, facts.declared.sources)))
        case unread:
            return replace(facts, log=unread)


def _told(
    scope: Scope, facts: Facts, api: ApiServer, kind: Kind, read: Read[tuple[Synced, ...]]
) -> dict[str, tuple[Cause, ...]]:
    """What Events say of those that are not Ready. Asked for only when there are any."""
    bad = {one.name for one in read.value if not one.ready} if isinstance(read, Known) else set()
    if not bad:
        return {}
    events = scope.world.kubernetes.events(api, facts.declared.namespace, kind)
    told: dict[str, tuple[Cause, ...]] = {}
    for event in events.value if isinstance(events, Known) else ():
        if event.name in bad:
            subject = facts.synced_id(kind.value, event.name)
            found = (*told.get(subject, ()), *causes(event.message, facts.declared.sources))
            told[subject] = tuple(dict.fromkeys(found))
    return told


# -- the contract -------------------------------------------------------------------------


def _may_start(contract: Contract, declared: DeclaredVault) -> bool:
    never = contract.mode(Action.VAULT_BOOTSTRAP) is Mode.NEVER
    return not never and contract.may_act_in(declared.namespace)


# -- the root -----------------------------------------------------------------------------


def _rests_on(environment: Environment, declared: DeclaredVault, cluster_id: str) -> frozenset[str]:
    """The cluster, the bootstrap's credential, and the files that tell of its identity or its Key Vault."""
    bootstrap = declared.bootstrap
    told = [
        facts.reference
        for facts in environment.facts
        for resource in facts.resources
        if same_id(resource, bootstrap.identity) or same_id(resource, declared.key_vault)
    ]
    credential = f"{bootstrap.identity}/federatedIdentityCredentials/{bootstrap.credential}"
    return frozenset(one.lower() for one in (cluster_id, credential, *told))


# -- how ----------------------------------------------------------------------------------


def _each[T](names: Iterable[str], read: Callable[[str], T]) -> dict[str, T]:
    futures: dict[str, Future[T]] = {name: _POOL.submit(read, name) for name in names}
    return {name: future.result() for name, future in futures.items()}


def _unread(read: Absent | Unknown, what: str) -> Unknown:
    return read if isinstance(read, Unknown) else Unknown(f"ARM knows no such resource: {what}")
