"""Events as Azure words them, of a person whom the journal and the logs must not name."""

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, Final

SAMPLES: Final = Path(__file__).parents[1] / "samples" / "eventgrid"
SOMEBODY: Final = "33cbd91a-0e47-4b0c-9f0f-1d2f0b7d6a11"
"""Object id of whoever did it. That much is journalled."""
PERSON: Final[dict[str, str]] = {
    "name": "Alice Example",
    "ipaddr": "198.51.100.77",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "alice@contoso.example",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname": "Surname-of-Alice",
}


def event(operation: str, resource: str, at: datetime, *, correlation: str) -> dict[str, Any]:
    """In the Event Grid schema. operation: ends in write or delete."""
    (made,) = json.loads((SAMPLES / "aks_managedClusters_write.json").read_text())
    change = operation.rpartition("/")[2].capitalize()
    made["data"] |= {"operationName": operation, "resourceUri": resource, "correlationId": correlation}
    made["data"]["authorization"] |= {"action": operation, "scope": resource}
    made["data"]["claims"] |= {
        **PERSON,
        "http://schemas.microsoft.com/identity/claims/objectidentifier": SOMEBODY,
    }
    return {
        **made,
        "id": str(uuid.uuid4()),
        "subject": resource,
        "eventType": f"Microsoft.Resources.Resource{change}Success",
        "eventTime": at.isoformat(),
    }
