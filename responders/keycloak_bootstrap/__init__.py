"""Responder B: the realm's clients are usable, and their secrets are where people sign in with them.

    Keycloak ── realm imports ── master bootstrap ── client patcher ─┬─ clients
                                                                     └─ Vault ── Secrets

The patcher logs in as a client that the bootstrap makes. Run too early it is refused, and writes nothing.
"""

from typing import Final

from responders.keycloak_bootstrap.apply import apply
from responders.keycloak_bootstrap.checks import check, doubt
from responders.keycloak_bootstrap.course import NAME
from responders.keycloak_bootstrap.facts import Facts, rests_on
from responders.keycloak_bootstrap.gather import gather
from responders.keycloak_bootstrap.plan import ACTIONS, plan
from responders.keycloak_bootstrap.reasons import REASONS
from responders.keycloak_bootstrap.verify import look_again, verify
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
