"""Everything that is wrong on the way from Key Vault to Ready secrets, in the order of that way. Pure.

    Key Vault ── bootstrap ── Vault ── seeds ── stores ── ExternalSecrets

Promises: no I/O, no clock but the time passed in, no claim about a value that was not read.
"""

from datetime import datetime

from responders.vault_seeding.bootstrap_checks import bootstrap_faults
from responders.vault_seeding.facts import Facts
from responders.vault_seeding.seed_checks import seed_faults, vault_fault
from responders.vault_seeding.source_checks import key_vault_fault, secret_faults
from responders.vault_seeding.sync_checks import sync_faults
from shared.model import Finding, Proof


def check(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Every finding. Of Key Vault and of Vault, a fault of the whole stands for all that is in it."""
    source = key_vault_fault(facts)
    vault = vault_fault(facts)
    return (
        *([source] if source else secret_faults(facts, now)),
        *bootstrap_faults(facts, now),
        *([vault] if vault else seed_faults(facts)),
        *sync_faults(facts, now),
    )


def doubt(_facts: Facts, _proofs: tuple[Proof, ...], _now: datetime) -> tuple[Finding, ...]:
    """Nothing: what is not proven is still found by the checks."""
    return ()
