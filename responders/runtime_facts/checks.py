"""Faults of published facts, each check named after the fault it finds.

Promises: no I/O, no clock but the time passed in, no claim about a value that was not read.

A stale fact and a stale credential look alike in the workload's log. They are told apart here: a fact that
names another identity than the declared one is a fault of the fact, for which no credential is ever touched.
A fact that names the declared identity is right, whatever that identity's credentials trust.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from responders.runtime_facts.cases import Case, Elsewhere, Reading, cluster_unread, home, readings
from responders.runtime_facts.facts import Facts, branch
from responders.runtime_facts.progress import held_back
from responders.runtime_facts.reasons import Reason, finding
from shared.landscape import repository_page
from shared.model import Absent, Finding, Known, Proof, Unknown
from shared.yaml_documents import NoScalar, NotYamlError, NoWay

type Check = Callable[[Case], Finding | None]


# -- of the environment ---------------------------------------------------------------------


def no_home(facts: Facts) -> list[Finding]:
    """What keeps everything from being judged."""
    unread = [
        finding(Reason.FACTS_UNREAD, arm_id, f"a cluster could not be read: {cluster.why}")
        for arm_id, cluster in facts.clusters.items()
        if isinstance(cluster, Unknown)
    ]
    if unread or home(facts):
        return unread
    first = next(iter(facts.clusters))
    return [finding(Reason.NO_LIVE_CLUSTER, first, "ARM knows none of the environment's clusters")]


# -- of a file --------------------------------------------------------------------------------


def file_fault(reading: Reading) -> Finding | None:
    """The first thing that keeps every field of a file from being judged."""
    declared = reading.published.declared
    match reading.published.file, reading.document:
        case Unknown(why), _:
            page = repository_page(declared.repository)
            return finding(Reason.REPOSITORY_UNREADABLE, page, f"{declared.path} could not be read: {why}")
        case Absent(), _:
            says = f"branch {declared.ref} has no {declared.path}"
            return finding(Reason.FACTS_FILE_MISSING, reading.reference, says)
        case _, NotYamlError() as error:
            return finding(Reason.FACTS_FILE_NOT_YAML, reading.reference, f"{declared.path} is {error}")
    # On the file as well, since it is what others rest on, whichever cluster is unread.
    if cluster_unread(reading.facts):
        says = f"{declared.path} could not be judged while a cluster of the environment is unread"
        return finding(Reason.FACTS_UNREAD, reading.reference, says)
    return None


# -- of a field -------------------------------------------------------------------------------


def field_unknown(case: Case) -> Finding | None:
    if isinstance(case.found, NoWay):
        return _of_field(Reason.FIELD_UNKNOWN, case, f"no way leads to {case.field}: {case.found.why}")
    return None


def fact_not_scalar(case: Case) -> Finding | None:
    if isinstance(case.found, NoScalar):
        return _of_field(Reason.FACT_NOT_SCALAR, case, f"{case.field} is {case.found.what}")
    return None


def resource_outside_subscription(case: Case) -> Finding | None:
    if isinstance(case.truth, Elsewhere) and not case.rightly_empty:
        return finding(
            Reason.RESOURCE_OUTSIDE_SUBSCRIPTION,
            case.resource,
            f"{_name(case)} lies in subscription {case.truth.subscription}, no live cluster of the "
            "environment does",
        )
    return None


def resource_missing(case: Case) -> Finding | None:
    if isinstance(case.truth, Absent) and not case.rightly_empty:
        return finding(Reason.RESOURCE_MISSING, case.resource, f"ARM knows no {_name(case)}")
    return None


def facts_unread(case: Case) -> Finding | None:
    if isinstance(case.truth, Unknown) and not case.rightly_empty:
        says = f"{case.declared.source} of {_name(case)} could not be read: {case.truth.why}"
        return finding(Reason.FACTS_UNREAD, case.resource, says)
    return None


def fact_missing(case: Case) -> Finding | None:
    if case.empty and case.wants is not None:
        return _of_field(Reason.FACT_MISSING, case, f"{case.field} is empty, not {case.wants}")
    return None


def fact_malformed(case: Case) -> Finding | None:
    if case.wants is not None and not case.well_formed:
        return _of_field(Reason.FACT_MALFORMED, case, f"{case.field} is {case.shown}, not {case.wants}")
    return None


def fact_differs(case: Case) -> Finding | None:
    if case.wants is not None:
        of = f" of {_name(case)}" if case.resource else ""
        return _of_field(Reason.FACT_DIFFERS, case, f"{case.field} is {case.shown}, not {case.wants}{of}")
    return None


FIELD: Final[tuple[Check, ...]] = (
    field_unknown,                  # there is no place for a value
    fact_not_scalar,                # there is something else in its place
    resource_outside_subscription,  # the landscape points at the old platform
    resource_missing,               # there is nothing to publish
    facts_unread,                   # nothing is known of what it must be
    fact_missing,                   # from here on the truth is known, and the field must get it
    fact_malformed,
    fact_differs,
)  # fmt: skip


# -- the chains -------------------------------------------------------------------------------


def check(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Every finding on an environment's facts: file by file, then what is left over from earlier changes."""
    findings = no_home(facts)
    for reading in readings(facts):
        if fault := file_fault(reading):
            findings.append(fault)
            continue
        # First, since it is what a pending outcome is called after.
        if held := held_back(reading, now):
            findings.append(held)
        findings.extend(fault for case in reading.cases if (fault := _first_fault(case)))
    findings.extend(superseded(facts))
    # Two fields of one resource share what is wrong with it.
    return tuple({(one.reason, one.subject, one.message): one for one in findings}.values())


def superseded(facts: Facts) -> Iterator[Finding]:
    """Open pull requests of ours whose change nobody needs any more.

    Where a file of the repository could not be judged, none is known to be needless.
    """
    for page, proposals in facts.proposals.items():
        beside = [
            one for one in readings(facts) if repository_page(one.published.declared.repository) == page
        ]
        if isinstance(proposals, Unknown):
            yield finding(
                Reason.FACTS_UNREAD, page, f"its pull requests could not be listed: {proposals.why}"
            )
        if not isinstance(proposals, Known) or not all(one.whole for one in beside):
            continue
        needed = {branch(facts.environment, one.change) for one in beside if one.change}
        for one in proposals.value:
            if one.branch not in needed:
                says = f"pull request {one.number} carries a change that is not needed any more"
                yield finding(Reason.PULL_REQUEST_SUPERSEDED, one.url, says)


def doubt(_facts: Facts, _proofs: tuple[Proof, ...], _now: datetime) -> tuple[Finding, ...]:
    """Nothing: reading the published file is the proof, and every read is judged by the checks."""
    return ()


def _first_fault(case: Case) -> Finding | None:
    return next((fault for check in FIELD if (fault := check(case))), None)


def _of_field(reason: Reason, case: Case, message: str) -> Finding:
    return finding(reason, case.reference, message, field=case.field)


def _name(case: Case) -> str:
    return case.resource.rstrip("/").rpartition("/")[2]
