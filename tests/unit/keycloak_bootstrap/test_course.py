"""Which repair is called for, what is planned of it, and what holds it back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from responders.keycloak_bootstrap.checks import check, faults
from responders.keycloak_bootstrap.course import (
    HOLDS,
    MOST_RERUNS,
    knob,
    prefix_of,
    purpose_of,
    situation_of_job,
    wanted_of,
)
from responders.keycloak_bootstrap.facts import Facts, Purpose
from responders.keycloak_bootstrap.log_reasons import Cause
from responders.keycloak_bootstrap.plan import plan
from responders.keycloak_bootstrap.reasons import REASONS, Reason
from shared import proposals
from shared.clients.git_files import FileAt
from shared.clients.github import State
from shared.clients.web import NoAnswer
from shared.model import Absent, Finding, Known, Plan, Unknown
from shared.proposals import CHANGE_TRAILER
from shared.world import Leads
from tests.unit.applications.builders import application, operation
from tests.unit.keycloak_bootstrap.builders import (
    ACTIVE,
    APPLICATION,
    BOOTSTRAP,
    FAILED,
    HOUR,
    MINUTE,
    NOW,
    PATCHER,
    RIGHT,
    SECOND,
    WRONG,
    attempt,
    bootstrap,
    changing,
    client,
    clients,
    facts,
    failed_patcher,
    hooks,
    imports,
    keys,
    logged,
    patcher,
    pull,
    ran,
    secrets,
    tried,
)

REFUSED: dict[str, Any] = {"patcher": failed_patcher(), "logs": logged(Cause(Reason.KEYCLOAK_FORBIDDEN))}
MISORDERED: dict[str, Any] = {**REFUSED, "bootstrap": bootstrap(hook="PostSync")}
UNREADABLE: dict[str, Any] = {PATCHER: Unknown("403")}
UNTOLD: dict[str, Any] = {"bootstrap": bootstrap(state=FAILED), "logs": {BOOTSTRAP: Unknown("403")}}
UNSYNCED = Known(application(APPLICATION, sync="OutOfSync", operation=operation("Failed", "no reason")))

PURPOSES: dict[str, tuple[Facts, Purpose | None]] = {
    "nothing, where nothing is wrong": (facts(), None),
    "an order, where it is wrong": (facts(**MISORDERED), Purpose.ORDER),
    "an order, also where nothing else is": (facts(bootstrap=bootstrap(wave=5)), Purpose.ORDER),
    "another run, where the order is right": (facts(**REFUSED), Purpose.RERUN),
    "another run of a bootstrap that failed": (facts(bootstrap=bootstrap(state=FAILED)), Purpose.RERUN),
    "another run for what the patcher left out": (facts(clients=Known(())), Purpose.RERUN),
    "another run for what Vault never got": (facts(keys=keys(gitlab=Absent())), Purpose.RERUN),
    "a sync, where a Job is missing": (
        facts(patcher=Absent(), application=UNSYNCED, secrets=secrets(oidc=Absent())),
        Purpose.SYNC,
    ),
    "Jobs made anew, where the contract names that": (facts(**REFUSED, by_jobs=True), Purpose.JOBS),
    "never Jobs made anew in the wrong order": (facts(**MISORDERED, by_jobs=True), Purpose.ORDER),
    "nothing while the bootstrap is running": (
        facts(**REFUSED, bootstrap=bootstrap(state=ACTIVE, started=NOW - MINUTE)),
        None,
    ),
    "nothing while Keycloak does not answer": (
        facts(**REFUSED, page=NoAnswer("timeout"), clients=Unknown("timeout")),
        None,
    ),
    "nothing while an import is not done": (facts(**REFUSED, imports=imports(errors=True)), None),
    "nothing for a redirect URI, which is added by itself": (
        facts(clients=clients(client("gitlab"))),
        None,
    ),
    "nothing where a Job could not be read": (facts(**REFUSED, bootstrap=Unknown("503")), None),
    "nothing where the log of a Job that failed could not be read": (facts(**UNTOLD), None),
    "nor where it would be made anew": (facts(**UNTOLD, by_jobs=True), None),
    "nor a sync for the other one": (facts(**UNTOLD, patcher=Absent(), application=UNSYNCED), None),
    "an order, whatever the log says": (facts(**{**MISORDERED, "logs": UNREADABLE}), Purpose.ORDER),
    "an order, though Keycloak does not answer": (
        facts(**MISORDERED, page=NoAnswer("timeout"), clients=Unknown("timeout")),
        Purpose.ORDER,
    ),
}


@pytest.mark.parametrize(("given", "expected"), PURPOSES.values(), ids=PURPOSES)
def test_what_is_called_for(given: Facts, expected: Purpose | None) -> None:
    assert purpose_of(given, faults(given, NOW)) is expected


# -- what the values should say ---------------------------------------------------------------------


def test_the_knob_is_the_same_for_the_same_jobs_and_another_for_others() -> None:
    other = failed_patcher(uid="another")
    assert knob(facts(**REFUSED)) == knob(facts(**REFUSED, clients=Known(())))
    assert knob(facts(**REFUSED)) != knob(facts(patcher=other))


def test_what_the_file_says_counts_before_what_is_rendered() -> None:
    given = changing(facts(**MISORDERED), Purpose.ORDER, RIGHT)
    assert given.change is not None
    assert given.change.wanted == {}


WANTED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "the hook alone": ({"bootstrap": bootstrap(hook="PostSync")}, {"masterBootstrap.hook": "Sync"}),
    "the wave alone": (
        {"bootstrap": bootstrap(wave=7), "patcher": patcher(wave=5)},
        {"masterBootstrap.syncWave": "4"},
    ),
    "all of it": (
        {"bootstrap": bootstrap(hook="PostSync", wave=10), "patcher": patcher(hook="PreSync", wave=-1)},
        {
            "masterBootstrap.hook": "Sync",
            "masterBootstrap.syncWave": "1",
            "clientPatcher.hook": "Sync",
            "clientPatcher.syncWave": "2",
        },
    ),
}


@pytest.mark.parametrize(("given", "expected"), WANTED.values(), ids=WANTED)
def test_of_a_file_that_says_nothing_only_what_is_not_rendered_right_is_wanted(
    given: dict[str, Any], expected: dict[str, str]
) -> None:
    assert wanted_of(facts(**given), Purpose.ORDER) == expected


UNDECLARED: dict[str, Facts] = {
    "no file of values": facts(**MISORDERED, declared=hooks(values=None)),
    "no key of the bootstrap's hook": facts(**MISORDERED, declared=hooks(bootstrap_hook=None)),
    "no knob": facts(**REFUSED, declared=hooks(rerun=None)),
}


@pytest.mark.parametrize("given", UNDECLARED.values(), ids=UNDECLARED)
def test_a_key_that_is_not_declared_is_for_people(given: Facts) -> None:
    found = check(given, NOW)
    assert Reason.HOOK_KEY_UNDECLARED in {one.reason for one in found}
    assert plan(given, found).steps == ()


def test_a_key_that_is_not_needed_need_not_be_declared() -> None:
    given = facts(**MISORDERED, declared=hooks(bootstrap_wave=None, patcher_hook=None, patcher_wave=None))
    assert wanted_of(given, Purpose.ORDER) == {"masterBootstrap.hook": "Sync"}


# -- how a change fares -----------------------------------------------------------------------------

RERUNS = facts(**REFUSED)


def rerunning(*pulls: Any, given: Facts = RERUNS, **changes: Any) -> Facts:
    return changing(given, Purpose.RERUN, RIGHT, *pulls, **changes)


def merged(given: Facts = RERUNS, **changes: Any) -> Facts:
    """The file has the knob's value."""
    text = RIGHT.replace('"2025-12-18"', knob(given))
    return changing(replace(given, **changes), Purpose.RERUN, text)


