"""The landscape that benchmarks work on: one environment that may be written to at once."""

import json
from typing import Final

from shared.landscape import Landscape, parse
from shared.model import Target

ENVIRONMENT: Final = "bench"
TARGET: Final = Target(ENVIRONMENT, "federated_credentials")


def landscape(
    *,
    tenant: str,
    own_identity: str,
    own_object_id: str,
    cluster: str,
    identities: list[str],
    credentials: int,
) -> Landscape:
    """Each identity with as many credentials; pacing off, and reading back is the proof."""
    declared = [
        {"name": f"credential-{number}", "subject": f"system:serviceaccount:bench:account-{number}"}
        for number in range(credentials)
    ]
    environment = {
        "clusters": [{"name": "cluster", "id": cluster}],
        "identities": [{"id": identity, "credentials": declared} for identity in identities],
        "contract": {
            "default": "apply",
            "identities": identities,
            "issuerHosts": ["127.0.0.1:*"],
            "caps": {"perRun": 1000, "perHour": 1000},
            "proof": "read-back",
            "pace": "0s",
        },
    }
    whole = {
        "version": 1,
        "tenant": tenant,
        "reconverge": {"identity": own_identity, "objectId": own_object_id},
        "environments": {ENVIRONMENT: environment},
    }
    # JSON is YAML too.
    return parse(json.dumps(whole), "the benchmark's landscape")
