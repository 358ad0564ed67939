"""Microsoft.ManagedIdentity: user-assigned identities and their federated credentials."""

import asyncio
import uuid
from dataclasses import replace

from sandbox.arm_calls import Announce, Call, Change, ChangeKind, Json, Reply, Route, page
from sandbox.arm_errors import ArmError
from sandbox.cloud import Cloud
from sandbox.credentials import read_credential, show_credential, with_credential, without_credential
from sandbox.records import Identity

_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
_CREDENTIAL = f"{_TYPE}/federatedIdentityCredentials"
_ALL = f"/subscriptions/{{subscription}}/providers/{_TYPE}"
_IN_GROUP = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{_TYPE}"
_ONE = f"{_IN_GROUP}/{{identity}}"
_CREDENTIALS = f"{_ONE}/federatedIdentityCredentials"
_ONE_CREDENTIAL = f"{_CREDENTIALS}/{{credential}}"


class Identities:
    def __init__(self, cloud: Cloud, announce: Announce) -> None:
        self._cloud = cloud
        self._announce = announce

    def routes(self) -> list[Route]:
        return [
            Route("GET", _ALL, f"{_TYPE}/read", self._list),
            Route("GET", _IN_GROUP, f"{_TYPE}/read", self._list),
            Route("GET", _ONE, f"{_TYPE}/read", self._get, "get"),
            Route("PUT", _ONE, f"{_TYPE}/write", self._put, "create-or-update"),
            Route("PATCH", _ONE, f"{_TYPE}/write", self._patch, "create-or-update"),
            Route("DELETE", _ONE, f"{_TYPE}/delete", self._delete, "delete"),
            Route("GET", _CREDENTIALS, f"{_CREDENTIAL}/read", self._list_credentials, "list"),
            Route("GET", _ONE_CREDENTIAL, f"{_CREDENTIAL}/read", self._get_credential, "get"),
            Route("PUT", _ONE_CREDENTIAL, f"{_CREDENTIAL}/write", self._put_credential, "create-or-update"),
            Route("DELETE", _ONE_CREDENTIAL, f"{_CREDENTIAL}/delete", self._delete_credential, "delete"),
        ]

    # -- identities -------------------------------------------------------------------

    async def _list(self, call: Call) -> Reply:
        group = call.params.get("group")
        held = [
            self._show(identity)
            for identity in self._cloud.identities.all(call.read_at)
            if identity.subscription.lower() == call.params["subscription"].lower()
            and (group is None or identity.group.lower() == group.lower())
        ]
        return Reply(status=200, body=page(held, call, self._cloud.dials.page_size))

    async def _get(self, call: Call) -> Reply:
        identity = self._cloud.identities.get(_id(call), call.read_at)
        if identity is None:
            raise _not_found(call)
        return Reply(status=200, body=self._show(identity))

    async def _put(self, call: Call) -> Reply:
        body = call.body if isinstance(call.body, dict) else {}
        location = body.get("location")
        if not isinstance(location, str):
            raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
        held = self._present(call)
        tags = _tags(body, default={})
        identity = replace(held, tags=tags) if held else self._new(call, location, tags)
        return self._write(call, identity, existed=held is not None)

    async def _patch(self, call: Call) -> Reply:
        held = self._present(call)
        if held is None:
            raise _not_found(call)
        body = call.body if isinstance(call.body, dict) else {}
        return self._write(call, replace(held, tags=_tags(body, default=dict(held.tags))), existed=True)

    async def _delete(self, call: Call) -> Reply:
        held = self._present(call)
        if held is None:
            return Reply(status=204)
        self._cloud.identities.put(held.id, None, self._cloud.clock())
        self._announce(call, Change(kind=ChangeKind.DELETE, operation=f"{_TYPE}/delete", resource_id=held.id))
        return Reply(status=200)

    def _new(self, call: Call, location: str, tags: dict[str, str]) -> Identity:
        return Identity(
            subscription=self._cloud.subscription,
            group=self._cloud.group_name(call.params["group"]) or call.params["group"],
            name=call.params["identity"],
            location=location,
            client_id=str(uuid.uuid4()),
            principal_id=str(uuid.uuid4()),
            tags=tags,
        )

    def _write(self, call: Call, identity: Identity, *, existed: bool) -> Reply:
        self._cloud.identities.put(identity.id, identity, self._cloud.clock())
        change = Change(
            kind=ChangeKind.WRITE, operation=f"{_TYPE}/write", resource_id=identity.id, existed=existed
        )
        self._announce(call, change)
        return Reply(status=200 if existed else 201, body=self._show(identity))

    def _show(self, identity: Identity) -> Json:
        return {
            "id": identity.id,
            "name": identity.name,
            "type": _TYPE,
            "location": identity.location,
            "tags": dict(identity.tags),
            "properties": {
                "tenantId": self._cloud.tenant,
                "principalId": identity.principal_id,
                "clientId": identity.client_id,
                "isolationScope": "None",
            },
        }

    # -- credentials ------------------------------------------------------------------

    async def _list_credentials(self, call: Call) -> Reply:
        identity = self._parent(self._cloud.identities.get(_id(call), call.read_at))
        held = [
            show_credential(identity, credential, call.api_version)
            for _, credential in sorted(identity.credentials.items())
        ]
        return Reply(status=200, body=page(held, call, self._cloud.dials.page_size))

    async def _get_credential(self, call: Call) -> Reply:
        identity = self._parent(self._cloud.identities.get(_id(call), call.read_at))
        credential = identity.credentials.get(call.params["credential"].lower())
        if credential is None:
            raise _not_found(call)
        return Reply(status=200, body=show_credential(identity, credential, call.api_version))

    async def _put_credential(self, call: Call) -> Reply:
        wanted = read_credential(call.params["credential"], call.body, call.api_version)
        with self._cloud.writing_credentials(self._parent(self._present(call))):
            await asyncio.sleep(self._cloud.dials.write_seconds)
            before = self._parent(self._present(call))
            existed = wanted.name.lower() in before.credentials
            after = with_credential(before, wanted)
            self._cloud.identities.put(after.id, after, self._cloud.clock())
        written = after.credentials[wanted.name.lower()]
        self._tell(call, ChangeKind.WRITE, after, written.name, existed=existed)
        return Reply(status=200 if existed else 201, body=show_credential(after, written, call.api_version))

    async def _delete_credential(self, call: Call) -> Reply:
        name = call.params["credential"]
        with self._cloud.writing_credentials(self._parent(self._present(call))):
            await asyncio.sleep(self._cloud.dials.write_seconds)
            before = self._parent(self._present(call))
            held = before.credentials.get(name.lower())
            if held is None:
                return Reply(status=204)
            self._cloud.identities.put(before.id, without_credential(before, name), self._cloud.clock())
        self._tell(call, ChangeKind.DELETE, before, held.name)
        return Reply(status=200)

    def _tell(
        self, call: Call, kind: ChangeKind, identity: Identity, name: str, *, existed: bool = True
    ) -> None:
        resource_id = f"{identity.id}/federatedIdentityCredentials/{name}"
        operation = f"{_CREDENTIAL}/{kind.lower()}"
        self._announce(call, Change(kind=kind, operation=operation, resource_id=resource_id, existed=existed))

    def _present(self, call: Call) -> Identity | None:
        return self._cloud.identities.get(_id(call), self._cloud.clock())

    def _parent(self, identity: Identity | None) -> Identity:
        if identity is None:
            raise ArmError(404, "ParentResourceNotFound", "The parent user-assigned identity doesn't exist.")
        return identity


def _id(call: Call) -> str:
    parts = call.params
    return (
        f"/subscriptions/{parts['subscription']}/resourcegroups/{parts['group']}"
        f"/providers/{_TYPE}/{parts['identity']}"
    )


def _tags(body: dict[str, object], *, default: dict[str, str]) -> dict[str, str]:
    tags = body.get("tags")
    return {str(key): str(value) for key, value in tags.items()} if isinstance(tags, dict) else default


def _not_found(call: Call) -> ArmError:
    parts = call.params
    name = f"{_TYPE}/{parts['identity']}"
    if "credential" in parts:
        name = f"{_CREDENTIAL}/{parts['identity']}/{parts['credential']}"
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{name}' under resource group '{parts['group']}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )
