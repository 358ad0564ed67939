"""Tells people, through an Event Grid topic, that an outcome needs somebody.

Used by the engine. Permission: EventGrid Data Sender on the topic.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from shared.clients.azure_core import AGAIN, ONE_TRY, Answer, OncePer, translated
from shared.clients.importing import IMPORTING
from shared.errors import TemporaryError
from shared.ports import Notices
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.eventgrid import EventGridPublisherClient

DATA_VERSION: Final = "1"


class NoNotices:
    """Nobody asked to be told."""

    def tell(self, kind: str, subject: str, data: Mapping[str, str]) -> None:
        pass


class EventGridNotices:
    """Notices of shared.ports, as events of type `Reconverge.<kind>`."""

    def __init__(self, endpoint: str, credential: "TokenCredential") -> None:
        def make(endpoint: str) -> "EventGridPublisherClient":
            with IMPORTING:
                from azure.eventgrid import EventGridPublisherClient

            return EventGridPublisherClient(endpoint, credential)

        self._endpoint = endpoint
        self._client = OncePer(make)

    def tell(self, kind: str, subject: str, data: Mapping[str, str]) -> None:
        with IMPORTING:
            from azure.eventgrid import EventGridEvent

        event = EventGridEvent(
            subject=subject, event_type=f"Reconverge.{kind}", data=dict(data), data_version=DATA_VERSION
        )
        with translated("Event Grid", _classify):
            # The client drops such arguments when it is made, so each call brings them.
            self._client(self._endpoint).send(event, **ONE_TRY)


def notices(settings: Settings, credential: "TokenCredential") -> Notices:
    """To the topic of the settings; to nobody where none is named."""
    if settings.notices_endpoint is None:
        return NoNotices()
    return EventGridNotices(settings.notices_endpoint, credential)


def _classify(answer: Answer) -> TemporaryError:
    """Always temporary: a topic may be repaired, and what was to be told is in the journal anyway."""
    return TemporaryError(str(answer), delay=answer.retry_after or AGAIN)
