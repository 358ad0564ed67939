"""The sandbox's landscape as the tests need it."""

from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from sandbox.stack import LANDSCAPE

SHORT_GRACE: Final = "5s"
MANY: Final = 10_000
"""Writes per hour: the whole folder runs within one."""


def shared(path: Path) -> Path:
    """dev and prod, with one identity that stands in both."""
    return _written(path, _document())


def apart(path: Path) -> Path:
    """dev and prod, which have no identity in common; in prod Entra may refuse for seconds only."""
    document = _document()
    prod = document["environments"]["prod"]
    prod["contract"]["grace"] = SHORT_GRACE
    for listed in (prod["identities"], prod["contract"]["identities"]):
        del listed[0]
    return _written(path, document)


def dev_alone(path: Path) -> Path:
    document = _document()
    document["environments"]["prod"]["enabled"] = False
    return _written(path, document)


def _document() -> Any:
    """Credentials alone: no Vault runs here, and what other responders ask would be counted too."""
    document = YAML(typ="safe").load(LANDSCAPE.read_text(encoding="utf-8"))
    for name in ("dev", "prod"):
        environment = document["environments"][name]
        for of_others in ("submodules", "facts", "vault", "keycloak", "gitlab", "argocd"):
            del environment[of_others]
        contract = environment["contract"]
        for about_others in (
            "namespaces",
            "vaults",
            "keycloaks",
            "repositories",
            "channels",
            "applications",
        ):
            del contract[about_others]
        contract["actions"] = {
            action: mode for action, mode in contract["actions"].items() if action.startswith("credential.")
        }
        contract["caps"] = {"perHour": MANY}
    return document


def _written(path: Path, document: Any) -> Path:
    with path.open("w", encoding="utf-8") as file:
        YAML(typ="safe").dump(document, file)
    return path
