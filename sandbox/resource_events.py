"""The resource events of a subscription, as Azure words them.

https://learn.microsoft.com/azure/event-grid/event-schema-subscriptions
"""

import re
import uuid
from collections.abc import Mapping
from datetime import datetime

from sandbox.arm_calls import Call, Change, ChangeKind
from sandbox.rbac import ROLES
from sandbox.records import RoleAssignment
from sandbox.tokens import Caller

type Json = dict[str, object]

_GROUPS = re.compile("/resourcegroups/", re.IGNORECASE)
_LONG_CLAIMS = {
    "oid": "http://schemas.microsoft.com/identity/claims/objectidentifier",
    "tid": "http://schemas.microsoft.com/identity/claims/tenantid",
    "idp": "http://schemas.microsoft.com/identity/claims/identityprovider",
    "sub": "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
}


def resource_event(call: Call, change: Change, *, subscription: str, tenant: str, now: datetime) -> Json:
    """One event in the Event Grid schema."""
    # The published samples spell the segment this way for writes, and with a capital otherwise.
    segment = "/resourcegroups/" if change.kind is ChangeKind.WRITE else "/resourceGroups/"
    resource = _GROUPS.sub(segment, change.resource_id)
    data: Json = {
        "authorization": {
            "scope": resource,
            "action": change.operation,
            "evidence": _evidence(call.grant) if call.grant else {},
        },
        "claims": _claims(call.caller),
        "correlationId": call.correlation_id,
        "resourceProvider": change.operation.partition("/")[0],
        "resourceUri": resource,
        "operationName": change.operation,
        "status": "Succeeded",
        "subscriptionId": subscription,
        "tenantId": tenant,
    }
    if change.existed:
        # Only there when something that existed was changed, never for a creation.
        data["httpRequest"] = {
            "clientRequestId": call.client_request_id,
            "clientIpAddress": call.client_address,
            "method": call.method,
            "url": call.url,
        }
    return {
        "id": str(uuid.uuid4()),
        "topic": f"/subscriptions/{subscription}",
        "subject": resource,
        "eventType": f"Microsoft.Resources.Resource{change.kind}Success",
        "eventTime": stamp(now),
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": data,
    }


def as_cloud_event(event: Mapping[str, object]) -> Json:
    """The same event in the CloudEvents 1.0 schema."""
    return {
        "id": event["id"],
        "source": event["topic"],
        "specversion": "1.0",
        "type": event["eventType"],
        "subject": event["subject"],
        "time": event["eventTime"],
        "data": event["data"],
    }


def stamp(when: datetime) -> str:
    """ISO time with the seven fraction digits that Azure writes."""
    return f"{when:%Y-%m-%dT%H:%M:%S.%f}0Z"


def _claims(caller: Caller) -> dict[str, str]:
    return {_LONG_CLAIMS.get(name, name): str(value) for name, value in caller.claims.items()}


def _evidence(grant: RoleAssignment) -> dict[str, str]:
    role = ROLES.get(grant.role)
    return {
        "role": role.name if role else "",
        "roleAssignmentScope": grant.scope,
        "roleAssignmentId": grant.name.replace("-", ""),
        "roleDefinitionId": grant.role.replace("-", ""),
        "principalId": grant.principal_id.replace("-", ""),
        "principalType": grant.principal_type,
    }
