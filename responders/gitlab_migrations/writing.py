"""What Reconverge writes into commits and pull requests: who it is, what changes, and why."""

from typing import Final

from responders.gitlab_migrations.repairs import MAP
from shared.model import Step
from shared.proposals import change_id, trailers
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


def title(scope: Scope, step: Step) -> str:
    release = scope.environment.gitlab.release if scope.environment.gitlab else "GitLab"
    if step.action == MAP:
        return f"Let the database ci of {release} in {scope.environment.name} be main's"
    return f"Let the migrations of {release} in {scope.environment.name} run again"


def message(scope: Scope, step: Step) -> str:
    """Of a commit. The trailers lead from Git to the journal."""
    lines = [
        title(scope, step),
        "",
        *(f"{key}: {_was(step, key)} -> {text}" for key, text in step.after.items()),
        "",
        *trailers(scope, step, _change(step)),
    ]
    return "\n".join(lines)


def body(scope: Scope, step: Step) -> str:
    """Of a pull request."""
    introduction = _MAPS if step.action == MAP else _RERUNS
    return "\n".join(
        [
            introduction.format(environment=scope.environment.name, mends=step.mends),
            "| key | now | proposed |",
            "|---|---|---|",
            *(f"| `{key}` | `{_was(step, key)}` | `{text}` |" for key, text in step.after.items()),
            "",
            _RULES,
            f"Target `{scope.target}`, change `{_change(step)[:12]}`.",
        ]
    )


def closing(environment: str) -> tuple[str, str]:
    """The title and the comment of a pull request that is not needed any more."""
    return (
        f"repair the migrations of GitLab in {environment}",
        f"Reconverge closes this: those migrations of `{environment}` are complete, or need another change.",
    )


def _was(step: Step, key: str) -> str:
    return (step.before or {}).get(key) or "(nothing)"


def _change(step: Step) -> str:
    return change_id(step.object, step.before or {}, step.after)
