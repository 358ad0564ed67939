"""What Reconverge writes into commits and pull requests: who it is, what changes, and why."""

from typing import Final

from shared import proposal_texts
from shared.landscape import DeclaredFacts
from shared.model import Step
from shared.world import Scope


def title(scope: Scope, declared: DeclaredFacts) -> str:
    return f"Bring the runtime facts of {scope.environment.name} to what Azure has ({declared.path})"


def message(scope: Scope, step: Step) -> str:
    summary = f"Bring runtime facts of {scope.environment.name} to what Azure has"
    return proposal_texts.message(scope, step, summary)


_INTRODUCTION: Final = """\
Reconverge read these facts of `{environment}` and the resources that they tell about. They differ ({mends}).
"""
_RULES: Final = """\
Merging publishes the change; closing without merging tells Reconverge that it is not wanted. It is brought up
to date when the file changes, and closed when it is not needed any more.
"""


def body(scope: Scope, step: Step) -> str:
    why = _INTRODUCTION.format(environment=scope.environment.name, mends=step.mends)
    head = ("field", "published", "in Azure")
    return proposal_texts.body(scope, step, why=why, rules=_RULES, head=head)


def closing(environment: str) -> tuple[str, str]:
    """The title and the comment of a pull request that is not needed any more."""
    return (
        f"bring the runtime facts of {environment} to what Azure has",
        f"Reconverge closes this: the facts of `{environment}` are right by now, or need another change.",
    )
