"""Responder A: every commit that is pinned as a submodule is on its remote, and stays there.

tracked branch ── gitlinks ── remotes ── check ── plan ── a branch that keeps the commit, or a pull request
                                  ▲                                 │
                                  └──────────── ask again ──────────┘

Argo CD renders nothing from a repository whose submodules cannot be checked out, so this fault stops every
repair that goes through Git.
"""

from typing import Final

from responders.submodule_refs.apply import apply
from responders.submodule_refs.checks import check, doubt
from responders.submodule_refs.facts import Facts
from responders.submodule_refs.gather import gather
from responders.submodule_refs.plan import KEEP, MOVE, NAME, plan
from responders.submodule_refs.reasons import REASONS
from responders.submodule_refs.verify import look_again, verify
from shared.world import Responder

RESPONDER: Final[Responder[Facts]] = Responder(
    name=NAME,
    actions=(KEEP, MOVE),
    reasons=REASONS,
    gather=gather,
    check=check,
    plan=plan,
    apply=apply,
    verify=verify,
    doubt=doubt,
    look_again=look_again,
)
