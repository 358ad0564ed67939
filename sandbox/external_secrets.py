"""The External Secrets Operator, as far as the platform uses it: Vault's keys become Secrets of the cluster.

An object is looked at again when its interval has passed (the dial `sync_seconds` for all of them), when its
spec, labels or annotations have changed, when its Secret is gone, and when its store has turned Ready.
https://external-secrets.io/latest/api/externalsecret/
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.dials import Dials
from sandbox.kubernetes_objects import Change, Changed, Object, Objects
from sandbox.kubernetes_resources import EXTERNAL_SECRETS, SECRETS, STORES, Resource
from sandbox.kubernetes_tokens import ServiceAccountTokens
from sandbox.reconciling import Beat, Recorder, Worklist, owner, with_condition
from sandbox.secret_stores import ProviderError, SecretStores, read_value

MANAGED = "reconcile.external-secrets.io/managed"
CREATED_BY = "reconcile.external-secrets.io/created-by"
DATA_HASH = "reconcile.external-secrets.io/data-hash"
_FIELD = re.compile(r"\{\{\s*\.([A-Za-z0-9_]+)\s*\}\}")

type Key = tuple[Resource, str, str]


class _Missing(Exception):
    """The Secret is to be merged into, and is not there."""


class ExternalSecrets:
    def __init__(self, objects: Objects, accounts: ServiceAccountTokens, dials: Dials) -> None:
        self._objects = objects
        self._dials = dials
        self._stores = SecretStores(objects, accounts)
        self._recorder = Recorder(objects, "external-secrets")
        self._work: Worklist[Key] = Worklist()
        self._seen: dict[str, str] = {}
        """What was last looked at of each object, by uid: the operator's own writes are no reason to look."""

    async def run(self) -> None:
        """Until it is cancelled."""
        beat = Beat(lambda: self._dials.sync_seconds)
        stop = self._objects.listen(self._hear)
        self._add_all()
        try:
            while True:
                if key := await self._work.take(beat.wait()):
                    await self._look(*key)
                if beat.strikes():
                    self._add_all()
        finally:
            stop()

    def _hear(self, changed: Changed) -> None:
        metadata = changed.object["metadata"]
        if changed.resource in (STORES, EXTERNAL_SECRETS) and changed.change is not Change.DELETED:
            if self._seen.get(metadata["uid"]) != _version(changed.object):
                self._work.add((changed.resource, metadata["namespace"], metadata["name"]))
        elif changed.resource == SECRETS and changed.change is Change.DELETED:
            for one in metadata.get("ownerReferences") or ():
                if one.get("kind") == "ExternalSecret":
                    self._work.add((EXTERNAL_SECRETS, metadata["namespace"], one["name"]))

    def _add_all(self, *resources: Resource, namespace: str = "") -> None:
        for resource in resources or (STORES, EXTERNAL_SECRETS):
            for one in self._objects.held(resource, namespace):
                self._work.add((resource, one["metadata"]["namespace"], one["metadata"]["name"]))

    async def _look(self, resource: Resource, namespace: str, name: str) -> None:
        held = self._objects.get(resource, namespace, name)
        if held is None:
            return
        self._seen[held["metadata"]["uid"]] = _version(held)
        if resource == EXTERNAL_SECRETS:
            await self._sync(held)
        elif await self._stores.validate(namespace, name):
            self._add_all(EXTERNAL_SECRETS, namespace=namespace)

    # -- one ExternalSecret -------------------------------------------------------------

    async def _sync(self, external: Object) -> None:
        try:
            values = await self._values(external)
            # What was made for one that has gone meanwhile would stay: nothing here looks for such Secrets.
            if not self._is_there(external):
                return
            self._write(external, values)
        except ProviderError as error:
            self._recorder.say(external, "Warning", "UpdateFailed", str(error))
            self._say(external, False, "SecretSyncedError", "could not get secret data from provider")
        except _Missing:
            said = "secret will not be created due to CreationPolicy=Merge"
            self._say(external, False, "SecretMissing", said)
        else:
            self._say(external, True, "SecretSynced", "secret synced", external)

    def _is_there(self, external: Object) -> bool:
        metadata = external["metadata"]
        present = self._objects.get(EXTERNAL_SECRETS, metadata["namespace"], metadata["name"])
        return present is not None and bool(present["metadata"]["uid"] == metadata["uid"])

    async def _values(self, external: Object) -> dict[str, str]:
        """By key of the Secret. Raises ProviderError."""
        spec = external["spec"]
        try:
            login = self._stores.login(external["metadata"]["namespace"], spec["secretStoreRef"]["name"])
        except ProviderError as error:
            raise ProviderError(f"error getting secret store: {error}") from error
        values: dict[str, str] = {}
        for number, wanted in enumerate(spec["data"]):
            remote = wanted["remoteRef"]
            try:
                read = await read_value(login, remote["key"], remote.get("property", "value"))
            except ProviderError as error:
                where = f"spec.data[{number}] (key: {remote['key']})"
                raise ProviderError(f"error processing {where}, err: {error}") from error
            values[wanted["secretKey"]] = read
        return values

    def _write(self, external: Object, values: Mapping[str, str]) -> None:
        """Raises _Missing."""
        metadata, target = external["metadata"], external["spec"].get("target") or {}
        name = target.get("name", metadata["name"])
        template = target.get("template") or {}
        data = _encoded(_filled(template["data"], values) if template.get("data") else values)
        held = self._objects.get(SECRETS, metadata["namespace"], name)
        if target.get("creationPolicy", "Owner") == "Merge":
            if held is None:
                raise _Missing
            self._objects.replace(SECRETS, {**held, "data": {**(held.get("data") or {}), **data}})
            return
        marks = {
            "labels": {MANAGED: "true", CREATED_BY: _digest(f"{metadata['namespace']}/{metadata['name']}")},
            "annotations": {DATA_HASH: _digest(data)},
            "ownerReferences": [owner(external)],
        }
        if held is None:
            described = {"name": name, "namespace": metadata["namespace"], **marks}
            kind = template.get("type", "Opaque")
            self._objects.create(SECRETS, {"metadata": described, "type": kind, "data": data})
            self._recorder.say(external, "Normal", "Created", "secret created")
        else:
            self._objects.replace(SECRETS, {**held, "metadata": {**held["metadata"], **marks}, "data": data})

    def _say(
        self, external: Object, ready: bool, reason: str, message: str, synced: Object | None = None
    ) -> None:
        metadata = external["metadata"]
        present = self._objects.get(EXTERNAL_SECRETS, metadata["namespace"], metadata["name"])
        if present is None:
            return
        status: dict[str, Any] = dict(present.get("status") or {})
        now = self._objects.now()
        status["conditions"] = with_condition(
            status.get("conditions", []), now, kind="Ready", status=ready, reason=reason, message=message
        )
        if synced is not None:
            target = (synced["spec"].get("target") or {}).get("name", metadata["name"])
            status |= {
                "refreshTime": now,
                "syncedResourceVersion": _version(synced),
                "binding": {"name": target},
            }
        self._objects.set_status(EXTERNAL_SECRETS, metadata["namespace"], metadata["name"], status)


def _version(one: Object) -> str:
    """What changes when an object is to be looked at again: generation, labels, annotations."""
    metadata = one["metadata"]
    named = {name: metadata.get(name) or {} for name in ("labels", "annotations")}
    return f"{metadata.get('generation', 0)}-{_digest(named)}"


def _filled(template: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """The template's texts with `{{ .key }}` replaced: the only form that the platform needs here."""
    return {
        key: _FIELD.sub(lambda found: values.get(found[1], "<no value>"), text)
        for key, text in template.items()
    }


def _encoded(values: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def _digest(of: object) -> str:
    return hashlib.sha3_224(json.dumps(of, sort_keys=True).encode()).hexdigest()
