"""What was granted against what is needed: what is allowed, and what is more than needed. Pure.

More is told in the words in which it was granted, not by all that it amounts to: `*` is one word here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from shared.clients.access_reviews import Allowed, ResourceRule
from shared.clients.arm_permissions import Granted
from shared.permissions import AzureNeed, AzureRight, KubernetesNeed, VaultNeed

SELF_REVIEWS: Final = frozenset(
    {
        ("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
        ("create", "authorization.k8s.io", "selfsubjectrulesreviews"),
        ("create", "authentication.k8s.io", "selfsubjectreviews"),
    }
)
"""Everybody may: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles"""

# -- Azure --------------------------------------------------------------------------------


def allows(granted: Iterable[Granted], right: AzureRight) -> bool:
    """Whether one of the roles brings it. What one takes away, another may bring.

    https://learn.microsoft.com/azure/role-based-access-control/role-definitions#notactions
    """
    for one in granted:
        given, taken = (
            (one.data_actions, one.not_data_actions) if right.data else (one.actions, one.not_actions)
        )
        if _any(given, right.action) and not _any(taken, right.action):
            return True
    return False


def more_in_azure(granted: Iterable[Granted], scope: str, needs: Iterable[AzureNeed]) -> tuple[str, ...]:
    """What reaches this scope and no need explains. Reading in ARM is never too much: it shows no secret.

    A need explains what its role brings wherever that role belongs, and below.
    """
    explaining = [one.right for one in needs if _covers(one.place.assign, scope)]
    actions = {one.action.lower() for one in explaining if not one.data}
    actions |= {brought.lower() for one in explaining for brought in one.role.actions}
    data = {one.action.lower() for one in explaining if one.data}
    found: dict[str, None] = {}
    for one in granted:
        for given in one.actions:
            reads = given.lower().endswith("/read")
            if not (reads or given.lower() in actions or _any(one.not_actions, given)):
                found[given] = None
        for given in one.data_actions:
            if not (given.lower() in data or _any(one.not_data_actions, given)):
                found[given] = None
    return tuple(found)


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(_matches(pattern, action) for pattern in patterns)


def _matches(pattern: str, action: str) -> bool:
    """Letter case does not matter, and `*` stands for any characters, slashes among them."""
    parts = map(re.escape, pattern.split("*"))
    return re.fullmatch(".*".join(parts), action, re.IGNORECASE) is not None


def _covers(upper: str, scope: str) -> bool:
    return f"{scope.lower()}/".startswith(f"{upper.lower()}/")


# -- Kubernetes ---------------------------------------------------------------------------


def more_in_namespace(allowed: Allowed, needs: Iterable[KubernetesNeed]) -> tuple[str, ...]:
    """needs: those of this namespace."""
    named: dict[tuple[str, str, str], set[str | None]] = {}
    for one in needs:
        right = one.right
        named.setdefault((right.verb, right.group, right.resource), set()).add(one.place.name)
    found = (
        _said(rule, *asked)
        for rule in allowed.rules
        for asked in _asked(rule)
        if asked not in SELF_REVIEWS and not _explained(rule, named.get(asked, set()))
    )
    return tuple(dict.fromkeys(found))


def _asked(rule: ResourceRule) -> Iterator[tuple[str, str, str]]:
    return (
        (verb, group, resource) for verb in rule.verbs for group in rule.groups for resource in rule.resources
    )


def _explained(rule: ResourceRule, names: set[str | None]) -> bool:
    """names: of the objects that are needed; None among them: all of the kind."""
    return None in names or (bool(rule.names) and set(rule.names) <= names)


def _said(rule: ResourceRule, verb: str, group: str, resource: str) -> str:
    kind = f"{resource}.{group}" if group else resource
    names = " ".join(rule.names)
    return f"{verb} {kind} {names}".rstrip()


# -- Vault --------------------------------------------------------------------------------


def more_in_vault(granted: Mapping[str, frozenset[str]], needs: Iterable[VaultNeed]) -> tuple[str, ...]:
    """granted: by path, of those that are needed and of some that nobody needs."""
    needed: dict[str, set[str]] = {}
    for one in needs:
        needed.setdefault(one.place.path, {"deny"}).add(one.right.capability)
    return tuple(
        f"{', '.join(sorted(more))} on {path}"
        for path, capabilities in granted.items()
        if (more := capabilities - needed.get(path, {"deny"}))
    )
