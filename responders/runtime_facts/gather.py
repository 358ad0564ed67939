"""Reads everything the checks need: each cluster, resource and file once, side by side.

How a change fares is read only for a file that needs one, and only by its channel. Pull requests of ours are
listed wherever they are the channel, since what nobody needs any more is closed. Read only; what cannot be
read comes back as Unknown and stops no other read.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from responders.runtime_facts.cases import Reading
from responders.runtime_facts.facts import ByWorkflow, Facts, Progress, Published, branch, branch_prefix
from shared.changes import Started, started
from shared.landscape import DeclaredFacts, Truth, repository_page
from shared.model import Channel, Identity, Known, Read
from shared.proposals import change_id, leftovers, progress_of
from shared.world import Scope

READERS: Final = 16
"""GitHub asks for no more than a hundred requests at one time.
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"""
_POOL: Final = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="facts")

_OF_IDENTITY: Final[Mapping[Truth, Callable[[Identity], str]]] = {
    Truth.IDENTITY_CLIENT_ID: lambda identity: identity.client_id,
    Truth.IDENTITY_PRINCIPAL_ID: lambda identity: identity.principal_id,
}


def gather(scope: Scope) -> Facts:
    environment = scope.environment
    clusters = {one.id: _POOL.submit(scope.world.clusters.get, one.id) for one in environment.clusters}
    proposals = {
        page: _POOL.submit(leftovers, scope, file, branch_prefix(environment.name))
        for page, file in _proposed_to(scope).items()
    }
    writes = started(scope, change_id)
    files = [_POOL.submit(_published, scope, one, writes) for one in environment.facts]
    facts = Facts(
        environment=environment.name,
        tenant=scope.landscape.tenant,
        values=_values(scope),
        clusters={arm_id: read.result() for arm_id, read in clusters.items()},
        files=tuple(read.result() for read in files),
        proposals={page: read.result() for page, read in proposals.items()},
    )
    # What a file needs is known now, and with it whose progress counts.
    progress = _POOL.map(lambda one: _progress(scope, Reading(facts, one)), facts.files)
    return replace(
        facts,
        files=tuple(replace(one, progress=made) for one, made in zip(facts.files, progress, strict=True)),
    )


# -- Azure --------------------------------------------------------------------------------------


def _values(scope: Scope) -> Mapping[tuple[str, str], Read[str]]:
    """What Azure has for each declared source and resource; an identity's two ids come from one read."""
    world = scope.world
    reads: dict[tuple[str, str], Future[Read[str]]] = {}
    identities: dict[str, Future[Read[Identity]]] = {}
    asked: set[tuple[Truth, str]] = set()
    for fact in (fact for file in scope.environment.facts for fact in file.fields.values()):
        if fact.id is None:
            continue
        key = fact.id.lower()
        match fact.source:
            case Truth.KEY_VAULT_URI if (fact.source, key) not in reads:
                reads[fact.source, key] = _POOL.submit(world.resources.vault_uri, fact.id)
            case Truth.PUBLIC_IP_ADDRESS if (fact.source, key) not in reads:
                reads[fact.source, key] = _POOL.submit(world.resources.ip_address, fact.id)
            case Truth.IDENTITY_CLIENT_ID | Truth.IDENTITY_PRINCIPAL_ID:
                asked.add((fact.source, key))
                if key not in identities:
                    identities[key] = _POOL.submit(world.identities.get, fact.id)
    values = {key: read.result() for key, read in reads.items()}
    for source, key in asked:
        values[source, key] = _attribute(identities[key].result(), _OF_IDENTITY[source])
    return values


def _attribute(read: Read[Identity], of: Callable[[Identity], str]) -> Read[str]:
    return Known(of(read.value)) if isinstance(read, Known) else read


# -- Git and GitHub -----------------------------------------------------------------------------


def _published(scope: Scope, declared: DeclaredFacts, writes: Mapping[str, tuple[Started, ...]]) -> Published:
    read_at = scope.clock()
    return Published(
        declared=declared,
        channel=scope.environment.contract.channel_to(declared),
        file=scope.world.files.read(declared.repository, declared.ref, declared.path),
        read_at=read_at,
        started=writes.get(declared.reference, ()),
    )


def _proposed_to(scope: Scope) -> Mapping[str, DeclaredFacts]:
    """Pages of the repositories that pull requests are the channel to, each with a file in it."""
    environment = scope.environment
    return {
        repository_page(one.repository): one
        for one in environment.facts
        if environment.contract.channel_to(one) is Channel.PULL_REQUEST
    }


def _progress(scope: Scope, reading: Reading) -> Progress:
    published, declared = reading.published, reading.published.declared
    if reading.change is None:
        return None
    github = scope.world.github
    match published.channel, declared.workflow:
        case Channel.WORKFLOW, workflow if workflow:
            return ByWorkflow(
                workflow=github.workflow(workflow.repository, workflow.file),
                runs=github.runs(workflow.repository, workflow.file),
            )
        case Channel.PULL_REQUEST, _:
            return progress_of(scope, declared, branch(scope.environment.name, reading.change))
    return None
