"""Events get lost, come twice, late, in any order and by both ways."""

import uuid
from datetime import timedelta
from typing import Final

from sandbox.stack import Stack
from tests.faults.events import event
from tests.faults.hosts import Host
from tests.faults.platform import DEV, PROD, Platform
from tests.waiting import eventually

CLUSTERS: Final = "Microsoft.ContainerService/managedClusters"
IDENTITIES: Final = "Microsoft.ManagedIdentity/userAssignedIdentities"


def test_when_every_event_is_lost_the_sweep_repairs(platform: Platform, host: Host) -> None:
    platform.tell_nobody()
    platform.rebuild()
    assert platform.trusting(DEV) == platform.trusting(PROD) == set()
    host.sweep()
    platform.prove(DEV, PROD)
    platform.assert_written_once(DEV, PROD)


def test_events_doubled_late_reordered_and_by_both_ways_cause_no_further_write(
    platform: Platform, cloud: Stack
) -> None:
    queue = {"kind": "StorageQueue", "connection_string": cloud.environment["AzureWebJobsStorage"]}
    platform.control.subscribe({"name": "by-queue", "endpoint": {**queue, "queue": "signals"}})
    platform.control.subscribe(
        {
            "name": "by-queue-in-the-other-schema",
            "endpoint": {**queue, "queue": "signals"},
            "schema": "CloudEventSchemaV1_0",
        }
    )
    platform.rebuild()
    platform.prove(DEV, PROD)

    state = platform.control.state()
    cluster, identity = state["clusters"][0]["id"], state["identities"][0]["id"]
    told = str(uuid.uuid4())
    story = [
        event(operation, resource, platform.began + timedelta(seconds=number), correlation=told)
        for number, (operation, resource) in enumerate(
            [
                (f"{CLUSTERS}/delete", cluster),
                (f"{CLUSTERS}/write", cluster),
                (f"{IDENTITIES}/write", identity),
                (f"{CLUSTERS}/write", cluster),
            ]
        )
    ]
    deliveries = sum(platform.control.deliver(one) for one in [*reversed(story), *story, *story])
    assert deliveries == 3 * len(story) * 3
    eventually(
        lambda: (
            len([one for one in platform.journal("signals", "signal") if one["correlation"] == told])
            == deliveries
        )
    )
    platform.prove(DEV, PROD)
    platform.assert_written_once(DEV, PROD)
