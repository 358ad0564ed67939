"""The end of every way: what Argo CD deploys is compared, synced and healthy.

    roots of other responders ── refresh ── sync ── Synced and Healthy

Names what each failing Application fails of. Where another responder looks after that, it is a symptom; once
the root is well, Argo CD is made to look again and to carry on.
"""

from typing import Final

from responders.applications.apply import apply
from responders.applications.checks import check, doubt
from responders.applications.facts import Facts
from responders.applications.gather import gather
from responders.applications.holders import rests_on
from responders.applications.plan import NAME, plan
from responders.applications.reasons import REASONS
from responders.applications.situations import REFRESH, SYNC, TERMINATE
from responders.applications.verify import look_again, verify
from shared.world import Responder

RESPONDER: Final[Responder[Facts]] = Responder(
    name=NAME,
    actions=(REFRESH, SYNC, TERMINATE),
    reasons=REASONS,
    gather=gather,
    check=check,
    plan=plan,
    apply=apply,
    verify=verify,
    doubt=doubt,
    look_again=look_again,
    rests_on=rests_on,
)
