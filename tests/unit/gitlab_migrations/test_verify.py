"""What counts as a proof, and when another look is worth it."""

from datetime import timedelta
from typing import Any

import pytest

from responders.gitlab_migrations.facts import Facts
from responders.gitlab_migrations.reasons import REASONS, Reason, finding
from responders.gitlab_migrations.repairs import MAP
from responders.gitlab_migrations.verify import look_again, verify
from shared.clients.cluster_api import JobState
from shared.clients.web import NoAnswer, Page
from shared.model import Known, Unknown, Verdict
from tests.unit.gitlab_migrations.builders import (
    APPLICATION_ID,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    SIGN_ON,
    UNMAPPED,
    VALUES,
    attempt,
    declared,
    facts,
    failed,
    job,
    made,
    pod,
    pods,
    rendered,
    waiting,
)
from tests.unit.gitlab_migrations.world import World

FILE, APPLICATION = VALUES.reference, APPLICATION_ID


def begun(**changes: Any) -> Facts:
    """Both ways of a repair were gone, and all is well."""
    usual = {
        "made": (made("gitlabhq_production", action=MAP),),
        "landed": True,
        "attempts": {APPLICATION_ID.lower(): attempt("situation")},
    }
    return facts(**{**usual, **changes})


PROVEN: dict[str, tuple[Facts, list[str]]] = {
    "all is well": (begun(), [FILE, APPLICATION]),
    "nothing was begun": (facts(), []),
    "the change never came into the file": (begun(landed=False), [APPLICATION]),
    "the change has its proof": (
        begun(made=(made("gitlabhq_production", action=MAP, proven=True),)),
        [APPLICATION],
    ),
    "the sync has its proof": (
        begun(attempts={APPLICATION_ID.lower(): attempt("situation", proven=True)}),
        [FILE],
    ),
    "the file is not declared any more": (begun(declared=declared(migrations=None)), [APPLICATION]),
    "the page leads to the sign-on": (
        begun(page=Page(status=302, redirected_to=SIGN_ON)),
        [FILE, APPLICATION],
    ),
    "the page leads to a host that is not the sign-on": (
        begun(page=Page(status=302, redirected_to="https://parking.example")),
        [],
    ),
    "the Job is gone after it did its work": (begun(jobs=Known(())), [FILE, APPLICATION]),
    "the mapping is not rendered yet": (begun(rendered=rendered(UNMAPPED)), []),
    "the page fails": (begun(page=Page(status=500)), []),
    "the page is not there": (begun(page=Page(status=404)), []),
    "nobody answers": (begun(page=NoAnswer("timeout")), []),
    "an edge answers": (begun(page=Page(status=403)), []),
    "the page is asked for too often": (begun(page=Page(status=429)), []),
    "the page leads in circles": (begun(page=Page(status=302, redirected_to=declared().url)), []),
    "the webservice is not ready": (begun(pods=pods(pod(ready=False))), []),
    "the webservice waits": (begun(pods=pods(waiting())), []),
    "the migrations run": (begun(jobs=Known((job(JobState.ACTIVE),))), []),
    "the migrations failed, and older pods serve": (begun(jobs=Known((job(JobState.FAILED),))), []),
}


@pytest.mark.parametrize(("given", "objects"), PROVEN.values(), ids=PROVEN)
def test_what_was_begun_is_proven_by_the_page_and_the_pods(given: Facts, objects: list[str]) -> None:
    proofs = verify(World().scope, given)
    assert [one.object for one in proofs] == objects
    assert all(one.verdict is Verdict.ACCEPTED for one in proofs)


LOOKS: dict[str, tuple[Facts, Reason, timedelta, bool]] = {
    "soon after a Job began": (
        facts(jobs=Known((job(JobState.ACTIVE, 20 * SECOND),))),
        Reason.MIGRATIONS_RUNNING,
        10 * SECOND,
        False,
    ),
    "at most every minute": (
        facts(jobs=Known((job(JobState.ACTIVE, HOUR / 2),))),
        Reason.MIGRATIONS_RUNNING,
        MINUTE,
        False,
    ),
    "soon after a sync was asked for": (
        facts(attempts={APPLICATION_ID.lower(): attempt("x", NOW - 2 * SECOND)}),
        Reason.GITLAB_SYNCING,
        5 * SECOND,
        False,
    ),
    "soon after a root was mended": (
        failed(Reason.MIGRATIONS_LOCKED, blocked_at=NOW - 20 * SECOND),
        Reason.MIGRATIONS_CAUSE_MENDED,
        10 * SECOND,
        False,
    ),
    "soon after a pull request was opened": (
        failed(Reason.MIGRATIONS_LOCKED, made=(made("a123456", 2 * MINUTE),)),
        Reason.MIGRATIONS_CHANGE_OPEN,
        MINUTE,
        False,
    ),
    "every quarter of an hour while it waits": (
        failed(Reason.MIGRATIONS_LOCKED, made=(made("a123456", 9 * HOUR),)),
        Reason.MIGRATIONS_CHANGE_OPEN,
        15 * MINUTE,
        False,
    ),
    "a pull request that is older than our memory": (
        facts(),
        Reason.MIGRATIONS_CHANGE_OPEN,
        15 * MINUTE,
        False,
    ),
    "what could not be read": (facts(jobs=Unknown("503")), Reason.GITLAB_UNREAD, 30 * SECOND, False),
    "what asks for a pause": (
        facts(jobs=Unknown("429", delay=7 * MINUTE)),
        Reason.GITLAB_UNREAD,
        7 * MINUTE,
        True,
    ),
}


@pytest.mark.parametrize(("given", "reason", "after", "asked"), LOOKS.values(), ids=LOOKS)
def test_looks_again(given: Facts, reason: Reason, after: timedelta, asked: bool) -> None:
    look = look_again(given, finding(reason, "subject", "message"), NOW)
    assert (look.after, look.asked) == (after, asked)


def test_whoever_syncs_a_failed_application_does_not_wait_for_what_it_deploys() -> None:
    assert not REASONS[Reason.GITLAB_NOT_DEPLOYED].explains
