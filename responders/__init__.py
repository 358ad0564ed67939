"""The registry: which responders there are, in their order, and what each listens to.

Modules are imported when a run needs them: a trigger that only puts a message on a queue pays nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from shared.routing import Registered, Registry
from shared.signals import REPORTED, WATCHED

if TYPE_CHECKING:
    from shared.world import AnyResponder

_EVERY_KIND: Final = frozenset(WATCHED.values())
_OF_CLUSTERS_AND_IDENTITIES: Final = frozenset(
    kind for kind in WATCHED.values() if kind.startswith(("cluster.", "identity."))
)
_OF_CLUSTERS: Final = frozenset(kind for kind in WATCHED.values() if kind.startswith("cluster."))
_BEFORE_KEYCLOAK: Final = ("submodule_refs", "federated_credentials", "runtime_facts", "vault_seeding")

_ROOTS: Final[Registry] = {
    # No event of Azure tells of a commit: Argo CD's webhook does. Yet a cluster that is made anew has
    # everything rendered from the pinned commits, and its event reaches all that the rest may wait for.
    "submodule_refs": Registered(hears=_OF_CLUSTERS, section="submodules"),
    "federated_credentials": Registered(hears=_EVERY_KIND),
    "runtime_facts": Registered(hears=_OF_CLUSTERS_AND_IDENTITIES, section="facts"),
    "vault_seeding": Registered(
        hears=_EVERY_KIND, section="vault", rests_on=("federated_credentials", "runtime_facts")
    ),
    "keycloak_bootstrap": Registered(hears=_EVERY_KIND, section="keycloak", rests_on=_BEFORE_KEYCLOAK),
    "gitlab_migrations": Registered(
        hears=_EVERY_KIND, section="gitlab", rests_on=(*_BEFORE_KEYCLOAK, "keycloak_bootstrap")
    ),
}
REGISTRY: Final[Registry] = {
    **_ROOTS,
    # What Argo CD deploys may rest on everything that anybody looks after.
    "applications": Registered(hears=frozenset({REPORTED}), section="argocd", rests_on=tuple(_ROOTS)),
}


def load(name: str) -> "AnyResponder":
    """Raises KeyError for a name the registry does not hold."""
    if name not in REGISTRY:
        raise KeyError(name)
    return cast("AnyResponder", import_module(f"responders.{name}").RESPONDER)


def remedy(name: str, reason: str | None) -> str | None:
    """What to do about a reason of this responder; None for none, and for a code that was retired since."""
    info = load(name).reasons.get(reason) if reason else None
    return info.remedy if info else None
