"""What Reconverge writes into commits and pull requests: who it is, what changes, and why."""

from typing import Final

from shared.landscape import DeclaredFacts
from shared.model import Step
from shared.proposals import change_id, trailers
from shared.world import Scope


def title(scope: Scope, declared: DeclaredFacts) -> str:
    return f"Bring the runtime facts of {scope.environment.name} to what Azure has ({declared.path})"


def message(scope: Scope, step: Step) -> str:
    """Of a commit. The trailers lead from Git to the journal."""
    lines = [
        f"Bring runtime facts of {scope.environment.name} to what Azure has",
        "",
        *(f"{field}: {_was(step, field)} -> {value}" for field, value in step.after.items()),
        "",
        *trailers(scope, step, _change(step)),
    ]
    return "\n".join(lines)


_INTRODUCTION: Final = """\
Reconverge read these facts of `{environment}` and the resources that they tell about. They differ ({mends}).
"""
_RULES: Final = """\
Merging publishes the change; closing without merging tells Reconverge that it is not wanted. It is brought up
to date when the file changes, and closed when it is not needed any more.
"""


def body(scope: Scope, step: Step) -> str:
    """Of a pull request."""
    return "\n".join(
        [
            _INTRODUCTION.format(environment=scope.environment.name, mends=step.mends),
            "| field | published | in Azure |",
            "|---|---|---|",
            *(f"| `{field}` | `{_was(step, field)}` | `{value}` |" for field, value in step.after.items()),
            "",
            _RULES,
            f"Target `{scope.target}`, change `{_change(step)}`.",
        ]
    )


def closing(environment: str) -> tuple[str, str]:
    """The title and the comment of a pull request that is not needed any more."""
    return (
        f"bring the runtime facts of {environment} to what Azure has",
        f"Reconverge closes this: the facts of `{environment}` are right by now, or need another change.",
    )


def _was(step: Step, field: str) -> str:
    return (step.before or {}).get(field) or "(empty)"


def _change(step: Step) -> str:
    return change_id(step.object, step.before or {}, step.after)[:12]
