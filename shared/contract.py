"""What the contract says to each step of a plan. Pure: it gets how much was done already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.landscape import Action, Contract, Mode
from shared.model import Plan, Step, same_id

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Decision:
    step: Step
    mode: Mode
    why: str


@dataclass(frozen=True, slots=True)
class Spent:
    """Writes that were begun in the last hour, oldest first, whatever came of them."""

    times: tuple[datetime, ...]

    def left(self, contract: Contract) -> int:
        return max(0, contract.caps.per_hour - len(self.times))

    def freed_at(self, contract: Contract) -> datetime | None:
        """When the oldest of them stops counting, if until then none is left."""
        return None if self.left(contract) else self.times[0] + HOUR


def decide(plan: Plan, contract: Contract, own_identity: str) -> tuple[Decision, ...]:
    """One decision a step. A plan larger than caps.perRun is never applied unseen: so many faults at once
    are more likely one fault in what we believe."""
    crowded = len(plan.steps) > contract.caps.per_run
    return tuple(_decide(step, contract, own_identity, crowded=crowded) for step in plan.steps)


def _decide(step: Step, contract: Contract, own_identity: str, *, crowded: bool) -> Decision:
    if same_id(step.owner, own_identity):
        return Decision(step, Mode.NEVER, "Reconverge never writes its own identity")
    if why := refusal(step, contract):
        return Decision(step, Mode.NEVER, why)
    mode = contract.mode(step.action)
    if mode is Mode.APPLY and crowded:
        return Decision(
            step, Mode.APPROVE, f"the plan has more than caps.perRun = {contract.caps.per_run} steps"
        )
    return Decision(step, mode, f"the contract says {mode.value} to {step.action}")


@dataclass(frozen=True, slots=True)
class Guard:
    """Which list of the contract names what an action may write."""

    list: str
    names: str
    allows: Callable[[Contract, str], bool]
    """Whether it names the owner of a step."""
    listed: Callable[[Contract], tuple[str, ...]]


_IDENTITIES: Final = Guard(
    "contract.identities", "identity", Contract.may_write, lambda contract: contract.identities
)
_REPOSITORIES: Final = Guard(
    "contract.repositories", "repository", Contract.may_write_to, lambda contract: contract.repositories
)
_NAMESPACES: Final = Guard(
    "contract.namespaces",
    "namespace",
    lambda contract, owner: contract.may_act_in(namespace_of(owner)),
    lambda contract: contract.namespaces,
)
_VAULTS: Final = Guard("contract.vaults", "Vault", Contract.may_seed, lambda contract: contract.vaults)
_APPLICATIONS: Final = Guard(
    "contract.applications",
    "Application",
    lambda contract, owner: contract.may_operate(application_of(owner)),
    lambda contract: contract.applications,
)
_KEYCLOAKS: Final = Guard(
    "contract.keycloaks", "Keycloak", Contract.may_change_clients_of, lambda contract: contract.keycloaks
)
_GUARDS: Final[Mapping[str, Guard]] = {
    Action.SUBMODULE_KEEP: _REPOSITORIES,
    Action.SUBMODULE_MOVE: _REPOSITORIES,
    Action.CREDENTIAL_CREATE: _IDENTITIES,
    Action.CREDENTIAL_UPDATE: _IDENTITIES,
    Action.FACTS_UPDATE: _REPOSITORIES,
    Action.VAULT_BOOTSTRAP: _NAMESPACES,
    Action.SECRETS_REFRESH: _NAMESPACES,
    Action.VAULT_SEED: _VAULTS,
    Action.KEYCLOAK_ORDER: _REPOSITORIES,
    Action.KEYCLOAK_RERUN: _REPOSITORIES,
    Action.KEYCLOAK_JOBS: _NAMESPACES,
    Action.KEYCLOAK_REDIRECT: _KEYCLOAKS,
    Action.GITLAB_MAP: _REPOSITORIES,
    Action.GITLAB_RERUN: _REPOSITORIES,
    Action.APPLICATION_REFRESH: _APPLICATIONS,
    Action.APPLICATION_SYNC: _APPLICATIONS,
    Action.APPLICATION_TERMINATE: _APPLICATIONS,
}


def may_change(contract: Contract, action: Action) -> tuple[str, ...]:
    """What the action may come to change: nothing in a mode that only tells, nothing that is not listed."""
    writes = contract.mode(action) in {Mode.APPROVE, Mode.APPLY}
    return _GUARDS[action].listed(contract) if writes else ()


def refusal(step: Step, contract: Contract) -> str | None:
    """Why the contract forbids this step whatever the mode, if it does. Asked again before each write."""
    guard = _GUARDS.get(step.action)
    if guard is None:
        return f"no list of the contract is about {step.action}"
    return None if guard.allows(contract, step.owner) else f"{guard.list} does not list this {guard.names}"


def namespace_of(owner: str) -> str:
    """Of `<cluster's ARM id>/namespaces/<namespace>`; nothing for any other owner."""
    return owner.rpartition("/namespaces/")[2] if "/namespaces/" in owner else ""


def application_of(owner: str) -> str:
    """Of `<cluster's ARM id>/namespaces/<namespace>/applications/<name>`; nothing for any other owner."""
    return owner.rpartition("/applications/")[2] if "/applications/" in owner else ""


def by_mode(decisions: tuple[Decision, ...]) -> Mapping[Mode, tuple[Decision, ...]]:
    return {mode: tuple(d for d in decisions if d.mode is mode) for mode in Mode}


def part_of(plan: Plan, decisions: tuple[Decision, ...]) -> Plan:
    """The plan of these decisions' steps alone, which has a digest of its own."""
    return replace(plan, steps=tuple(decision.step for decision in decisions))
