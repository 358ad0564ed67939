"""Responder C: GitLab's migrations have run, and what waits for their schema serves.

    roots of other responders ── migrations ── webservice, sidekiq ── page

Names why they failed. What another responder looks after is waited for. How its databases are set up is
repaired in Git, and so is it that a Job which failed never runs again under its name.
"""

from typing import Final

from responders.gitlab_migrations.apply import apply
from responders.gitlab_migrations.checks import check, doubt
from responders.gitlab_migrations.facts import Facts
from responders.gitlab_migrations.gather import gather
from responders.gitlab_migrations.plan import ACTIONS, NAME, plan
from responders.gitlab_migrations.reasons import REASONS
from responders.gitlab_migrations.roots import rests_on
from responders.gitlab_migrations.verify import look_again, verify
from shared.world import Responder

RESPONDER: Final[Responder[Facts]] = Responder(
    name=NAME,
    actions=ACTIONS,
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