def synced(age: timedelta, *, confirmed: bool = True, times: int = 1, changed: Facts | None = None) -> Facts:
    """The merged value was synced that long ago."""
    given = merged()
    (due,) = [one for one in check(given, NOW) if one.reason == Reason.HOOKS_NOT_RERUN]
    made = [
        attempt("application.sync", due.evidence["situation"], age + HOUR * one, confirmed=confirmed)
        for one in reversed(range(times))
    ]
    return replace(changed or given, tries=tried(given.application_id, *made))


def running(**changes: Any) -> Known[Any]:
    return Known(application(APPLICATION, **changes))


OLD = NOW - timedelta(hours=2)
WAYS: dict[str, tuple[Facts, Reason | None, list[str]]] = {
    "a change that is due is proposed": (rerunning(), None, ["keycloak.rerun"]),
    "one that is proposed waits for people": (rerunning(pull()), Reason.HOOK_PROPOSAL_OPEN, []),
    "one whose file changed below it is brought up to date": (
        rerunning(pull(), proposed=Known(FileAt("other", "e" * 40, f"Ours\n\n{CHANGE_TRAILER} 1"))),
        None,
        ["keycloak.rerun"],
    ),
    "one that somebody else wrote to is left as it is": (
        rerunning(pull(), proposed=Known(FileAt("other", "e" * 40, "By somebody"))),
        Reason.HOOK_PROPOSAL_OPEN,
        [],
    ),
    "one that was declined is left to people": (
        rerunning(pull(State.DECLINED)),
        Reason.HOOK_PROPOSAL_DECLINED,
        [],
    ),
    "one that was merged just now may not be seen yet": (
        rerunning(pull(State.MERGED, ended_at=NOW)),
        Reason.HOOK_VALUES_SETTLING,
        [],
    ),
    "one that was merged and undone is left to people": (
        rerunning(pull(State.MERGED, ended_at=OLD)),
        Reason.HOOK_VALUES_UNDONE,
        [],
    ),
    "a file that cannot be read": (rerunning(text=Unknown("503")), Reason.KEYCLOAK_UNREAD, []),
    "a file that is missing": (rerunning(text=Absent()), Reason.HOOK_VALUES_UNEDITABLE, []),
    "a file whose layout allows no edit": (
        rerunning(wanted_text=None),
        Reason.HOOK_VALUES_UNEDITABLE,
        [],
    ),
    "pull requests that cannot be listed": (
        rerunning(history=Unknown("503")),
        Reason.KEYCLOAK_UNREAD,
        [],
    ),
    "two other runs for the same fault within a day": (
        rerunning(given=replace(RERUNS, reruns=ran(Reason.KEYCLOAK_FORBIDDEN, "a", "b"))),
        Reason.RERUN_IN_VAIN,
        [],
    ),
    "two other runs, for another fault": (
        rerunning(given=replace(RERUNS, reruns=ran(Reason.CLIENT_MISSING, "a", "b"))),
        None,
        ["keycloak.rerun"],
    ),
    "the second run for the same fault may be begun again after a crash": (
        rerunning(
            given=replace(
                RERUNS,
                reruns=ran(Reason.KEYCLOAK_FORBIDDEN, "a", knob(RERUNS)),
            )
        ),
        None,
        ["keycloak.rerun"],
    ),
    # -- and then a sync
    "what is merged is synced": (merged(), Reason.HOOKS_NOT_RERUN, ["application.sync"]),
    "what was synced a moment ago is waited for": (
        synced(MINUTE),
        Reason.KEYCLOAK_SYNC_UNDER_WAY,
        [],
    ),
    "for ten minutes": (synced(9 * MINUTE), Reason.KEYCLOAK_SYNC_UNDER_WAY, []),
    "then somebody must look": (synced(10 * MINUTE), Reason.KEYCLOAK_SYNC_IN_VAIN, []),
    "a sync that nobody confirmed is asked for again": (
        synced(MINUTE, confirmed=False),
        Reason.HOOKS_NOT_RERUN,
        ["application.sync"],
    ),
    "an hour later it is tried once more": (
        synced(HOUR),
        Reason.HOOKS_NOT_RERUN,
        ["application.sync"],
    ),
    "and never again": (synced(HOUR, times=2), Reason.KEYCLOAK_SYNC_IN_VAIN, []),
    "nor are two that nobody confirmed made three": (
        synced(HOUR, confirmed=False, times=2),
        Reason.KEYCLOAK_SYNC_IN_VAIN,
        [],
    ),
    "and the second of them gets its ten minutes": (
        synced(9 * MINUTE, confirmed=False, times=2),
        Reason.KEYCLOAK_SYNC_UNDER_WAY,
        [],
    ),
    "nothing is asked for beside an operation": (
        merged(application=running(requested=True)),
        Reason.KEYCLOAK_SYNC_UNDER_WAY,
        [],
    ),
    "nor beside a refresh": (
        merged(application=running(refreshing=True)),
        Reason.KEYCLOAK_SYNC_UNDER_WAY,
        [],
    ),
    "without automated sync it is people's": (
        merged(application=running(automated=False)),
        Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE,
        [],
    ),
    "and so it is without an Argo CD": (
        merged(application=None, argocd=None),
        Reason.KEYCLOAK_SYNC_LEFT_TO_PEOPLE,
        [],
    ),
    "an Application that could not be read is not synced": (
        merged(application=Unknown("503")),
        Reason.KEYCLOAK_SYNC_UNDER_WAY,
        [],
    ),
}


