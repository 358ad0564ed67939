"""What ARM tells of tenants, subscriptions, resource groups and role assignments."""

import re

from sandbox.arm_calls import Announce, Call, Change, ChangeKind, Json, Reply, Route, page
from sandbox.arm_errors import ArmError
from sandbox.cloud import Cloud
from sandbox.records import RoleAssignment

_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_GROUP_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"


class Subscriptions:
    def __init__(self, cloud: Cloud, announce: Announce) -> None:
        self._cloud = cloud
        self._announce = announce

    def routes(self) -> list[Route]:
        one = f"{{scope}}/providers/{_ASSIGNMENTS}/{{assignment}}"
        return [
            Route("GET", "/tenants", "", self._tenants),
            Route("GET", "/subscriptions", "", self._subscriptions),
            Route("GET", "/subscriptions/{subscription}", "", self._subscription),
            Route("GET", "/subscriptions/{subscription}/resourceGroups", _GROUP_READ, self._groups),
            Route("GET", "/subscriptions/{subscription}/resourceGroups/{group}", _GROUP_READ, self._group),
            Route("GET", one, f"{_ASSIGNMENTS}/read", self._assignment),
            Route("PUT", one, f"{_ASSIGNMENTS}/write", self._assign),
            Route("DELETE", one, f"{_ASSIGNMENTS}/delete", self._unassign),
            Route("GET", f"{{scope}}/providers/{_ASSIGNMENTS}", f"{_ASSIGNMENTS}/read", self._assignments),
        ]

    async def _tenants(self, call: Call) -> Reply:
        tenant = self._cloud.tenant
        held: list[Json] = [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Sandbox"}]
        return Reply(status=200, body=page(held, call, self._cloud.dials.page_size))

    async def _subscriptions(self, call: Call) -> Reply:
        """Those on which the caller holds any role, as Azure filters them."""
        held = self._cloud.assignments.all(call.read_at)
        mine = any(assignment.principal_id == call.caller.object_id for assignment in held)
        shown = [self._show_subscription()] if mine else []
        return Reply(status=200, body=page(shown, call, self._cloud.dials.page_size))

    async def _subscription(self, _: Call) -> Reply:
        return Reply(status=200, body=self._show_subscription())

    async def _groups(self, call: Call) -> Reply:
        shown = [self._show_group(name) for name in self._cloud.groups]
        return Reply(status=200, body=page(shown, call, self._cloud.dials.page_size))

    async def _group(self, call: Call) -> Reply:
        name = self._cloud.group_name(call.params["group"]) or call.params["group"]
        return Reply(status=200, body=self._show_group(name))

    async def _assignments(self, call: Call) -> Reply:
        """Those at the scope, above it and below it; with `$filter=atScope()` not below it, with
        `principalId eq '…'` one principal's."""
        scope, wanted = call.params["scope"].lower(), call.query.get("$filter", "")
        principal = re.search(r"principalId eq '([^']*)'", wanted)
        shown = [
            _show_assignment(held)
            for held in self._cloud.assignments.all(call.read_at)
            if scope.startswith(held.scope.lower())
            or ("atScope()" not in wanted and held.scope.lower().startswith(scope))
            if principal is None or held.principal_id == principal.group(1)
        ]
        return Reply(status=200, body=page(shown, call, self._cloud.dials.page_size))

    async def _assignment(self, call: Call) -> Reply:
        held = self._cloud.assignments.get(_id(call), call.read_at)
        if held is None:
            raise ArmError(
                404,
                "RoleAssignmentNotFound",
                f"The role assignment '{call.params['assignment']}' is not found.",
            )
        return Reply(status=200, body=_show_assignment(held))

    async def _assign(self, call: Call) -> Reply:
        wanted = _read_assignment(call)
        held = self._cloud.assignments.get(wanted.id, self._cloud.clock())
        if held is not None and held != wanted:
            raise ArmError(
                400,
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
            )
        self._cloud.assignments.put(wanted.id, wanted, self._cloud.clock())
        self._tell(call, ChangeKind.WRITE, wanted, existed=held is not None)
        return Reply(status=200 if held else 201, body=_show_assignment(wanted))

    async def _unassign(self, call: Call) -> Reply:
        held = self._cloud.assignments.get(_id(call), self._cloud.clock())
        if held is None:
            return Reply(status=204)
        self._cloud.assignments.put(held.id, None, self._cloud.clock())
        self._tell(call, ChangeKind.DELETE, held, existed=True)
        return Reply(status=200, body=_show_assignment(held))

    def _tell(self, call: Call, kind: ChangeKind, assignment: RoleAssignment, *, existed: bool) -> None:
        operation = f"{_ASSIGNMENTS}/{kind.lower()}"
        change = Change(kind=kind, operation=operation, resource_id=assignment.id, existed=existed)
        self._announce(call, change)

    def _show_subscription(self) -> Json:
        return {
            "id": f"/subscriptions/{self._cloud.subscription}",
            "subscriptionId": self._cloud.subscription,
            "tenantId": self._cloud.tenant,
            "displayName": "Sandbox",
            "state": "Enabled",
        }

    def _show_group(self, name: str) -> Json:
        return {
            "id": f"/subscriptions/{self._cloud.subscription}/resourceGroups/{name}",
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": self._cloud.location,
            "properties": {"provisioningState": "Succeeded"},
        }


def _read_assignment(call: Call) -> RoleAssignment:
    properties = call.body.get("properties") if isinstance(call.body, dict) else None
    try:
        role = str((properties or {})["roleDefinitionId"]).rpartition("/")[2]
        principal = str((properties or {})["principalId"])
    except KeyError as error:
        raise ArmError(
            400, "InvalidRoleAssignmentRequest", f"The role assignment lacks properties.{error.args[0]}."
        ) from error
    return RoleAssignment(
        name=call.params["assignment"], scope=call.params["scope"], role=role, principal_id=principal
    )


def _show_assignment(assignment: RoleAssignment) -> Json:
    return {
        "id": assignment.id,
        "name": assignment.name,
        "type": _ASSIGNMENTS,
        "properties": {
            "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{assignment.role}",
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "scope": assignment.scope,
        },
    }


def _id(call: Call) -> str:
    return f"{call.params['scope'].rstrip('/')}/providers/{_ASSIGNMENTS}/{call.params['assignment']}"
