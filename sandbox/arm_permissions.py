"""What ARM tells callers of their own permissions at a scope."""

from sandbox.arm_calls import Call, Json, Reply, Route
from sandbox.cloud import Cloud
from sandbox.rbac import ROLES, held_at

_PERMISSIONS = "Microsoft.Authorization/permissions"


class Permissions:
    """https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource"""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[Route]:
        return [
            Route("GET", f"{{scope}}/providers/{_PERMISSIONS}", f"{_PERMISSIONS}/read", self._permissions)
        ]

    async def _permissions(self, call: Call) -> Reply:
        """One entry for each assignment at the scope or above it, as Azure answers; all on one page."""
        held = held_at(
            self._cloud.assignments.all(self._cloud.clock()),
            principal_id=call.caller.object_id,
            scope=call.params["scope"],
        )
        entries: list[Json] = [
            {
                "actions": list(role.actions),
                "notActions": [],
                "dataActions": list(role.data_actions),
                "notDataActions": [],
            }
            for assignment in held
            if (role := ROLES.get(assignment.role))
        ]
        return Reply(status=200, body={"value": entries})
