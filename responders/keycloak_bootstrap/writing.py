"""What Reconverge writes into commits and pull requests about the Jobs of a realm: who, what changes, why."""

from typing import Final

from responders.keycloak_bootstrap.plan import ORDERS
from shared import proposal_texts
from shared.landscape import ValuesFile
from shared.model import Step
from shared.world import Scope

_WHY: Final = {
    True: """\
The master bootstrap makes the client that the client patcher logs in as. By the annotations of the two Jobs
it does not come first (`{mends}`), so the patcher meets a Keycloak that refuses it (403), and no client gets
its secret.
""",
    False: """\
The master bootstrap or the client patcher came to nothing, or what it brought about is wrong (`{mends}`).
Another value of this key makes them run again with the next sync.
""",
}
_RULES: Final = """\
Once this is merged, Reconverge syncs the Application where the contract allows it. Closing without merging
tells Reconverge that it is not wanted. It is brought up to date when the file changes, and closed when it is
not needed any more.
"""


def title(scope: Scope, step: Step, file: ValuesFile) -> str:
    return f"{_summary(scope, step)} ({file.path})"


def message(scope: Scope, step: Step) -> str:
    return proposal_texts.message(scope, step, _summary(scope, step))


def body(scope: Scope, step: Step) -> str:
    why = _WHY[step.action == ORDERS].format(mends=step.mends)
    return proposal_texts.body(scope, step, why=why, rules=_RULES)


def closing(scope: Scope) -> tuple[str, str]:
    """The title and the comment of a pull request that is not needed any more."""
    environment = scope.environment.name
    return (
        f"change the values of the realm's Jobs in {environment}",
        f"Reconverge closes this: the realm of `{environment}` is right by now, or needs another change.",
    )


def _summary(scope: Scope, step: Step) -> str:
    environment = scope.environment.name
    if step.action == ORDERS:
        return f"Let the master bootstrap of {environment} run before the client patcher"
    return f"Let the realm's Jobs of {environment} run again"
