"""The deployed app as it is: on Microsoft's worker library, on the loopback host, with all of the sandbox."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from sandbox import stack as sandbox_stack
from sandbox.control_client import Control


@dataclass(frozen=True, slots=True)
class App:
    """The running app, seen from outside."""

    url: str
    key: str
    keys: Mapping[str, Any]
    storage: str
    argocd_token: str
    control: Control

    def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> requests.Response:
        """With the function key unless another is given; an empty one sends none."""
        used = self.key if key is None else key
        headers = {**more.pop("headers", {}), **({"x-functions-key": used} if used else {})}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=20, **more)

    def event(self, body: Any, *, kind: str = "Notification") -> requests.Response:
        """As Event Grid would send it."""
        return requests.post(
            f"{self.url}/runtime/webhooks/eventgrid",
            params={"functionName": "arm_event", "code": self.keys["system"]["eventgrid_extension"]},
            headers={"aeg-event-type": kind},
            json=body,
            timeout=20,
        )

    def trigger(self, function: str) -> requests.Response:
        return self.ask("POST", f"/admin/functions/{function}", key=self.keys["master"], json={"input": ""})

    def put(self, queue: str, text: str) -> None:
        client = QueueClient.from_connection_string(
            self.storage, queue, message_encode_policy=TextBase64EncodePolicy()
        )
        with client:
            with suppress(ResourceExistsError):
                client.create_queue()
            client.send_message(text)

    def journal(self, partition: str = "signals") -> list[dict[str, Any]]:
        with TableServiceClient.from_connection_string(self.storage) as tables:
            found = tables.get_table_client("journal").query_entities(
                "PartitionKey eq @partition", parameters={"partition": partition}
            )
            try:
                return [{**row, "detail": json.loads(row["detail_00"])} for row in found]
            except ResourceNotFoundError:  # the first entry makes the table
                return []


@pytest.fixture(scope="package")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    directory = tmp_path_factory.mktemp("stack")
    stack = sandbox_stack.up(directory)
    try:
        yield App(
            url=stack.environment["RECONVERGE_APP_URL"],
            key=stack.environment["RECONVERGE_APP_KEY"],
            keys=json.loads((Path(directory) / "keys.json").read_text()),
            storage=stack.environment["AzureWebJobsStorage"],
            argocd_token=stack.environment["RECONVERGE_ARGOCD_TOKEN"],
            control=Control.from_dir(directory),
        )
    finally:
        sandbox_stack.down(directory)
