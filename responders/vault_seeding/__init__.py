"""Responder D, last part: Vault holds the declared seeds, and what reads them is Ready.

Key Vault ── bootstrap ── Vault ── seeds ── stores ── ExternalSecrets
"""

from typing import Final

from responders.vault_seeding.apply import apply
from responders.vault_seeding.checks import check, doubt
from responders.vault_seeding.facts import Facts, rests_on
from responders.vault_seeding.gather import gather
from responders.vault_seeding.plan import BOOTSTRAP, NAME, REFRESH, SEED, plan
from responders.vault_seeding.reasons import REASONS
from responders.vault_seeding.verify import look_again, verify
from shared.world import Responder

RESPONDER: Final[Responder[Facts]] = Responder(
    name=NAME,
    actions=(BOOTSTRAP, SEED, REFRESH),
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
