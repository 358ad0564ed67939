"""Open pull requests of ours whose change nobody needs any more. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from responders.gitlab_migrations.facts import Facts
from responders.gitlab_migrations.reasons import Reason, finding
from responders.gitlab_migrations.repairs import MAP, RERUN, is_mapped, judged, needed
from shared.clients.cluster_api import JobState
from shared.clients.github import PullRequest
from shared.model import Finding, Known, Unknown
from shared.proposals import branch, branch_prefix

_NAMES: Final[Mapping[str, str]] = {MAP: "gitlab-map", RERUN: "gitlab-rerun"}


def prefix_of(environment: str, action: str) -> str:
    """Of the branches that carry a change of this action."""
    return branch_prefix(environment, _NAMES[action])


def prefix_of_all(environment: str) -> str:
    return branch_prefix(environment, "gitlab")


def action_of(environment: str, pull: PullRequest) -> str | None:
    """Which action's change it carries."""
    return next((one for one in _NAMES if pull.branch.startswith(prefix_of(environment, one))), None)


def superseded(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.proposals, Unknown):
        says = f"our pull requests could not be listed: {facts.proposals.why}"
        yield finding(Reason.GITLAB_UNREAD, facts.release_id, says)
    for pull in needless(facts):
        says = f"pull request {pull.number} carries a change that is not needed any more"
        yield finding(Reason.MIGRATIONS_CHANGE_SUPERSEDED, pull.url, says)


def needless(facts: Facts) -> Iterator[PullRequest]:
    """Nothing while it is not known what is needed."""
    if not isinstance(facts.proposals, Known) or not _known(facts):
        return
    repair, proposal = needed(facts), facts.proposal
    own = ""
    if repair is not None:
        if proposal is None or not proposal.change:
            return
        own = branch(prefix_of(facts.environment, repair.action), proposal.change)
    for pull in facts.proposals.value:
        action = action_of(facts.environment, pull)
        if action is None or pull.branch == own:
            continue
        # A mapping may be wanted again, once the migrations do not fail of something else first.
        replaced = repair is not None and repair.action == MAP
        if facts.complete or action == RERUN or replaced or is_mapped(facts):
            yield pull


def _known(facts: Facts) -> bool:
    """The migrations have ended, and why and how is read."""
    job = facts.job
    if job is None or facts.at_work or isinstance(facts.rendered, Unknown):
        return False
    fault = judged(facts)
    # A log that is gone takes nothing back of what it said.
    return job.state is JobState.COMPLETE or (
        fault is not None and (fault.reason is not Reason.MIGRATIONS_FAILED or isinstance(facts.log, Known))
    )
