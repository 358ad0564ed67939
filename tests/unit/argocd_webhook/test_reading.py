"""What a message of Argo CD's notifications says, and what is made of one that says nothing readable."""

import json
from typing import Any

import pytest
from hypothesis import given

from shared import signals
from shared.argocd_reports import LARGEST_REPORT
from shared.model import Signal, Source
from shared.signals import ANY_APPLICATION, Rejected
from tests.unit.argocd_webhook.messages import (
    APPLICATION,
    MESSAGE,
    SUBJECT,
    UNESCAPED,
    about,
    bodies,
    encoded,
)
from tests.unit.clocks import START, VirtualClock

LONGEST_MESSAGE = 48 * 1024
"""A message of the queue has 64 KiB, in Base64."""


def read(body: bytes) -> tuple[str | None, Signal]:
    """Why it was rejected, if it was, and the signal that it is in any case."""
    *before, signal = signals.from_argocd(body, VirtualClock())
    assert isinstance(signal, Signal)
    match before:
        case []:
            return None, signal
        case [Rejected() as rejected]:
            assert rejected.size == len(body)
            return rejected.reason, signal
    raise AssertionError(before)


def test_a_message_of_ours_asks_to_look_at_its_application() -> None:
    (signal,) = signals.from_argocd(encoded(), VirtualClock())
    assert isinstance(signal, Signal)
    assert (signal.source, signal.kind, signal.subject) == (Source.ARGO_CD, "application.reported", SUBJECT)
    assert (signal.time, signal.caller) == (START, None)


READABLE: dict[str, bytes] = {
    "a message of ours": encoded(),
    "one of an application that was never synced": encoded(startedAt=None, revision=None),
    "one of several sources": encoded(revision=["a" * 40, "1.2.3"]),
    "nothing but the name": json.dumps({"application": APPLICATION}).encode(),
    "no uid": about(uid=None),
    "fields that nobody knows": encoded(phase="Failed", message=UNESCAPED, url="https://127.0.0.1/"),
    "a field that is nested": encoded(revision={"a": [1, {"b": None}]}),
    "a text of a megabyte": encoded(message="fatal: not our ref\n" * 55_000),
    "a byte order mark": b"\xef\xbb\xbf" + encoded(),
    "UTF-16": encoded().decode().encode("utf-16"),
    "bytes that are no text, in a text": encoded(message="?").replace(b"?", b"\xff\xfe"),
    "half a character, in a text": encoded(message="\ud800"),
    "blanks around it": b"\r\n " + encoded() + b"\n",
}


@pytest.mark.parametrize("body", READABLE.values(), ids=READABLE)
def test_is_read(body: bytes) -> None:
    why, signal = read(body)
    assert why is None
    assert signal.subject == SUBJECT


DEEP = 100_000
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "blanks": (b" \r\n", "empty"),
    "an empty text of Go": (b"<no value>", "a template printed a missing field as <no value>"),
    "a form": (b"payload=%7B%22application%22%3A%7B%7D%7D", "not JSON"),
    "a text": (b'"argocd/dev"', "no object"),
    "a list": (b"[" + encoded() + b"]", "no object"),
    "null": (b"null", "no object"),
    "two messages": (encoded(application=None) * 2, "not JSON"),
    "no application": (encoded(application=None), "`application` is missing"),
    "an application that is a text": (encoded(application=SUBJECT), "`application` is missing, or no object"),
    "no namespace": (about(namespace=None), "`application.namespace`"),
    "no name": (about(name=None), "`application.name`"),
    "an empty name": (about(name=""), "`application.name`"),
    "a name that is a number": (about(name=7), "`application.name`"),
    "a missing name, as Go prints it": (about(name="<no value>"), "`application.name`"),
    "a name in capitals": (about(name="Dev"), "`application.name`"),
    "a name with a line break behind it": (about(name="dev\n"), "`application.name`"),
    "a name with half a character": (about(name="dev\ud800"), "`application.name`"),
    "a name with a control character": (about(name="dev\x00"), "`application.name`"),
    "a name that goes elsewhere": (about(name="../secrets/x"), "`application.name`"),
    "a name of two dots in a row": (about(name="a..b"), "`application.name`"),
    "a name that ends in a dash": (about(name="dev-"), "`application.name`"),
    "an endless name": (about(name="a" * 254), "`application.name`"),
    "a namespace with a dot": (about(namespace="a.b"), "`application.namespace`"),
    "an endless namespace": (about(namespace="a" * 64), "`application.namespace`"),
    "every application": (about(name="*"), "`application.name`"),
    "an application that is named twice": (
        encoded()[:-1] + b', "application": ' + json.dumps(APPLICATION).encode() + b"}",
        "names a member twice",
    ),
    "a name that is said twice": (
        encoded().replace(b'"name":', b'"name": "other", "name":'),
        "names a member twice",
    ),
    "NaN": (encoded(retries=float("nan")), "NaN"),
    "an infinite number": (encoded(retries=float("-inf")), "-Infinity"),
    "an endless number": (encoded(retries=0).replace(b": 0", b": " + b"9" * 5000), "endless number"),
    "endless lists": (b"[" * DEEP, "too deeply"),
    "endless objects": (b'{"application":' * DEEP + b"1" + b"}" * DEEP, "too deeply"),
    "more than anybody means": (encoded(message="x" * LARGEST_REPORT), "larger than 2097152 bytes"),
}


