"""Lists of built-in kinds whose items have a name of their own, so that patches can mean a single item.

As the `patchMergeKey` and `listMapKey` markers of k8s.io/api say; every other list is replaced as a whole.
"""

import json
from typing import Any, Final

MERGE_KEYS: Final = {
    "conditions": "type",
    "containers": "name",
    "env": "name",
    "ephemeralContainers": "name",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ownerReferences": "uid",
    "ports": "containerPort",
    "secrets": "name",
    "topologySpreadConstraints": "topologyKey",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""By the list's field."""
SETS: Final = ("finalizers",)
"""Lists of plain values, each of which stands for itself."""


def item_key(field: str, item: Any) -> str | None:
    """What names the item in a field's ownership (`k:` or `v:`); None: the list is one value."""
    if field in SETS:
        return "v:" + json.dumps(item)
    key = MERGE_KEYS.get(field)
    if key is None or not isinstance(item, dict) or key not in item:
        return None
    return "k:" + json.dumps({key: item[key]}, separators=(",", ":"))
