"""Notices to an Event Grid topic, on loopback."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from shared.clients.notices import notices
from shared.errors import TemporaryError
from shared.ports import Notices
from shared.settings import Settings
from tests.contract.clients.topic import Topic


class FixedCredential:
    """Always has a token."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("a-token", int(time.time()) + 3600)


@pytest.fixture
def topic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    with Topic(tmp_path).running() as topic:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(topic.ca))
        yield topic


@pytest.fixture
def credential() -> FixedCredential:
    return FixedCredential()


@pytest.fixture
def told(topic: Topic, credential: FixedCredential) -> Notices:
    settings = Settings.from_environment({"RECONVERGE_NOTICES_ENDPOINT": topic.endpoint})
    return notices(settings, credential)


def test_a_notice_is_one_event_in_the_event_grid_schema(
    told: Notices, topic: Topic, credential: FixedCredential
) -> None:
    told.tell("HumanNeeded", "dev/federated_credentials", {"reason": "QuotaReached"})
    (event,) = topic.events
    shown = {name: event[name] for name in ("eventType", "subject", "data", "dataVersion")}
    assert shown == {
        "eventType": "Reconverge.HumanNeeded",
        "subject": "dev/federated_credentials",
        "data": {"reason": "QuotaReached"},
        "dataVersion": "1",
    }
    assert event["id"]
    assert event["eventTime"]
    ((path, headers),) = topic.requests
    assert path == "/api/events?api-version=2018-01-01"
    assert headers["Authorization"] == "Bearer a-token"
    assert credential.scopes == ["https://eventgrid.azure.net/.default"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 503])
def test_a_topic_that_refuses_is_a_temporary_failure(told: Notices, topic: Topic, status: int) -> None:
    topic.answer = (status, {})
    with pytest.raises(TemporaryError, match=f"Event Grid answered {status}"):
        told.tell("HumanNeeded", "dev/federated_credentials", {})
    assert len(topic.requests) == 1


def test_a_named_pause_is_a_delay_and_is_not_slept(told: Notices, topic: Topic) -> None:
    topic.answer = (503, {"Retry-After": "3600"})
    with pytest.raises(TemporaryError) as caught:
        told.tell("HumanNeeded", "dev/federated_credentials", {})
    assert caught.value.delay == timedelta(hours=1)
    assert len(topic.requests) == 1


def test_a_topic_that_is_not_there_is_a_temporary_failure(credential: FixedCredential) -> None:
    settings = Settings.from_environment({"RECONVERGE_NOTICES_ENDPOINT": "https://127.0.0.1:1/api/events"})
    with pytest.raises(TemporaryError, match="Event Grid could not be reached"):
        notices(settings, credential).tell("HumanNeeded", "dev/federated_credentials", {})


def test_where_no_topic_is_named_nobody_is_told(topic: Topic, credential: FixedCredential) -> None:
    notices(Settings.from_environment({}), credential).tell("HumanNeeded", "dev/federated_credentials", {})
    assert topic.requests == []
    assert credential.scopes == []
