"""Lists the Applications once, keeps those of the environment, and reads the journal. Read only.

Whatever became of a lost webhook, this finds it: nothing here depends on what woke the run.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from responders.applications import failures
from responders.applications.facts import Facts, Seen
from responders.applications.holders import holders
from responders.applications.situations import TERMINATE
from shared.attempts import MEMORY, Attempt, tries
from shared.clients.argocd import Application
from shared.errors import Misconfigured
from shared.failure_texts import classify_first
from shared.journal import Kind
from shared.landscape import DeclaredArgoCD
from shared.model import Known, Read, Unknown
from shared.world import Leads, Scope

STOPS_KEPT: Final = timedelta(days=7)
"""Argo CD keeps for ever that an operation was stopped, and never who did it."""


def gather(scope: Scope) -> Facts:
    """Raises Misconfigured for an environment without Argo CD, which no target leads to."""
    declared = scope.environment.argocd
    if declared is None:
        raise Misconfigured(f"environment {scope.environment.name} declares no argocd")
    cluster_id = scope.environment.cluster(declared.cluster).id
    facts = Facts(
        environment=scope.environment.name,
        declared=declared,
        cluster_id=cluster_id,
        applications=_applications(scope, declared, cluster_id),
        watched=frozenset(one.name for one in scope.preconditions),
        tries={},
    )
    return replace(facts, tries=dict(_tries(scope, facts)))


def _applications(scope: Scope, declared: DeclaredArgoCD, cluster_id: str) -> Read[tuple[Seen, ...]]:
    api_server = scope.world.clusters.api_server(cluster_id)
    if not isinstance(api_server, Known):
        unread = isinstance(api_server, Unknown)
        return api_server if unread else Unknown("ARM knows no such resource: the cluster")
    found = scope.world.argocd.applications(api_server.value, declared.namespace)
    return Known(tuple(_seen(declared, found.value))) if isinstance(found, Known) else found


def _seen(declared: DeclaredArgoCD, found: tuple[Application, ...]) -> Iterator[Seen]:
    for one in found:
        if rule := declared.rule(one.name):
            explanation = classify_first(failures.texts(one))
            yield Seen(application=one, rule=rule, explanation=explanation)


def _tries(scope: Scope, facts: Facts) -> Iterator[tuple[str, tuple[Attempt, ...]]]:
    """Ours, as far as they count."""
    seen = facts.applications.value if isinstance(facts.applications, Known) else ()
    stopped = any(failures.stopped(one.application) for one in seen)
    found = tries(scope, memory=STOPS_KEPT if stopped else MEMORY) if seen else {}
    broken, yesterday = _broken(scope) if found else {}, scope.clock() - MEMORY
    for one in seen:
        key = facts.id_of(one.application).lower()
        roots = (broken.get(f"{facts.environment}/{name}") for name in holders(facts, one))
        void = max((at for at in roots if at is not None), default=None)
        made = (each for each in found.get(key, ()) if each.action == TERMINATE or each.at >= yesterday)
        yield key, tuple(each if void is None or each.at >= void else _voided(each) for each in made)


def _voided(made: Attempt) -> Attempt:
    """What was tried before its own root broke again came to nothing for that, and may be tried anew. A stop
    rests on no root."""
    return made if made.action == TERMINATE else replace(made, confirmed=False, situation="")


def _broken(scope: Scope) -> Mapping[str, datetime]:
    """When each root held Applications back for the last time, being broken. All that rest on it did so
    together."""
    unclear = {
        (f"{scope.environment.name}/{responder.name}", reason)
        for responder in scope.preconditions
        for reason, info in responder.reasons.items()
        # It holds back as well, and may have been well all along.
        if info.leads in (Leads.UNREAD, Leads.WAIT)
    }
    return {
        root: entry.at
        for entry in scope.journal.read(scope.target, since=scope.clock() - MEMORY)
        if entry.kind is Kind.OUTCOME
        for root, reason in _causes(entry.detail)
        if (root, reason) not in unclear
    }


def _causes(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each root and its reason, which is empty in outcomes of before causes were kept."""
    if "causes" not in detail:
        yield from ((root, "") for root in detail.get("roots") or ())
        return
    yield from ((one["target"], one["reason"]) for one in detail["causes"])
