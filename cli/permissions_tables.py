"""The tables of docs/permissions.md, made of the responders' rules. The text around them stays as it is."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, cast

from responders.permissions import RULES
from shared.permissions import (
    PERMISSIONS_READ,
    AzureRight,
    GitHubRight,
    KeycloakRight,
    KubernetesRight,
    Right,
    Role,
    Rule,
    VaultRight,
)

PLACE: Final = re.compile(r"(<!-- (\w+): [^\n]* -->\n)(.*?)(<!-- end of \2 -->\n)", re.DOTALL)
"""What stands between two comments that name a table."""

type Row = tuple[str, ...]


def permissions_page(page: str) -> str:
    """The page with its tables written anew. Raises KeyError for a table that nobody can write."""
    return PLACE.sub(lambda found: f"{found[1]}\n{_TABLES[found[2]]()}\n\n{found[4]}", page)


def _azure() -> str:
    head = ("for", "responder", "needed in", "actions", "role that is enough", "assigned on")
    return _table(
        head,
        AzureRight,
        lambda rule, rights: (
            _lines(f"`{one.action}`{' (data)' if one.data else ''}" for one in rights),
            _lines(_role(one.role) for one in rights),
            rule.where,
        ),
    )


def _github() -> str:
    head = ("for", "responder", "needed in", "permissions of the token", "on")
    return _table(
        head,
        GitHubRight,
        lambda rule, rights: (_lines(f"{one.permission}: {one.level}" for one in rights), rule.where),
    )


def _kubernetes() -> str:
    head = ("for", "responder", "needed in", "verb and resource", "on", "Role and file in deploy/kubernetes")
    return _table(
        head,
        KubernetesRight,
        lambda rule, rights: (
            _lines(f"{one.verb} `{_kind(one)}`" for one in rights),
            rule.where,
            _lines(f"`{one.role}`, `{one.manifest}`" for one in rights),
        ),
    )


def _vault() -> str:
    head = ("for", "responder", "needed in", "capabilities", "on")
    return _table(
        head, VaultRight, lambda rule, rights: (_lines(f"`{one.capability}`" for one in rights), rule.where)
    )


def _keycloak() -> str:
    head = ("for", "responder", "needed in", "roles of realm-management", "on")
    return _table(
        head, KeycloakRight, lambda rule, rights: (_lines(f"`{one.role}`" for one in rights), rule.where)
    )


def _actions() -> str:
    """All actions of Azure, each once; with the actions of ours that it is for, where reading needs none."""
    remarks: dict[AzureRight, str] = {}
    for _, rule, rights in _rules(AzureRight):
        for one in rights:
            only = f"for {', '.join(rule.actions)}" if rule.actions else ""
            remarks[one] = only if remarks.get(one, only) else ""
    actions = {f"{one.action}{' (data)' * one.data}": remark for one, remark in remarks.items()}
    actions[PERMISSIONS_READ] = "for `reconverge doctor`"
    width = max(map(len, actions))
    lines = (f"{action:<{width}}  {remark}".rstrip() for action, remark in actions.items())
    return "\n".join(("```text", *lines, "```"))


_TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "azure": _azure,
    "actions": _actions,
    "github": _github,
    "kubernetes": _kubernetes,
    "vault": _vault,
    "keycloak": _keycloak,
}


def _table[R: Right](head: Row, kind: type[R], cells: Callable[[Rule, list[R]], Row]) -> str:
    rows = [
        (rule.purpose, f"`{responder}`", _needed_in(rule), *cells(rule, rights))
        for responder, rule, rights in _rules(kind)
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _rules[R: Right](
    kind: type[R],
) -> Iterator[tuple[str, Rule, list[R]]]:
    """The rules that are about this kind of right."""
    for responder, rules in RULES.items():
        for rule in rules:
            # Narrowing makes a union of R, which is R.
            if rights := cast("list[R]", [one for one in rule.rights if isinstance(one, kind)]):
                yield responder, rule, rights


def _needed_in(rule: Rule) -> str:
    if not rule.actions:
        return "every mode"
    return f"`approve`, `apply` of {', '.join(f'`{one}`' for one in rule.actions)}"


def _lines(cells: Iterable[str]) -> str:
    """Each once, on lines of their own within a cell."""
    return "<br>".join(dict.fromkeys(cells))


def _role(role: Role) -> str:
    return f"{role.name} (`{role.id}`)"


def _kind(right: KubernetesRight) -> str:
    return f"{right.resource}.{right.group}" if right.group else right.resource
