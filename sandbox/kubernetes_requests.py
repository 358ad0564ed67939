"""What a request is about: the object or the collection its path names, and the verb it is judged by.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.kubernetes_errors import method_not_allowed, no_such_path
from sandbox.kubernetes_resources import NAMESPACES, Resource, resource_of

_NAMESPACE_SUBRESOURCES = ("status", "finalize")
_OF_OBJECTS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_OF_COLLECTIONS = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    resource: Resource
    namespace: str = ""
    name: str = ""
    """Empty for a collection."""
    subresource: str = ""

    @property
    def judged_in(self) -> str:
        """The namespace whose roles count: a namespace is judged by its own."""
        return self.name if self.resource == NAMESPACES else self.namespace


def target_of(path: str) -> Target:
    """What the path names. Raises StatusError (404) for what is not served."""
    match path.strip("/").split("/"):
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            raise no_such_path()
    match rest:
        case ["namespaces", namespace, plural, *named] if plural not in _NAMESPACE_SUBRESOURCES:
            pass
        case [plural, *named]:
            namespace = ""
        case _:
            raise no_such_path()
    resource = resource_of(group, version, plural)
    if resource is None or len(named) > 2 or not all(named):
        raise no_such_path()
    # A collection of a namespaced kind may be asked for in all namespaces at once; anything else not.
    if (namespace and not resource.namespaced) or (resource.namespaced and named and not namespace):
        raise no_such_path()
    name, subresource = (*named, "", "")[:2]
    return Target(resource=resource, namespace=namespace, name=name, subresource=subresource)


def verb_of(method: str, target: Target, query: Mapping[str, str]) -> str:
    """Raises StatusError (405)."""
    if not target.name and method == "GET" and query.get("watch") in ("1", "true"):
        return "watch"
    verb = (_OF_OBJECTS if target.name else _OF_COLLECTIONS).get(method)
    if verb is None or (verb == "create" and target.resource.namespaced and not target.namespace):
        raise method_not_allowed()
    return verb
