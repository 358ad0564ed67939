"""What Reconverge writes into commits and pull requests: who it is, what changes, and why."""

from typing import Final

from responders.gitlab_migrations.repairs import MAP
from shared import proposal_texts
from shared.model import Step
from shared.world import Scope

_MAPS: Final = """\
GitLab's check of its databases rejects how `main` and `ci` are set up in `{environment}`, or would reject it
the next time the migrations run ({mends}). This lets `ci` be the database that `main` has, written as that is
rendered: the chart compares the texts.

If `ci` is meant to have a database of its own, close this: what GitLab keeps there would be out of its sight.
"""
_RERUNS: Final = """\
The migrations of GitLab in `{environment}` failed ({mends}), and nothing that Reconverge knows of keeps them
from succeeding any more. A Job that failed never runs again under its name. This changes an input of the
name's suffix, and nothing else.

If the database was lost, restore it before this is merged, or close this: migrations fill whatever they find.
"""
_RULES: Final = """\
Merging makes a new migrations Job; closing without merging tells Reconverge that it is not wanted. It is
brought up to date when the file changes, and closed when it is not needed any more.
"""
_NOTHING: Final = "(nothing)"


def title(scope: Scope, step: Step) -> str:
    release = scope.environment.gitlab.release if scope.environment.gitlab else "GitLab"
    if step.action == MAP:
        return f"Let the database ci of {release} in {scope.environment.name} be main's"
    return f"Let the migrations of {release} in {scope.environment.name} run again"


def message(scope: Scope, step: Step) -> str:
    return proposal_texts.message(scope, step, title(scope, step), nothing=_NOTHING)


def body(scope: Scope, step: Step) -> str:
    introduction = _MAPS if step.action == MAP else _RERUNS
    why = introduction.format(environment=scope.environment.name, mends=step.mends)
    return proposal_texts.body(scope, step, why=why, rules=_RULES, nothing=_NOTHING)


def closing(environment: str) -> tuple[str, str]:
    """The title and the comment of a pull request that is not needed any more."""
    return (
        f"repair the migrations of GitLab in {environment}",
        f"Reconverge closes this: those migrations of `{environment}` are complete, or need another change.",
    )
