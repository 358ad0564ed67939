"""Messages of shared.ports in Storage queues. Used by the work queue."""

import math
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.clients.azure_core import OncePer
from shared.clients.importing import IMPORTING
from shared.clients.storage import Connection, NoContainerError, explained, options, persistently, sleep
from shared.model import Pause
from shared.ports import KEPT, LONGEST_DELAY, Conflict, check_message
from shared.settings import ConnectionString, IdentityConnection

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.queue import QueueClient, QueueServiceClient


class StorageMessages:
    """Messages of shared.ports in Storage queues, encoded as the Functions host reads them by default."""

    def __init__(
        self, connection: Connection, credential: "TokenCredential", *, pause: Pause = sleep
    ) -> None:
        """credential: asked for tokens only where the connection is one by identity."""
        service: OncePer[Connection, QueueServiceClient] = OncePer(lambda _: _service(connection, credential))
        self._client: OncePer[str, QueueClient] = OncePer(lambda queue: _client(service(connection), queue))
        self._pause = pause

    def send(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        check_message(queue, text)
        hidden = max(timedelta(0), min(delay, LONGEST_DELAY))

        def post(client: "QueueClient") -> None:
            client.send_message(
                text,
                visibility_timeout=math.ceil(hidden.total_seconds()),
                time_to_live=math.ceil((hidden + KEPT).total_seconds()),
            )

        try:
            self._call(queue, post)
        except NoContainerError:
            with suppress(Conflict):  # another worker made the queue meanwhile
                self._call(queue, _create)
            self._call(queue, post)

    def _call[T](self, queue: str, do: Callable[["QueueClient"], T]) -> T:
        return persistently("Azure Queues", lambda: do(self._client(queue)), self._pause)


def _create(client: "QueueClient") -> None:
    with IMPORTING:
        from azure.core.exceptions import ResourceExistsError

    try:
        client.create_queue()
    except ResourceExistsError as error:
        # A success to the service, where the queue exists just so; to the SDK, none.
        # https://learn.microsoft.com/rest/api/storageservices/create-queue4#remarks
        if error.status_code != 204:
            raise


def _service(connection: Connection, credential: "TokenCredential") -> "QueueServiceClient":
    with IMPORTING:
        from azure.storage.queue import QueueServiceClient

    match connection:
        case ConnectionString(text):
            with explained():
                return QueueServiceClient.from_connection_string(text, **options())
        case IdentityConnection():
            return QueueServiceClient(connection.queue_endpoint, credential, **options())


def _client(service: "QueueServiceClient", queue: str) -> "QueueClient":
    """The SDK sends plain text by default, the host reads base64; a service client does not pass it on.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue#host-json
    """
    with IMPORTING:
        from azure.storage.queue import TextBase64EncodePolicy

    return service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
