"""Findings → steps, stage by stage: what seeds Vault, then single seeds, then what reads them.

A later stage has steps only when nothing is found in an earlier one: most of what is wrong further down mends
itself once the earlier thing is right. Only seeds do not wait for a bootstrap that may not be started.
Nothing is deleted, and no value that somebody owns is overwritten.
"""

from enum import IntEnum, auto
from typing import Final

from responders.vault_seeding import situations
from responders.vault_seeding.facts import Facts
from responders.vault_seeding.reasons import REASONS, Reason
from shared.clients.cluster_api import Kind
from shared.model import Finding, Known, Plan, Step, Target, digest_of
from shared.world import Leads

NAME: Final = "vault_seeding"
BOOTSTRAP: Final = "vault.bootstrap"
SEED: Final = "vault.seed"
REFRESH: Final = "secrets.refresh"

LONGEST_NAME: Final = 63
"""Characters of a Job's name: it becomes a label of its pods."""

_HARMLESS: Final = frozenset({Reason.VAULT_LOGIN_REFUSED})
"""Of Vault, what does not stand in a bootstrap's way: a new Vault lets us in only after it."""

_INTENDED: Final = frozenset({Reason.BOOTSTRAP_SUSPENDED})
"""Somebody wants Vault to stay as it is."""


class Stage(IntEnum):
    SOURCE = auto()
    VAULT = auto()
    BOOTSTRAP = auto()
    SEEDS = auto()
    STORES = auto()
    EXTERNAL_SECRETS = auto()


def stage_of(facts: Facts, finding: Finding) -> Stage:
    """By what the finding is about."""
    match finding.subject:
        case subject if subject.startswith(facts.declared.key_vault):
            return Stage.SOURCE
        case subject if subject == facts.declared.address:
            return Stage.VAULT
        case subject if subject.startswith(f"{facts.declared.address}/"):
            return Stage.SEEDS
        case subject if subject == facts.cron_job_id:
            return Stage.BOOTSTRAP
        case subject if subject.startswith(facts.synced_id(Kind.EXTERNAL_SECRET, "")):
            return Stage.EXTERNAL_SECRETS
    return Stage.STORES


def plan(facts: Facts, findings: tuple[Finding, ...]) -> Plan:
    by_stage: dict[Stage, list[Finding]] = {stage: [] for stage in Stage}
    for finding in findings:
        if REASONS[finding.reason].leads is not Leads.NOTE:
            by_stage[stage_of(facts, finding)].append(finding)
    steps = _steps(facts, by_stage)
    basis = digest_of([[step.object, dict(step.after)] for step in steps]) if steps else ""
    return Plan(target=Target(facts.environment, NAME), facts=basis, steps=tuple(steps))


def _steps(facts: Facts, found: dict[Stage, list[Finding]]) -> list[Step]:
    bootstrap = found[Stage.BOOTSTRAP]
    in_the_way = [one for one in found[Stage.VAULT] if one.reason not in _HARMLESS] + found[Stage.SOURCE]
    start = [] if in_the_way else _start(facts, bootstrap)
    if bootstrap and not _hopeless(facts, bootstrap):
        return start
    if found[Stage.VAULT] or any(one.subject == facts.declared.key_vault for one in found[Stage.SOURCE]):
        return start
    if seeds := found[Stage.SEEDS]:
        return [*start, *_seed(facts, seeds)]
    if bootstrap:
        return start
    if found[Stage.SOURCE]:
        return []
    return _refresh(facts, found[Stage.STORES] or found[Stage.EXTERNAL_SECRETS])


# -- the bootstrap ------------------------------------------------------------------------


def _hopeless(facts: Facts, found: list[Finding]) -> bool:
    """It fails, and Reconverge may not start it. So seeds wait for nothing."""
    return not facts.may_start and all(
        REASONS[one.reason].leads in (Leads.REPAIR, Leads.PERSON) and one.reason not in _INTENDED
        for one in found
    )


def _start(facts: Facts, found: list[Finding]) -> list[Step]:
    """One start, if it can mend all that is found."""
    if (
        not found
        or not isinstance(facts.cron_job, Known)
        or any(REASONS[one.reason].leads is not Leads.REPAIR for one in found)
    ):
        return []
    name, uid = facts.declared.bootstrap.cron_job, facts.cron_job.value.uid
    situation = situations.of_bootstrap(facts)
    return [
        Step(
            action=BOOTSTRAP,
            object=facts.cron_job_id,
            owner=facts.namespace_id,
            before=None,
            after={
                "cronJob": name,
                "uid": uid,
                "job": job_name(name, uid, situation, _started(facts, situation)),
                "situation": situation,
            },
            mends=found[0].reason,
        )
    ]


def _started(facts: Facts, situation: str) -> str:
    """When a start was last confirmed in this situation. Not how many were: they leave memory one by one."""
    made = [one for one in facts.tries_of(facts.cron_job_id) if one.confirmed and one.situation == situation]
    return made[-1].at.isoformat() if made else ""


def job_name(cron_job: str, uid: str, situation: str, started: str) -> str:
    """The same until a start is confirmed, so that one whose answer was lost meets its own Job. Another one
    after that: the Job that failed may still be there, and keep a second one of its name from being made."""
    digest = digest_of([uid, situation, started])[:12]
    return f"{cron_job[: LONGEST_NAME - len(digest) - 1].rstrip('-.')}-{digest}"


# -- seeds --------------------------------------------------------------------------------


def _seed(facts: Facts, found: list[Finding]) -> list[Step]:
    wanting = {
        one.subject: one.reason
        for one in found
        if one.reason in {Reason.SEED_MISSING, Reason.SEED_IS_PLACEHOLDER}
    }
    return [
        step
        for key in facts.declared.seeds
        if (reason := wanting.get(facts.seed_id(key))) and (step := _seed_step(facts, key, reason))
    ]


def _seed_step(facts: Facts, key: str, reason: str) -> Step | None:
    """None while there is no good value to write."""
    name = facts.declared.seeds[key]
    source = facts.sources.get(name)
    held = facts.held.get(key)
    if not isinstance(source, Known) or source.value.fingerprint.placeholder:
        return None
    if not isinstance(facts.key_vault, Known):
        return None
    version = held.value.version if isinstance(held, Known) else 0
    return Step(
        action=SEED,
        object=facts.seed_id(key),
        owner=facts.declared.address,
        before={"version": str(version)} if version else None,
        after={
            "key": key,
            "secret": name,
            "secretVersion": source.value.version,
            "keyVault": facts.key_vault.value,
            "cas": str(version),
        },
        mends=reason,
    )


# -- what reads them ----------------------------------------------------------------------


def _refresh(facts: Facts, found: list[Finding]) -> list[Step]:
    wanting = {one.subject: one.reason for one in found if REASONS[one.reason].leads is Leads.REPAIR}
    return [
        Step(
            action=REFRESH,
            object=subject,
            owner=facts.namespace_id,
            before=None,
            after={
                "kind": kind.value,
                "name": synced.name,
                "situation": situations.of_refresh(facts, kind, synced),
            },
            mends=wanting[subject],
        )
        for kind, read in ((Kind.STORE, facts.stores), (Kind.EXTERNAL_SECRET, facts.external_secrets))
        for synced in (read.value if isinstance(read, Known) else ())
        if (subject := facts.synced_id(kind.value, synced.name)) in wanting
    ]
