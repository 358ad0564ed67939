"""What Reconverge writes into commits and pull requests: who it is, what moves, and why."""

from typing import Final

from responders.submodule_refs.facts import Link, change_id
from shared.model import Step
from shared.proposal_texts import trailers
from shared.world import Scope


def title(link: Link) -> str:
    return f"Move the submodule {link.gitlink.path} to a commit that its remote has"


def message(scope: Scope, step: Step, link: Link) -> str:
    """Of a commit. The trailers lead from Git to the journal."""
    lines = [
        title(link),
        "",
        f"{link.gitlink.path}: {link.gitlink.commit} -> {step.after['commit']}",
        f"Its remote does not have the old one. Its branch {step.after['branch']} leads to the new one.",
        "",
        *trailers(scope, step, change(step)),
    ]
    return "\n".join(lines)


_INTRODUCTION: Final = """\
The submodule's remote does not have the commit that branch `{at}` pins ({mends}), so nobody can check it out
with its submodules. Nobody is known to have the commit any more.
"""
_RULES: Final = """\
Look at what lies between the two commits before you merge. Closing without merging tells Reconverge that the
move is not wanted. It is closed when it is not needed any more.
"""


def body(scope: Scope, step: Step, link: Link) -> str:
    """Of a pull request."""
    moved = f"`{link.gitlink.commit}` | `{step.after['commit']}`"
    return "\n".join(
        [
            _INTRODUCTION.format(at=link.at, mends=step.mends),
            "| submodule | pinned | now | newest of |",
            "|---|---|---|---|",
            f"| `{link.gitlink.path}` of {link.remote} | {moved} | `{step.after['branch']}` |",
            "",
            _RULES,
            f"Target `{scope.target}`, change `{change(step)[:12]}`.",
        ]
    )


def closing() -> tuple[str, str]:
    """The title and the comment of a pull request that is not needed any more."""
    return (
        "move a submodule to a commit that its remote has",
        "Reconverge closes this: the pinned commit is there again, or the pin was moved by somebody.",
    )


def change(step: Step) -> str:
    return change_id(step.object, step.before or {}, step.after)
