"""What whoever asks may do in a cluster, as its API server judges it. Changes nothing.

Needs no permission: every authenticated user may ask about itself.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from shared.clients.azure_core import as_unknown
from shared.clients.kubernetes_api import Call, KubernetesApi
from shared.clients.managed_clusters import ApiServer
from shared.errors import ReconvergeError
from shared.model import Known, Read, Unknown

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

VERSION: Final = "authorization.k8s.io/v1"
NEEDS: Final = "create on selfsubjectaccessreviews and selfsubjectrulesreviews, as system:basic-user has it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What is asked for."""

    namespace: str
    verb: str
    group: str
    resource: str
    """With its subresource, such as `pods/log`."""
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRule:
    """What one rule allows. `*` stands for all."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...] = ()
    """Without any: all objects."""


@dataclass(frozen=True, slots=True)
class Allowed:
    rules: tuple[ResourceRule, ...]
    complete: bool
    """False: an authorizer of the cluster, such as Azure's own, cannot list what it allows."""


class AccessReviews:
    def __init__(self, credential: "TokenCredential") -> None:
        self._api = KubernetesApi(credential)

    def may(self, api_server: ApiServer, access: Access) -> Read[bool]:
        """One POST of a SelfSubjectAccessReview. Unknown also where the authorizers failed to judge."""
        resource, _, subresource = access.resource.partition("/")
        attributes = {
            "namespace": access.namespace,
            "verb": access.verb,
            "group": access.group,
            "resource": resource,
            **({"subresource": subresource} if subresource else {}),
            **({"name": access.name} if access.name else {}),
        }
        found = self._review(api_server, "SelfSubjectAccessReview", {"resourceAttributes": attributes})
        match found:
            case Known({"allowed": True}):
                return Known(value=True)
            case Known({"allowed": False, **rest}) if not rest.get("evaluationError"):
                return Known(value=False)
            case Known({"allowed": False}):
                return Unknown("the API server's authorizers did not all answer")
            case Known():
                return Unknown("the API server's answer is no review")
            case unread:
                return unread

    def allowed(self, api_server: ApiServer, namespace: str) -> Read[Allowed]:
        """One POST of a SelfSubjectRulesReview."""
        found = self._review(api_server, "SelfSubjectRulesReview", {"namespace": namespace})
        if not isinstance(found, Known):
            return found
        try:
            rules = tuple(map(_rule, found.value["resourceRules"] or ()))
            return Known(Allowed(rules, complete=not found.value.get("incomplete")))
        except (AttributeError, LookupError, TypeError) as error:
            return Unknown(f"the API server's answer is no review ({type(error).__name__})")

    def _review(self, api_server: ApiServer, kind: str, spec: object) -> Read[Any]:
        """The review's status."""
        call = Call(
            method="POST",
            path=f"/apis/{VERSION}/{kind.lower()}s",
            body={"apiVersion": VERSION, "kind": kind, "spec": spec},
            needs=NEEDS,
        )
        try:
            return Known(self._api.json(api_server, call)["status"])
        except ReconvergeError as error:
            return as_unknown(error)
        except (LookupError, TypeError) as error:
            return Unknown(f"the API server's answer is no review ({type(error).__name__})")


def _rule(found: Any) -> ResourceRule:
    return ResourceRule(
        verbs=tuple(found["verbs"]),
        groups=tuple(found.get("apiGroups") or ()),
        resources=tuple(found.get("resources") or ()),
        names=tuple(found.get("resourceNames") or ()),
    )
