"""Carries out one step: one PUT. Safe to repeat, since the PUT replaces the whole credential by the same."""

from responders.federated_credentials.plan import CREATE, UPDATE
from shared.errors import PermanentError
from shared.model import Credential, Step, same_id
from shared.world import Scope


def apply(scope: Scope, step: Step) -> None:
    """The caller holds the identity's lease: Azure refuses a second writer under one identity.

    Raises what ManagedIdentities.put raises, and PermanentError for a step that no plan of this responder
    may hold: the last guard before a write, whatever went wrong above.
    """
    contract = scope.environment.contract
    if step.action not in (UPDATE, CREATE):
        raise PermanentError(f"{step.action} is not an action of federated_credentials")
    if same_id(step.owner, scope.landscape.reconverge.identity) or not contract.may_write(step.owner):
        raise PermanentError(f"{step.owner} may not be written: contract.identities does not list it")
    if not contract.issuer_host_allowed(step.after["issuer"]):
        raise PermanentError(f"issuer {step.after['issuer']} is not allowed by contract.issuerHosts")
    scope.world.identities.put(
        step.owner,
        Credential(
            name=step.after["name"],
            issuer=step.after["issuer"],
            subject=step.after["subject"],
            audiences=(step.after["audience"],),
        ),
    )
