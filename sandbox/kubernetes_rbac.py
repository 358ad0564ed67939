"""Who may do what in a cluster: the roles and bindings among its objects, and grants from outside.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from sandbox.kubernetes_users import User

type Rule = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What one user may do in the whole cluster, whatever its objects say; `*` is everything."""

    user: str
    """Object id."""
    verbs: frozenset[str]
    resources: frozenset[str]
    """Plural, with the subresource after a slash."""

    def rule(self) -> Rule:
        return {"verbs": sorted(self.verbs), "apiGroups": ["*"], "resources": sorted(self.resources)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """One thing that somebody wants to do."""

    verb: str
    group: str = ""
    resource: str = ""
    """Plural; empty for a path that is no resource."""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Authorizer:
    """Everything is refused that no rule allows."""

    def __init__(self, objects: Objects, grants: Iterable[Grant]) -> None:
        self._objects = objects
        self._grants = tuple(grants)

    def reason(self, user: User, wanted: Attributes) -> str | None:
        """Why the user may do it; None: may not."""
        found = (why for why, rule in self._rules(user, wanted.namespace) if _covers(rule, wanted))
        return next(found, None)

    def rules(self, user: User, namespace: str) -> list[Rule]:
        """All that the user may do in the namespace."""
        return [rule for _, rule in self._rules(user, namespace)]

    def _rules(self, user: User, namespace: str) -> Iterator[tuple[str, Rule]]:
        for grant in self._grants:
            if grant.user == user.name:
                yield "allowed by Azure", grant.rule()
        bindings = self._objects.held(CLUSTER_ROLE_BINDINGS)
        if namespace:
            bindings = (*bindings, *self._objects.held(ROLE_BINDINGS, namespace))
        for binding in bindings:
            if not any(_means(subject, user, binding) for subject in binding.get("subjects") or ()):
                continue
            why = f'RBAC: allowed by {binding["kind"]} "{binding["metadata"]["name"]}"'
            for rule in self._role(binding).get("rules") or ():
                yield why, rule

    def _role(self, binding: Object) -> Object:
        reference = binding["roleRef"]
        if reference["kind"] == CLUSTER_ROLES.kind:
            return self._objects.get(CLUSTER_ROLES, "", reference["name"]) or {}
        namespace = binding["metadata"].get("namespace", "")
        return self._objects.get(ROLES, namespace, reference["name"]) or {}


def _means(subject: dict[str, Any], user: User, binding: Object) -> bool:
    match subject.get("kind"):
        case "User":
            return bool(subject["name"] == user.name)
        case "Group":
            return subject["name"] in user.groups
        case "ServiceAccount":
            namespace = subject.get("namespace") or binding["metadata"].get("namespace", "")
            return user.name == f"system:serviceaccount:{namespace}:{subject['name']}"
    return False


def _covers(rule: Rule, wanted: Attributes) -> bool:
    if not _among(wanted.verb, rule.get("verbs")):
        return False
    if wanted.path:
        return any(_path_matches(one, wanted.path) for one in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _among(wanted.group, rule.get("apiGroups"))
        and _resource_matches(rule.get("resources") or (), wanted)
        and (not names or wanted.name in names)
    )


def _among(value: str, allowed: Iterable[str] | None) -> bool:
    return bool({"*", value} & set(allowed or ()))


def _resource_matches(allowed: Iterable[str], wanted: Attributes) -> bool:
    matching = {"*", wanted.full_resource}
    if wanted.subresource:
        matching.add(f"*/{wanted.subresource}")
    return bool(matching & set(allowed))


def _path_matches(pattern: str, path: str) -> bool:
    return pattern in ("*", path) or (pattern.endswith("*") and path.startswith(pattern[:-1]))
