"""What Reconverge writes into commits and pull requests that change single values of a file."""

from shared.model import Step
from shared.proposals import CHANGE_TRAILER, change_id
from shared.world import Scope


def message(scope: Scope, step: Step, summary: str, *, nothing: str = "(empty)") -> str:
    """Of a commit. The trailers lead from Git to the journal.

    nothing: what stands for a value that is missing
    """
    lines = [
        summary,
        "",
        *(f"{key}: {_was(step, key, nothing)} -> {value}" for key, value in step.after.items()),
        "",
        *trailers(scope, step, _change(step)),
    ]
    return "\n".join(lines)


def body(
    scope: Scope,
    step: Step,
    *,
    why: str,
    rules: str,
    head: tuple[str, str, str] = ("key", "now", "proposed"),
    nothing: str = "(empty)",
) -> str:
    """Of a pull request: why, a table of the values, and what follows from merging or closing it.

    why, rules: each ends its last line
    """
    return "\n".join(
        [
            why,
            f"| {' | '.join(head)} |",
            "|---|---|---|",
            *(f"| `{key}` | `{_was(step, key, nothing)}` | `{value}` |" for key, value in step.after.items()),
            "",
            rules,
            f"Target `{scope.target}`, change `{_change(step)[:12]}`.",
        ]
    )


def trailers(scope: Scope, step: Step, change: str) -> list[str]:
    """Last lines of a commit's message. They lead from Git to the journal."""
    return [
        f"Reconverge-Target: {scope.target}",
        f"Reconverge-Finding: {step.mends}",
        f"{CHANGE_TRAILER} {change[:12]}",
    ]


def _was(step: Step, key: str, nothing: str) -> str:
    return (step.before or {}).get(key) or nothing


def _change(step: Step) -> str:
    return change_id(step.object, step.before or {}, step.after)
