"""Lists of objects, whole or in pages.

https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from sandbox.kubernetes_errors import bad_request
from sandbox.kubernetes_objects import Object, Objects
from sandbox.kubernetes_requests import Target
from sandbox.kubernetes_selectors import selection


def listed(objects: Objects, target: Target, query: Mapping[str, str]) -> dict[str, Any]:
    """The collection, or the next page of it. Raises StatusError (400).

    A later page shows the objects as they are now, while a real server shows those of the first page's time.
    """
    matches = selection(target.resource, query)
    start = _start(query.get("continue", ""))
    limit = _limit(query.get("limit", ""))
    found = [
        held
        for held in objects.held(target.resource, target.namespace)
        if _place(held) > start and matches(held)
    ]
    metadata: dict[str, Any] = {"resourceVersion": objects.version}
    page = found[:limit] if limit else found
    if len(page) < len(found):
        metadata["continue"] = base64.urlsafe_b64encode(json.dumps(_place(page[-1])).encode()).decode()
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(found) - len(page)
    return {
        "kind": f"{target.resource.kind}List",
        "apiVersion": target.resource.api_version,
        "metadata": metadata,
        "items": page,
    }


def _place(held: Object) -> list[str]:
    return [held["metadata"].get("namespace", ""), held["metadata"]["name"]]


def _start(token: str) -> list[str]:
    try:
        place = json.loads(base64.urlsafe_b64decode(token)) if token else []
        return [str(part) for part in place]
    except (ValueError, TypeError) as error:
        raise bad_request("continue key is not valid") from error


def _limit(text: str) -> int:
    if text and not text.isdecimal():
        raise bad_request(f"invalid limit {text!r}")
    return int(text or 0)
