"""Queues and blobs of the connections that bindings name.

A connection `X` is the setting `X` (or `AzureWebJobsX`) holding a connection string, or it is identity-based:
`X__queueServiceUri` and `X__blobServiceUri`, or `X__accountName`; `X__clientId` for a user-assigned identity.
https://learn.microsoft.com/azure/azure-functions/functions-reference#configure-an-identity-based-connection
"""

import base64
import binascii
from contextlib import suppress
from typing import Any, Self

from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from sandbox.host.errors import HostError
from sandbox.host.settings import Settings

HOST_CONNECTION = "AzureWebJobsStorage"
HOST_CONTAINER = "azure-webjobs-hosts"

# Python's SDK gives up only after most of a minute, and a caller waits for it. The real host has .NET's,
# which tries again after 0.8, 1.6 and 3.2 s.
_PAUSES: dict[str, Any] = {"initial_backoff": 0, "increment_base": 1.5, "random_jitter_range": 1}


class Storage:
    """The clients, made on first use and shared. Close it, or use it as a context manager."""

    def __init__(self, settings: Settings, *, base64_messages: bool) -> None:
        self._settings = settings
        self._base64 = base64_messages
        self._queues: dict[str, QueueServiceClient] = {}
        self._blobs: BlobServiceClient | None = None
        self._credentials: dict[str, ManagedIdentityCredential] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in (*self._queues.values(), self._blobs, *self._credentials.values()):
            if client is not None:
                await client.close()

    # -- clients ----------------------------------------------------------------------

    def queue(self, connection: str, name: str) -> QueueClient:
        """Raises HostError when the settings do not give the connection."""
        service = self._queues.get(connection)
        if service is None:
            service = self._queues[connection] = self._queue_service(connection)
        return service.get_queue_client(name)

    def host_container(self) -> ContainerClient:
        """Where the host keeps its locks and schedule status. Raises HostError as `queue` does."""
        if self._blobs is None:
            self._blobs = self._blob_service(HOST_CONNECTION)
        return self._blobs.get_container_client(HOST_CONTAINER)

    def _queue_service(self, connection: str) -> QueueServiceClient:
        if text := self._connection_string(connection):
            return QueueServiceClient.from_connection_string(text, **_PAUSES)
        return QueueServiceClient(
            self._endpoint(connection, "queue"),
            credential=self._credential(connection),
            **_PAUSES,
        )

    def _blob_service(self, connection: str) -> BlobServiceClient:
        if text := self._connection_string(connection):
            return BlobServiceClient.from_connection_string(text, **_PAUSES)
        return BlobServiceClient(
            self._endpoint(connection, "blob"),
            credential=self._credential(connection),
            **_PAUSES,
        )

    def _connection_string(self, connection: str) -> str | None:
        return self._setting(connection, "")

    def _endpoint(self, connection: str, service: str) -> str:
        if uri := self._setting(connection, f"__{service}ServiceUri"):
            return uri
        if account := self._setting(connection, "__accountName"):
            return f"https://{account}.{service}.core.windows.net"
        raise HostError(
            f"storage connection '{connection}' is not set: give {connection} a connection string, "
            f"or set {connection}__{service}ServiceUri or {connection}__accountName"
        )

    def _credential(self, connection: str) -> ManagedIdentityCredential:
        if connection not in self._credentials:
            client_id = self._setting(connection, "__clientId")
            self._credentials[connection] = ManagedIdentityCredential(client_id=client_id)
        return self._credentials[connection]

    def _setting(self, connection: str, suffix: str) -> str | None:
        return self._settings.get(connection + suffix) or self._settings.get(
            f"AzureWebJobs{connection}{suffix}"
        )

    # -- messages ---------------------------------------------------------------------

    def decode(self, text: str) -> str:
        """What a function gets of a message on the queue. Raises ValueError when it is no base64."""
        if not self._base64:
            return text
        try:
            return base64.b64decode(text, validate=True).decode(errors="replace")
        except binascii.Error as error:
            raise ValueError(f"not base64, as host.json's messageEncoding wants it: {error}") from error

    def encode(self, body: str | bytes) -> str:
        data = body.encode() if isinstance(body, str) else body
        return base64.b64encode(data).decode() if self._base64 else data.decode(errors="replace")


async def send(queue: QueueClient, text: str) -> None:
    """Put an encoded message on the queue, creating the queue when it is not there."""
    try:
        await queue.send_message(text)
    except HttpResponseError as error:
        if error_code(error) != "QueueNotFound":
            raise
        # Somebody else may create it meanwhile.
        with suppress(ResourceExistsError):
            await queue.create_queue()
        await queue.send_message(text)


def error_code(error: HttpResponseError) -> str:
    """The storage service's own code, which says more than the exception's class."""
    return str(getattr(error, "error_code", "") or "")
