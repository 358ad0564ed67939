"""What Azure Tables and Storage queues have in common: connection, refusals, patience.

Used by shared.clients.tables and shared.clients.queues. One storage account serves both, by connection string
or by identity. Tables and queues that are missing come into being at the first write: a start costs no calls.

Permissions by identity: Storage Table Data Contributor, Storage Queue Data Contributor.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

from shared.clients.azure_core import AGAIN, Answer, translated, transport
from shared.errors import Misconfigured, PermanentError, TemporaryError, Throttled
from shared.model import Pause
from shared.ports import Conflict
from shared.settings import STORAGE, ConnectionString, IdentityConnection, Settings

type Connection = ConnectionString | IdentityConnection

# A lost lease or journal write costs the whole run, two seconds of patience do not. Hence storage alone is
# asked again, in place, and only where no longer pause was named.
REPEATS: Final = 2
PATIENCE: Final = timedelta(seconds=1)


class NoContainerError(TemporaryError):
    """The table or the queue itself does not exist yet. The clients make it; it leaves them only when it is
    gone again at once, such as while somebody deletes it."""


class NoRowError(TemporaryError):
    """The table has no such row. Never leaves the clients."""


def classify(answer: Answer) -> Exception:
    """Say a refusal of Tables or Queues in our words.

    https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
    https://learn.microsoft.com/rest/api/storageservices/queue-service-error-codes
    """
    match answer.status, answer.code:
        case 404, "TableNotFound" | "QueueNotFound":
            error: Exception = NoContainerError(str(answer), delay=AGAIN)
        case 404, "ResourceNotFound" | "EntityNotFound":
            error = NoRowError(str(answer), delay=AGAIN)
        case (409, "EntityAlreadyExists" | "TableAlreadyExists" | "QueueAlreadyExists") | (412, _):
            error = Conflict(str(answer))
        # A new role assignment is not seen everywhere at once, so this is not final.
        case ((401 | 403), _):
            error = TemporaryError(
                f"{answer}: check the connection AzureWebJobsStorage, or grant the app's identity"
                " Storage Table Data Contributor and Storage Queue Data Contributor on the account",
                delay=timedelta(minutes=5),
            )
        case ((400 | 413), _):
            error = PermanentError(str(answer))
        case _ if answer.retry_after is not None:
            error = Throttled(str(answer), delay=answer.retry_after)
        case _:
            error = TemporaryError(str(answer), delay=PATIENCE)
    return error


def connection(settings: Settings) -> Connection:
    """Raises Misconfigured where no storage account is named."""
    if settings.storage is None:
        raise Misconfigured(
            f"{STORAGE} is missing: write the connection string of a storage account, or the account's name"
            f" in {STORAGE}__accountName and managedidentity in {STORAGE}__credential"
        )
    return settings.storage


def sleep(pause: timedelta) -> None:
    time.sleep(pause.total_seconds())


def persistently[T](service: str, call: Callable[[], T], pause: Pause) -> T:
    """Call a storage SDK, and again a little later after a short failure.

    Raises what `classify` answers, and Conflict only when the service itself said so.
    """
    for _ in range(REPEATS):
        try:
            return _once(service, call)
        except TemporaryError as error:
            if error.delay > PATIENCE:
                raise
            pause(error.delay)
    return _once(service, call)


def _once[T](service: str, call: Callable[[], T]) -> T:
    with translated(service, classify, pause=PATIENCE):
        return call()


def options() -> Mapping[str, Any]:
    """For the SDKs' clients. Their own retries sleep as long as Retry-After says, so they are off."""
    return {"retry_total": 0, "transport": transport()}


@contextmanager
def explained() -> Iterator[None]:
    """Raises Misconfigured for a connection string that the SDK cannot read."""
    try:
        yield
    except ValueError as error:
        raise Misconfigured(
            f"{STORAGE} is not a complete connection string: write the one that"
            " `az storage account show-connection-string` prints"
        ) from error
