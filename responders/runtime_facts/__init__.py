"""Responder D, second part: every published fact says what the live platform has.

file in Git ───┐
               ├── check ── plan ── workflow, pull request or commit ── read the file again
Azure ── is ───┘
"""

from typing import Final

from responders.runtime_facts.apply import apply
from responders.runtime_facts.checks import check, doubt
from responders.runtime_facts.facts import Facts
from responders.runtime_facts.gather import gather
from responders.runtime_facts.plan import NAME, UPDATE, plan
from responders.runtime_facts.reasons import REASONS
from responders.runtime_facts.verify import look_again, verify
from shared.world import Responder

RESPONDER: Final[Responder[Facts]] = Responder(
    name=NAME,
    actions=(UPDATE,),
    reasons=REASONS,
    gather=gather,
    check=check,
    plan=plan,
    apply=apply,
    verify=verify,
    doubt=doubt,
    look_again=look_again,
)
