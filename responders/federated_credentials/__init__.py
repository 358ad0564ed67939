"""Responder D, first part: every declared federated credential trusts the live cluster's issuer.

cluster ── issuer ──┐
                    ├── check ── plan ── put ── read back ── exchange a real token
identity ── held ───┘
"""

from typing import Final

from responders.federated_credentials.apply import apply
from responders.federated_credentials.checks import check, doubt
from responders.federated_credentials.facts import Facts
from responders.federated_credentials.gather import gather
from responders.federated_credentials.plan import CREATE, NAME, UPDATE, plan
from responders.federated_credentials.reasons import REASONS
from responders.federated_credentials.verify import look_again, verify
from shared.world import Responder

RESPONDER: Final[Responder[Facts]] = Responder(
    name=NAME,
    actions=(UPDATE, CREATE),
    reasons=REASONS,
    gather=gather,
    check=check,
    plan=plan,
    apply=apply,
    verify=verify,
    doubt=doubt,
    look_again=look_again,
)
