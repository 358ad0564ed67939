"""What all Azure clients share, apart from the network."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
import requests

from shared.clients.azure_core import Answer, OncePer, retry_after, transport

NOW = datetime(2026, 11, 22, 21, 0, 0, tzinfo=UTC)

PAUSES: dict[str, tuple[dict[str, str], timedelta | None]] = {
    "no header": ({}, None),
    "seconds": ({"retry-after": "17"}, timedelta(seconds=17)),
    "no wait": ({"retry-after": "0"}, timedelta(0)),
    "an hour, uncut": ({"retry-after": "3600"}, timedelta(hours=1)),
    "years, cut to a day": ({"retry-after": "99999999"}, timedelta(days=1)),
    "a date of years ahead, cut to a day": (
        {"retry-after": "Sun, 22 Nov 2099 20:00:00 GMT"},
        timedelta(days=1),
    ),
    "a date": ({"retry-after": "Sun, 22 Nov 2026 21:01:30 GMT"}, timedelta(seconds=90)),
    "a date that is over": ({"retry-after": "Sun, 22 Nov 2026 20:00:00 GMT"}, timedelta(0)),
    "a date that leaves its zone open": (
        {"retry-after": "Sun, 22 Nov 2026 21:01:30 -0000"},
        timedelta(seconds=90),
    ),
    "milliseconds of Azure's own, which are the finer word": (
        {"x-ms-retry-after-ms": "1500", "retry-after": "2"},
        timedelta(seconds=1.5),
    ),
    "rubbish": ({"retry-after": "soon"}, None),
    "a negative number": ({"retry-after": "-5"}, None),
    "a number beyond reason": ({"retry-after": "9" * 40}, None),
    "not a number": ({"retry-after": "nan"}, None),
}


@pytest.mark.parametrize(("headers", "pause"), PAUSES.values(), ids=PAUSES)
def test_the_pause_that_an_answer_asks_for(headers: dict[str, str], pause: timedelta | None) -> None:
    assert retry_after(headers, now=NOW) == pause


ANSWERS = {
    "with all it has": (
        Answer(service="ARM", status=409, code="Conflict", correlation_id="1-2"),
        "ARM answered 409 Conflict (correlation id 1-2)",
    ),
    "without a code": (Answer(service="ARM", status=502, code=""), "ARM answered 502"),
    "without an answer": (Answer(service="ARM", status=0, code=""), "ARM gave no usable answer"),
}


@pytest.mark.parametrize(("answer", "text"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_shown(answer: Answer, text: str) -> None:
    assert str(answer) == text


def test_of_many_threads_that_ask_first_only_one_makes_the_value() -> None:
    together = Barrier(8)
    made: list[str] = []

    def make(key: str) -> list[str]:
        made.append(key)
        return made

    once = OncePer(make)

    def ask(number: int) -> list[str]:
        together.wait()
        return once("even" if number % 2 == 0 else "odd")

    with ThreadPoolExecutor(8) as pool:
        assert all(value is made for value in pool.map(ask, range(8)))
    assert sorted(made) == ["even", "odd"]


def test_what_could_not_be_made_is_tried_again_by_the_next_who_asks() -> None:
    tries = iter([ValueError("no"), "value"])

    def make(_: str) -> str:
        match next(tries):
            case ValueError() as error:
                raise error
            case value:
                return str(value)

    once = OncePer(make)
    with pytest.raises(ValueError, match="no"):
        once("key")
    assert once("key") == "value"


def test_a_netrc_file_puts_nothing_in_the_place_of_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine management.azure.com login somebody password anything\n")
    monkeypatch.setenv("NETRC", str(netrc))
    session = transport().session
    assert session is not None
    asked = requests.Request("GET", "https://management.azure.com/", headers={"Authorization": "Bearer t"})
    assert session.prepare_request(asked).headers["Authorization"] == "Bearer t"