def actions(planned: Plan) -> list[str]:
    return [step.action for step in planned.steps]


@pytest.mark.parametrize(("given", "says", "expected"), WAYS.values(), ids=WAYS)
def test_how_a_change_fares(given: Facts, says: Reason | None, expected: list[str]) -> None:
    wrong = {one.reason for one in faults(given, NOW)}
    found = check(given, NOW)
    added = [one.reason for one in found if one.reason not in wrong]
    told = [one.reason for one in found] if says in wrong else added
    assert (says in told) if says else (added == [])
    assert actions(plan(given, found)) == expected


# -- Jobs made anew ---------------------------------------------------------------------------------

BY_JOBS = facts(patcher=failed_patcher(), logs=logged(Cause(Reason.PATCHER_MET_SEALED_VAULT)), by_jobs=True)
UNDONE = facts(**REFUSED, by_jobs=True)
EARLY = failed_patcher(started=NOW - HOUR + SECOND)
BOTH = facts(**REFUSED, bootstrap=bootstrap(state=FAILED), by_jobs=True)


def again(age: timedelta, given: Facts = BY_JOBS, **changes: Any) -> Facts:
    made = attempt("keycloak.jobs", situation_of_job(given, PATCHER), age, **changes)
    return replace(given, tries=tried(given.patcher_id, made))


