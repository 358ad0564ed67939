"""Keycloak's operator, as far as realms go: a KeycloakRealmImport becomes a realm, once.

    Keycloak is not up                waits
    a placeholder's Secret is not     Started, and stays so: the pod that imports cannot be made
    the representation is none        HasErrors
    the realm was there before        Done, and nothing of it is changed

So what is added to an import later never arrives. The real operator tells of a Keycloak that is not up as of
an error; here that is no error, since there is no other Application that would come first.
https://www.keycloak.org/operator/realm-import
"""

import base64
import json
from typing import Any, Final

from sandbox.dials import Dials
from sandbox.keycloak import Keycloak
from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_resources import REALM_IMPORTS, SECRETS
from sandbox.reconciling import Beat, Worklist

DONE: Final = "Done"
STARTED: Final = "Started"
HAS_ERRORS: Final = "HasErrors"
_NOT_READY: Final = "Deployment not yet ready, waiting for it to be ready"

type Key = tuple[str, str]
"""Namespace and name."""


class RealmImports:
    def __init__(self, objects: Objects, keycloaks: dict[str, Keycloak], dials: Dials) -> None:
        """keycloaks: by namespace"""
        self._objects = objects
        self._keycloaks = keycloaks
        self._dials = dials
        self._work: Worklist[Key] = Worklist()

    async def run(self) -> None:
        """Until it is cancelled."""
        beat = Beat(lambda: self._dials.sync_seconds)
        stop = self._objects.listen(self._hear)
        self._add_all()
        try:
            while True:
                if key := await self._work.take(beat.wait()):
                    self._settle(*key)
                if beat.strikes():
                    self._add_all()
        finally:
            stop()

    def _hear(self, changed: Changed) -> None:
        metadata = changed.object["metadata"]
        if changed.resource == REALM_IMPORTS and changed.change is not Change.DELETED:
            self._work.add((metadata["namespace"], metadata["name"]))
        elif changed.resource == SECRETS:
            self._add_all(metadata["namespace"])

    def _add_all(self, namespace: str = "") -> None:
        for one in self._objects.held(REALM_IMPORTS, namespace):
            self._work.add((one["metadata"]["namespace"], one["metadata"]["name"]))

    # -- one import ---------------------------------------------------------------------

    def _settle(self, namespace: str, name: str) -> None:
        held = self._objects.get(REALM_IMPORTS, namespace, name)
        keycloak = self._keycloaks.get(namespace)
        if held is None or keycloak is None or is_so(held, DONE):
            return
        if not keycloak.is_up():
            self._say(held, "", _NOT_READY)
            return
        values = self._values(held)
        if missing := [one for one, value in values.items() if value is None]:
            self._say(held, STARTED, f"Import Job running, and waits for {', '.join(missing)}")
            return
        try:
            keycloak.create(_filled(held["spec"].get("realm") or {}, values))
        except ValueError as error:
            self._say(held, HAS_ERRORS, f"Import Job failed: {error}")
        else:
            self._say(held, DONE, "")

    def _values(self, held: Object) -> dict[str, str | None]:
        """Of each placeholder; None where its Secret or the key in it is missing."""
        namespace = held["metadata"]["namespace"]
        found: dict[str, str | None] = {}
        for name, source in (held["spec"].get("placeholders") or {}).items():
            wanted = source["secret"]
            secret = self._objects.get(SECRETS, namespace, wanted["name"]) or {}
            encoded = (secret.get("data") or {}).get(wanted["key"])
            found[name] = None if encoded is None else base64.b64decode(encoded).decode()
        return found

    def _say(self, held: Object, true: str, message: str) -> None:
        """Let that condition be true, or none of them, with the message at the one that it is about."""
        metadata, now = held["metadata"], self._objects.now()
        before = {one["type"]: one for one in (held.get("status") or {}).get("conditions") or ()}
        conditions = []
        for kind in (DONE, STARTED, HAS_ERRORS):
            status = "True" if kind == true else "False"
            told = message if kind == (true or STARTED) else ""
            since = now
            if kind in before and before[kind]["status"] == status:
                since = before[kind]["lastTransitionTime"]
            fresh = {"type": kind, "status": status, "message": told, "lastTransitionTime": since}
            conditions.append({**fresh, "observedGeneration": metadata["generation"]})
        self._objects.set_status(
            REALM_IMPORTS, metadata["namespace"], metadata["name"], {"conditions": conditions}
        )


def is_so(held: Object, kind: str) -> bool:
    conditions = (held.get("status") or {}).get("conditions") or ()
    return any(one["type"] == kind and one["status"] == "True" for one in conditions)


def _filled(realm: dict[str, Any], values: dict[str, str | None]) -> dict[str, Any]:
    """The realm with `${NAME}` replaced wherever it stands."""
    text = json.dumps(realm)
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", json.dumps(value)[1:-1])
    filled: dict[str, Any] = json.loads(text)
    return filled