@pytest.mark.parametrize(("body", "word"), UNREADABLE.values(), ids=UNREADABLE)
def test_is_rejected_with_its_reason_and_asks_to_look_at_every_application(body: bytes, word: str) -> None:
    why, signal = read(body)
    assert word in (why or "")
    assert signal.subject == ANY_APPLICATION


def broken(**changes: Any) -> str:
    """A message into which a template printed a text as it was."""
    return encoded(message="TEXT", **changes).decode().replace("TEXT", UNESCAPED)


REORDERED = json.dumps(dict(reversed(MESSAGE.items())) | {"message": "TEXT"}).replace("TEXT", UNESCAPED)
IN_FRONT = {
    "an unescaped text behind it": (broken(), SUBJECT),
    "a message that ends too soon": (encoded()[:-1].decode(), SUBJECT),
    "a missing field, as Go prints it": (
        encoded(startedAt="NONE").decode().replace('"NONE"', "<no value>"),
        SUBJECT,
    ),
    "an unescaped text before it": (REORDERED, ANY_APPLICATION),
    "an unescaped text before the whole of it": ("<no value>" + encoded().decode(), ANY_APPLICATION),
    "an application within something else": (f'{{"app": {encoded().decode()}', ANY_APPLICATION),
    "a text that breaks the name itself": (
        encoded().decode().replace("dev-", 'dev-" "'),
        ANY_APPLICATION,
    ),
    "a name that is none": (broken(application={**APPLICATION, "name": "Dev"}), ANY_APPLICATION),
    "a text that names another application": (
        broken() + json.dumps({"application": {"namespace": "argocd", "name": "other"}}),
        ANY_APPLICATION,
    ),
    "an application that never ends": ('{"application": ' + "[" * DEEP, ANY_APPLICATION),
    "a name that is cut": (encoded().decode()[:45], ANY_APPLICATION),
}


@pytest.mark.parametrize(("text", "subject"), IN_FRONT.values(), ids=IN_FRONT)
def test_of_a_broken_message_only_an_application_in_front_of_all_else_is_believed(
    text: str, subject: str
) -> None:
    why, signal = read(text.encode())
    assert "not JSON" in (why or "") or "too deeply" in (why or "")
    assert signal.subject == subject


def test_what_is_journalled_of_a_rejected_message_tells_its_digest_and_none_of_its_text() -> None:
    rejected, signal = signals.from_argocd(b'{"password": hunter2}')
    assert isinstance(rejected, Rejected)
    assert isinstance(signal, Signal)
    # printf '{"password": hunter2}' | sha256sum
    assert rejected.digest == "60fc7e32a2abf608adfec32e89ff985328200cc4e2cc08a26fc6534e8e935269"
    assert signal.correlation_id == rejected.digest[:16]
    assert "hunter2" not in signals.to_message(rejected) + signals.to_message(signal)


SAME = {
    "twice": encoded(),
    "with its members in another order": json.dumps(dict(reversed(MESSAGE.items()))).encode(),
    "with another text": encoded(message="Retrying attempt #2"),
}
OTHER = {
    "of another application": about(name="dev-other"),
    "of an application that was made anew": about(uid="00000000-0000-0000-0000-000000000000"),
    "of another trigger": encoded(trigger="reconverge-degraded"),
    "of another operation at the same revision": encoded(startedAt="2026-11-26T02:02:03Z"),
    "of another revision": encoded(revision="e" * 40),
    "of several revisions": encoded(revision=["d" * 40, "1.2.3"]),
    "of another of several revisions": encoded(revision=["e" * 40, "1.2.3"]),
    "of other conditions": encoded(conditions="8f14e45f"),
    "of a later moment": encoded(since="2026-11-26T02:02:03Z"),
}


@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_a_message_is_known_again(body: bytes) -> None:
    assert read(body)[1].correlation_id == read(encoded())[1].correlation_id


def test_no_other_message_is_taken_for_it() -> None:
    known = {read(body)[1].correlation_id for body in (encoded(), *OTHER.values())}
    assert len(known) == len(OTHER) + 1


@given(bodies())
def test_whatever_comes_yields_one_signal_last_and_fits_the_queue(body: bytes) -> None:
    readings = signals.from_argocd(body, VirtualClock())
    assert [type(one) for one in readings] in ([Signal], [Rejected, Signal])
    for reading in readings:
        message = signals.to_message(reading).encode()
        assert len(message) < LONGEST_MESSAGE
        assert signals.from_message(message) == (reading,)