JOBS: dict[str, tuple[Facts, Reason | None, list[str]]] = {
    "the patcher, where the bootstrap is complete": (BY_JOBS, None, [PATCHER]),
    "the bootstrap alone, where that failed": (BOTH, None, [BOOTSTRAP]),
    "the bootstrap, where the patcher came after it and got 403 all the same": (UNDONE, None, [BOOTSTRAP]),
    "the bootstrap, where it got no login": (
        replace(UNDONE, logs=logged(Cause(Reason.PATCHER_LOGIN_REFUSED))),
        None,
        [BOOTSTRAP],
    ),
    "the patcher, where it was refused because it came too early": (
        replace(UNDONE, patcher=EARLY),
        None,
        [PATCHER],
    ),
    "the patcher, once the bootstrap was made anew for it": (
        replace(
            UNDONE,
            patcher=EARLY,
            reruns=ran(Reason.KEYCLOAK_FORBIDDEN, "a", "b", of=UNDONE.bootstrap_id),
        ),
        None,
        [PATCHER],
    ),
    "nothing, where the bootstrap was made twice for a patcher that is refused": (
        replace(UNDONE, reruns=ran(Reason.KEYCLOAK_FORBIDDEN, "a", "b", of=UNDONE.bootstrap_id)),
        Reason.RERUN_IN_VAIN,
        [],
    ),
    "nothing, where it was made a moment ago": (again(MINUTE), Reason.JOB_RERUNNING, []),
    "nothing, where that changed nothing": (again(5 * MINUTE), Reason.RERUN_IN_VAIN, []),
    "once more, where nobody confirmed it": (again(MINUTE, confirmed=False), None, [PATCHER]),
    "nothing, where it was made twice for the same fault": (
        replace(BY_JOBS, reruns=ran(Reason.PATCHER_MET_SEALED_VAULT, "a", "b", of=BY_JOBS.patcher_id)),
        Reason.RERUN_IN_VAIN,
        [],
    ),
}


@pytest.mark.parametrize(("given", "says", "expected"), JOBS.values(), ids=JOBS)
def test_which_job_is_made_anew(given: Facts, says: Reason | None, expected: list[str]) -> None:
    found = check(given, NOW)
    assert says is None or says in {one.reason for one in found}
    steps = plan(given, found).steps
    assert [step.after["job"] for step in steps if step.action == "keycloak.jobs"] == expected
    assert {step.action for step in steps} <= {"keycloak.jobs"}


# -- a precaution -----------------------------------------------------------------------------------

