"""The platform as a test sees it from outside: what ARM holds, what it was asked, what the app stored.

Promises nothing of the app: it reads the cloud's own state and the storage account.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import EntityProperty, TableServiceClient, UpdateMode
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from cli import judging
from cli.judging.asking import Operator
from sandbox.control_client import Control
from shared import workqueue
from shared.landscape import DeclaredCredential, Landscape, load
from shared.leases import TABLE as LEASES
from shared.model import Target
from tests.faults.hosts import Host
from tests.waiting import eventually

type Json = dict[str, Any]

DEV: Final = Target("dev", "federated_credentials")
PROD: Final = Target("prod", "federated_credentials")

PATIENCE: Final = 30.0
GONE_BY: Final = timedelta(minutes=1)
"""How long ago it was, after `pass_the_time`, what the app waited for."""
SUBSCRIPTION: Final = "reconverge"


class Platform:
    def __init__(self, directory: Path, storage: str, landscape: Path) -> None:
        self.directory = directory
        self.storage = storage
        self.control = Control.from_dir(directory)
        self.landscape: Landscape = load(landscape)
        self.began = datetime.now(UTC)
        self._tables = TableServiceClient.from_connection_string(storage)

    # -- what happens to it -----------------------------------------------------------

    def rebuild(self) -> str:
        """Rebuild the cluster; Azure tells of it. The new issuer."""
        self.began = datetime.now(UTC)
        self.control.clear_requests()
        return str(self.control.recreate("ameide")["issuer"])

    def tell(self, host: Host) -> None:
        """Azure's events go to that host from now on."""
        self.control.subscribe(
            {"name": SUBSCRIPTION, "endpoint": {"kind": "AzureFunction", "url": host.webhook}}
        )

    def tell_nobody(self) -> None:
        for one in self.control.subscriptions():
            self.control.unsubscribe(one["name"])

    def put(self, queue: str, text: str) -> None:
        with QueueClient.from_connection_string(
            self.storage, queue, message_encode_policy=TextBase64EncodePolicy()
        ) as client:
            with suppress(ResourceExistsError):
                client.create_queue()
            client.send_message(text)

    def wake(self, target: Target) -> None:
        """What the target's delayed message does when it becomes visible."""
        self.put(workqueue.QUEUE, workqueue.to_message(target))

    def pass_the_time(self, *targets: Target) -> None:
        """Move the clock: set back the times that the app waits for, pauses, looks and a dead owner's lease.

        The messages that wait for these times cannot be hastened, so others take their places; the first ones
        are doubled ones when they come.
        """
        past = datetime.now(UTC) - GONE_BY
        for lease in self._rows(LEASES):
            self._set(LEASES, lease, {"lease_until": past})
        for target in targets:
            row = self.row(target)
            waits: Json = {name: past for name in ("not_before", "due", "lease_until") if name in row}
            self._set(workqueue.TABLE, row, waits)
            self.wake(target)

    # -- what the cloud says ----------------------------------------------------------

    def issuer(self) -> str:
        (cluster,) = self.control.state()["clusters"]
        return str(cluster["issuer"])

    def trusting(self, target: Target) -> set[str]:
        """Names of the target's declared credentials that trust the live cluster, as declared."""
        state = self.control.state()
        live = state["clusters"][0]["issuer"]
        held = {
            (identity["id"].lower(), one["name"]): one["properties"]
            for identity in state["identities"]
            for one in identity["credentials"]
        }
        return {
            declared.name
            for identity, declared in self._declared(target)
            if held[identity.lower(), declared.name]
            == {"issuer": live, "subject": declared.subject, "audiences": [declared.audience]}
        }

    def declared(self, target: Target) -> set[str]:
        return {declared.name for _, declared in self._declared(target)}

    def puts(self, part: str = "/federatedIdentityCredentials/") -> list[Json]:
        """The credential writes that ARM was asked for since the rebuild, oldest first."""
        return [
            {**one, "time": datetime.fromisoformat(one["time"])}
            for one in self.control.requests("arm")
            if one["method"] == "PUT" and part.lower() in one["path"].lower()
        ]

    def assert_written_once(self, *targets: Target) -> None:
        """Since the rebuild ARM has carried out one write of each of their credentials, and no other."""
        written = Counter(one["path"].lower() for one in self.puts() if one["status"] in {200, 201})
        assert written == Counter(path for target in targets for path in self._objects(target))

    # -- what the app stored ----------------------------------------------------------

    def row(self, target: Target) -> Json:
        table = self._tables.get_table_client(workqueue.TABLE)
        return _plain(table.get_entity(target.environment, target.responder))

    def word(self, target: Target) -> str:
        """How the last run ended; empty before the first one and while one is under way."""
        try:
            row = self.row(target)
        except ResourceNotFoundError:
            return ""
        settled_at = row.get("settled_at")
        if row.get("lease_owner") or settled_at is None or settled_at < self.began:
            return ""
        return str(row["word"])

    def journal(self, where: Target | str, *kinds: str) -> list[Json]:
        """Since the rebuild, oldest first."""
        partition = str(where).replace("/", "|")
        return [
            {**row, "detail": json.loads(row["detail_00"])}
            for row in self._rows("journal", f"PartitionKey eq '{partition}'")
            if row["at"] >= self.began and (not kinds or row["kind"] in kinds)
        ]

    def outcomes(self, target: Target) -> list[str]:
        return [row["detail"]["word"] for row in self.journal(target, "outcome")]

    def everything_stored(self) -> str:
        """All rows of all tables, as text."""
        return "\n".join(str(row) for table in self._tables.list_tables() for row in self._rows(table.name))

    # -- the state that results -------------------------------------------------------

    def repaired(self, target: Target) -> bool:
        """All of it trusts the live cluster, and the app has nothing more to do or to wait for."""
        if self.word(target) not in {"repaired", "converged"}:
            return False
        row = self.row(target)
        idle = row["wanted"] == row["started"] and not row["failures"]
        waiting = row.get("due") or row.get("not_before")
        return idle and not waiting and self.trusting(target) == self.declared(target)

    def prove(self, *targets: Target, patience: float = PATIENCE) -> None:
        """Wait until each target is repaired; then everything agrees: ARM, Entra, the journal, the row."""
        for target in targets:
            eventually(lambda: self.repaired(target), patience=patience)  # noqa: B023 (called at once)
            self._journal_explains(target)
        environments = {target.environment for target in targets}
        asked = tuple(one for one in judging.claims(self.landscape) if one.environment in environments)
        found = judging.verdicts(self._operator(), asked)
        assert {str(verdict) for verdict in found.values()} == {"accepted"}

    def _journal_explains(self, target: Target) -> None:
        """Whatever ARM was asked to write was announced before, and what stands there now was proven."""
        announced = self.journal(target, "step-started")
        objects = self._objects(target)
        for put in self.puts():
            path = put["path"].lower()
            assert path not in objects or any(
                row["detail"]["object"].lower() == path and row["at"] <= put["time"] for row in announced
            ), f"nobody announced {put}"
        proven = {
            row["detail"]["object"].rpartition("/")[2]
            for row in self.journal(target, "proof")
            if row["detail"]["verdict"] == "accepted"
        }
        assert proven == self.declared(target)

    def _operator(self) -> Operator:
        told = json.loads((self.directory / "cloud.json").read_text())
        return Operator(
            arm=told["cloud"],
            authority=told["cloud"],
            tenant=told["tenant"],
            client_id=told["operator"]["client_id"],
            secret=told["operator"]["secret"],
            ca=told["ca"],
            kubeconfig=Path(told["kubeconfig"]),
            github=told["github"]["url"],
            github_token=told["github"]["operator_token"],
            vault_tokens={},
        )

    def _objects(self, target: Target) -> set[str]:
        """ARM ids of the declared credentials, in lower case."""
        return {
            f"{identity}/federatedIdentityCredentials/{declared.name}".lower()
            for identity, declared in self._declared(target)
        }

    def _declared(self, target: Target) -> Iterable[tuple[str, DeclaredCredential]]:
        for identity in self.landscape.environments[target.environment].identities:
            for credential in identity.credentials:
                yield identity.id, credential

    def _rows(self, table: str, condition: str = "") -> list[Json]:
        with suppress(ResourceNotFoundError):  # the first row makes the table
            return [_plain(row) for row in self._tables.get_table_client(table).query_entities(condition)]
        return []

    def _set(self, table: str, row: Json, changes: Mapping[str, Any]) -> None:
        key = {"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]}
        self._tables.get_table_client(table).update_entity({**key, **changes}, UpdateMode.MERGE)


def _plain(row: Mapping[str, Any]) -> Json:
    """The SDK wraps 64-bit numbers."""
    return {name: value.value if isinstance(value, EntityProperty) else value for name, value in row.items()}
