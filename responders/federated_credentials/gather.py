"""Reads everything the checks need: one GET per cluster, one GET and one LIST per identity, side by side.

Read only. What cannot be read comes back as Unknown and stops no other read.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from responders.federated_credentials.facts import FIGHT_WITHIN, Facts, Holding, Write, credential_id
from shared.journal import SIGNALS, Entry, Kind
from shared.landscape import DeclaredIdentity
from shared.model import Known, same_id
from shared.world import Scope

MEMORY: Final = timedelta(days=7)
"""How far back the journal is read for our own writes: the app may have stood still over some holidays."""

READERS: Final = 32
"""Reads of a process at one time: ARM allows 25 a second and principal in the long run, and far more in a
burst."""
# Kept for all runs: to start a thread for each read would take up to half as long as the reads do.
_POOL: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="gather")


def gather(scope: Scope) -> Facts:
    environment, world = scope.environment, scope.world
    # A cluster may be declared under two names; each ARM id is read once all the same.
    clusters = _once(world.clusters.get, [cluster.id for cluster in environment.clusters])
    identities = _once(world.identities.get, [one.id for one in environment.identities])
    credentials = _once(world.identities.credentials, [one.id for one in environment.identities])
    writes = _own_writes(scope)
    others = _other_writers(scope, writes)
    read = {cluster.name: clusters[cluster.id.lower()].result() for cluster in environment.clusters}
    return Facts(
        environment=environment.name,
        clusters=read,
        cluster_ids={cluster.name: cluster.id for cluster in environment.clusters},
        live_issuers=frozenset(
            known.value.issuer for known in read.values() if isinstance(known, Known) and known.value.issuer
        ),
        holdings=tuple(
            Holding(
                id=declared.id,
                declared=declared.credentials,
                elsewhere=_elsewhere(scope, declared),
                trusted_issuers=frozenset(declared.trusted_issuers),
                identity=identities[declared.id.lower()].result(),
                credentials=credentials[declared.id.lower()].result(),
                writes=_under(declared.id, writes),
                others=_under(declared.id, others),
            )
            for declared in environment.identities
        ),
        contract=environment.contract,
        own_identity=scope.landscape.reconverge.identity,
        own_object_id=scope.landscape.reconverge.object_id.lower(),
    )


def _once[T](read: Callable[[str], T], ids: list[str]) -> dict[str, Future[T]]:
    return {key: _POOL.submit(read, original) for key, original in {one.lower(): one for one in ids}.items()}


def _elsewhere(scope: Scope, declared: DeclaredIdentity) -> frozenset[str]:
    return frozenset(
        name.lower()
        for name, (environment, _) in scope.landscape.declared_on(declared.id).items()
        if environment.name != scope.environment.name
    )


def _own_writes(scope: Scope) -> dict[str, tuple[Write, ...]]:
    """Our writes by credential id in lower case, from this target's journal.

    A run writes a credential once at most, so an ending belongs to its own run's start: a worker that was
    taken over may end its write long after the next one began.
    """
    writes: dict[str, list[Write]] = {}
    for entry in scope.journal.read(scope.target, since=scope.clock() - MEMORY):
        key = str(entry.detail.get("object", "")).lower()
        match entry.kind:
            case Kind.STEP_STARTED:
                writes.setdefault(key, []).append(_write(entry))
            case Kind.STEP_DONE:
                writes[key] = [
                    replace(one, confirmed=True) if one.run == entry.run else one
                    for one in writes.get(key, [])
                ]
            case Kind.STEP_FAILED if entry.detail.get("written") is False:
                writes[key] = [one for one in writes.get(key, []) if one.run != entry.run]
            # Only what reads as written is proven, so whatever the verdict, the write was done.
            case Kind.PROOF if writes.get(key):
                proven = writes[key][-1].proven or entry.detail.get("verdict") == "accepted"
                writes[key][-1] = replace(writes[key][-1], confirmed=True, proven=proven)
            # The write itself is further back than we read. Each failed proof hands it on.
            case Kind.PROOF if write := entry.detail.get("write"):
                writes[key] = [Write.from_plain(write)]
    return {key: tuple(found) for key, found in writes.items() if found}


def _write(entry: Entry) -> Write:
    detail: Mapping[str, Any] = entry.detail
    return Write(at=entry.at, run=entry.run, before=detail.get("before"), after=detail.get("after") or {})


def _other_writers(scope: Scope, writes: Mapping[str, tuple[Write, ...]]) -> dict[str, tuple[str, ...]]:
    """Callers of credential events since our first write. Read only when there was one.

    An event that names no caller is journalled under its source, which wrote nothing.
    """
    if not writes:
        return {}
    since = max(min(found[0].at for found in writes.values()), scope.clock() - FIGHT_WITHIN)
    own = scope.landscape.reconverge.object_id.lower()
    others: dict[str, set[str]] = {}
    for entry in scope.journal.read(SIGNALS, since=since):
        key = str(entry.detail.get("subject", "")).lower()
        unnamed = entry.actor == entry.detail.get("source")
        if key in writes and not unnamed and not same_id(entry.actor, own):
            others.setdefault(key, set()).add(entry.actor)
    return {key: tuple(sorted(names)) for key, names in others.items()}


def _under[T](identity_id: str, by_id: Mapping[str, T]) -> Mapping[str, T]:
    """The part that belongs to one identity, by credential name in lower case."""
    prefix = credential_id(identity_id, "").lower()
    return {key.removeprefix(prefix): value for key, value in by_id.items() if key.startswith(prefix)}