WELL = facts(bootstrap=bootstrap(hook="PostSync"))
PRECAUTIONS: dict[str, tuple[Facts, bool, list[str]]] = {
    "is proposed": (changing(WELL, Purpose.ORDER, WRONG), True, ["keycloak.order"]),
    "waits quietly": (changing(WELL, Purpose.ORDER, WRONG, pull()), True, []),
    "is forgotten where people decline it": (
        changing(WELL, Purpose.ORDER, WRONG, pull(State.DECLINED)),
        False,
        [],
    ),
    "is forgotten where it cannot be proposed": (
        replace(WELL, declared=hooks(values=None)),
        False,
        [],
    ),
    "is synced once it is merged": (changing(WELL, Purpose.ORDER, RIGHT), True, ["application.sync"]),
    "is left to people where they sync": (
        changing(replace(WELL, application=running(automated=False)), Purpose.ORDER, RIGHT),
        False,
        [],
    ),
}


@pytest.mark.parametrize(("given", "stays", "expected"), PRECAUTIONS.values(), ids=PRECAUTIONS)
def test_an_order_that_nobody_suffers_from(given: Facts, stays: bool, expected: list[str]) -> None:
    found = check(given, NOW)
    infos = [REASONS[one.reason] for one in found]
    assert {info.leads for info in infos} <= {Leads.REPAIR, Leads.NOTE}
    assert all(info.severity == "warning" for info in infos)
    assert (Reason.BOOTSTRAP_NOT_SYNC_HOOK in {one.reason for one in found}) is stays
    assert actions(plan(given, found)) == expected


# -- left over --------------------------------------------------------------------------------------


def own_branch(given: Facts, purpose: Purpose) -> str:
    assert given.change is not None
    return proposals.branch(prefix_of("dev", purpose), given.change.proposal.change)


NEEDED = rerunning(pull())
STALE = pull(number=3, branch=f"{prefix_of('dev', Purpose.ORDER)}0123456789ab")
LEFT: dict[str, tuple[Facts, list[str]]] = {
    "what nobody needs is closed where everything is well": (
        facts(leftovers=Known((STALE,))),
        ["keycloak.order"],
    ),
    "but not the one in hand": (
        replace(NEEDED, leftovers=Known((pull(branch=own_branch(NEEDED, Purpose.RERUN)),))),
        [],
    ),
    "an older one beside it is": (replace(NEEDED, leftovers=Known((STALE,))), ["keycloak.order"]),
    "nothing is while it is not known what is needed": (
        facts(leftovers=Known((STALE,)), patcher=Unknown("503")),
        [],
    ),
    "nothing is while the Jobs are running": (
        facts(leftovers=Known((STALE,)), patcher=patcher(state=ACTIVE, started=NOW - MINUTE)),
        [],
    ),
    "nothing is where they could not be listed": (facts(leftovers=Unknown("503")), []),
}


@pytest.mark.parametrize(("given", "expected"), LEFT.values(), ids=LEFT)
def test_what_is_closed(given: Facts, expected: list[str]) -> None:
    steps = plan(given, check(given, NOW)).steps
    assert [step.action for step in steps if proposals.NUMBER in step.after] == expected


# -- a plan -----------------------------------------------------------------------------------------


def blocked(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    root = Finding(reason="VaultSealed", subject="vault", message="it is sealed")
    return tuple(replace(one, caused_by=root) if REASONS[one.reason].symptom else one for one in found)


def test_nothing_is_planned_for_what_waits_for_another_target() -> None:
    for given in (rerunning(), merged(), BY_JOBS):
        assert plan(given, blocked(check(given, NOW))).steps == ()


def test_an_order_is_planned_all_the_same() -> None:
    given = changing(facts(**MISORDERED), Purpose.ORDER, WRONG)
    assert actions(plan(given, blocked(check(given, NOW)))) == ["keycloak.order"]


def test_the_same_situation_has_the_same_plan_whenever_it_is_looked_at() -> None:
    for given in (rerunning(), merged(), BY_JOBS):
        later = plan(given, check(given, NOW + MINUTE))
        assert later.digest == plan(given, check(given, NOW)).digest


def test_a_change_of_values_changes_what_is_wanted_and_nothing_else() -> None:
    (step,) = plan(rerunning(), check(rerunning(), NOW)).steps
    assert step.before == {"clientPatcher.runId": "2025-12-18"}
    assert step.after == {"clientPatcher.runId": knob(RERUNS)}
    assert step.mends == Reason.KEYCLOAK_FORBIDDEN


def test_what_runs_already_is_not_made_to_run() -> None:
    assert {Reason.MASTER_BOOTSTRAP_RUNNING, Reason.CLIENT_PATCHER_RUNNING} <= HOLDS
    assert MOST_RERUNS == 2
