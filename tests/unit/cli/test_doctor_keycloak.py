"""`reconverge doctor`: a realm of Keycloak is seen by logging in, and what cannot be seen is said."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cli.exits import Exit
from shared.errors import TemporaryError
from tests.unit.cli.desk import Desk
from tests.unit.cli.granted import GROUP
from tests.unit.federated_credentials.builders import CLUSTER, IDENTITY, OWN, OWN_OBJECT

URL = "https://auth.dev.example.com"
REALM = f"{URL}/realms/ameide"
LANDSCAPE = f"""
version: 1
tenant: 22222222-2222-2222-2222-222222222222
reconverge: {{identity: {OWN}, objectId: {OWN_OBJECT}}}
environments:
  dev:
    clusters: [{{name: aks, id: {CLUSTER}}}]
    identities:
      - {{id: {IDENTITY}, credentials: [{{name: vault-dev, subject: "system:serviceaccount:dev:vault"}}]}}
    keycloak:
      namespace: dev
      application: dev-realm
      url: {URL}
      realm: ameide
      login:
        clientId: reconverge
        keyVault: {GROUP}/providers/Microsoft.KeyVault/vaults/seeds-kv
        secret: keycloak-reconverge
      hooks: {{bootstrap: master-bootstrap, patcher: client-patcher}}
      clients:
        gitlab: {{redirectUris: ["https://gitlab.dev.example.com/callback"]}}
    contract:
      keycloaks: [{URL}]
      actions: {{keycloak.redirect: MODE}}
"""

type Change = Callable[[Desk], object]


def asked(desk: Desk, mode: str = "propose") -> list[dict[str, Any]]:
    landscape = desk.folder / "keycloak.yaml"
    landscape.write_text(LANDSCAPE.replace("MODE", mode))
    answer = desk.types("doctor", "--landscape", str(landscape), "--output", "json")
    return [one for one in answer.document["checks"] if one["name"] == "keycloak"]


def held(desk: Desk) -> None:
    desk.platform.keycloaks.hold("reconverge")


def refused(desk: Desk) -> None:
    desk.platform.keycloaks.refuses = "Keycloak answered 401"


def away(desk: Desk) -> None:
    desk.platform.keycloaks.trouble["clients"] = TemporaryError("no answer", delay=timedelta(0))


def nothing(_: Desk) -> None:
    """There is no realm."""


SAID: dict[str, tuple[Change, str, str, str]] = {
    "a realm that lets us look": (held, "ok", f"{REALM}: view-clients", ""),
    "a realm that does not let us in": (
        refused,
        "differs",
        f"{REALM}: missing for keycloak_bootstrap: Keycloak answered 401",
        "docs/deploy.md says how the client is made",
    ),
    "a Keycloak that does not answer": (
        away,
        "not known",
        f"{REALM}: what is granted could not be read: no answer",
        "see that Keycloak and the Key Vault answer from here",
    ),
    "a realm that is not there": (
        nothing,
        "note",
        f"{REALM}: what is granted was not asked, since it does not exist",
        "",
    ),
}


@pytest.mark.parametrize("what", SAID)
def test_says_of(desk: Desk, what: str) -> None:
    change, verdict, says, remedy = SAID[what]
    change(desk)
    (told,) = asked(desk)
    assert (told["verdict"], told["says"], told["remedy"]) == (verdict, says, remedy)


@pytest.mark.parametrize("mode", ["approve", "apply"])
def test_a_right_to_write_is_noted_and_not_tried(desk: Desk, mode: str) -> None:
    held(desk)
    seen, noted = asked(desk, mode)
    assert (seen["verdict"], noted["verdict"]) == ("ok", "note")
    assert noted["says"] == f"{REALM}: whether reconverge has manage-clients as well was not tried"
    assert not desk.platform.keycloaks.added


def test_what_only_differs_makes_a_difference(desk: Desk) -> None:
    refused(desk)
    landscape = desk.folder / "keycloak.yaml"
    landscape.write_text(LANDSCAPE.replace("MODE", "propose"))
    assert desk.types("doctor", "--landscape", str(landscape)).code == Exit.DIFFERENCES
