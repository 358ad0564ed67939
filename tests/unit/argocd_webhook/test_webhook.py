"""Who may send to the webhook, and what each is answered."""

import hmac
import json
import logging
from typing import Any

import pytest
from azure.functions import HttpRequest
from hypothesis import given
from hypothesis import strategies as st

from shared import argocd_webhook, settings, signals
from shared.answers import Answer
from shared.argocd_webhook import is_accepted
from shared.errors import Misconfigured
from shared.model import Signal
from shared.signals import Rejected
from tests.unit.argocd_webhook.messages import SUBJECT, encoded
from tests.unit.clocks import VirtualClock

PRESENT = "c1f0" * 16
PREVIOUS = "9b2e" * 16
BOTH = {"RECONVERGE_ARGOCD_TOKEN": PRESENT, "RECONVERGE_ARGOCD_TOKEN_PREVIOUS": PREVIOUS}


def send(
    authorization: str | None = f"Bearer {PRESENT}",
    *,
    method: str = "POST",
    body: bytes = b"",
    environment: dict[str, str] = BOTH,
) -> tuple[Answer, list[str]]:
    headers = {} if authorization is None else {"authorization": authorization}
    request = HttpRequest(method, "/api/argocd", headers=headers, body=body)
    return argocd_webhook.answer(
        request.method,
        request.headers,
        request.get_body(),
        lambda: settings.argocd_tokens(environment),
        VirtualClock(),
    )


def said(answer: Answer) -> dict[str, Any]:
    told = json.loads(answer.body)
    assert isinstance(told, dict)
    return told


def test_a_message_is_accepted_and_goes_to_the_queue() -> None:
    answer, messages = send(body=encoded())
    (message,) = messages
    (signal,) = signals.from_message(message.encode())
    assert isinstance(signal, Signal)
    assert signal.subject == SUBJECT
    assert answer.status == 202
    assert said(answer) == {"id": signal.correlation_id, "application": SUBJECT}


def test_a_message_that_cannot_be_read_is_accepted_too_and_told_why() -> None:
    answer, messages = send(body=b"<no value>")
    rejected, signal = (one for message in messages for one in signals.from_message(message.encode()))
    assert isinstance(rejected, Rejected)
    assert isinstance(signal, Signal)
    assert answer.status == 202
    assert said(answer) == {
        "id": signal.correlation_id,
        "application": "*",
        "unreadable": rejected.reason,
    }


ACCEPTED = {
    "the present token": f"Bearer {PRESENT}",
    "the one before it": f"Bearer {PREVIOUS}",
    "another spelling of the scheme": f"bEARER {PRESENT}",
    "several blanks": f"  Bearer   {PRESENT} ",
}


@pytest.mark.parametrize("authorization", ACCEPTED.values(), ids=ACCEPTED)
def test_lets_in(authorization: str) -> None:
    assert send(authorization, body=encoded())[0].status == 202


REFUSED: dict[str, str | None] = {
    "no header": None,
    "an empty header": "",
    "no token": "Bearer ",
    "no scheme": PRESENT,
    "no blank behind the scheme": f"Bearer{PRESENT}",
    "another scheme": f"Basic {PRESENT}",
    "another token": f"Bearer {'0' * 64}",
    "the beginning of a token": f"Bearer {PRESENT[:-1]}",
    "a token and more": f"Bearer {PRESENT}0",
    "a token in capitals": f"Bearer {PRESENT.upper()}",
    "both tokens": f"Bearer {PRESENT} {PREVIOUS}",
    "two headers in one": f"Bearer {PRESENT}, Bearer {PRESENT}",
    "letters beyond ASCII": "Bearer gehe\xeem \u2014",
    "half a character": "Bearer \ud800",
    "a reference with something around it": "Bearer x$reconverge-token",
}


@pytest.mark.parametrize("authorization", REFUSED.values(), ids=REFUSED)
def test_keeps_out_with_the_same_words_for_all(
    authorization: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    answer, messages = send(authorization, body=encoded())
    assert messages == []
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="reconverge"'
    assert said(answer)["detail"] == "the header Authorization holds no bearer token that is accepted here"
    assert [record.message for record in caplog.records] == ["argocd.refused"]
    assert PRESENT not in caplog.text


REFERENCES = {
    "behind the scheme": ("Bearer $reconverge-token", "$reconverge-token"),
    "behind the scheme in capitals": ("BEARER $reconverge-token", "$reconverge-token"),
    "by itself": ("$reconverge_token", "$reconverge_token"),
    "of one letter": ("Bearer $t", "$t"),
}


@pytest.mark.parametrize(("authorization", "word"), REFERENCES.values(), ids=REFERENCES)
def test_a_reference_that_argo_cd_did_not_replace_is_named(
    authorization: str, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer, messages = send(authorization, body=encoded())
    assert messages == []
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="reconverge"'
    assert f"argocd-notifications-secret has no key {word[1:]}" in said(answer)["detail"]
    (record,) = caplog.records
    assert (record.message, record.__dict__["reference"]) == ("argocd.unresolved", word)


def test_a_reference_is_let_in_by_no_setting() -> None:
    (name, present), _ = BOTH.items()
    assert send("Bearer $t", environment={name: present})[0].status == 401
    assert send("Bearer $t", environment={name: "$t"})[0].status == 503


UNUSABLE = {
    "no token": ({}, "RECONVERGE_ARGOCD_TOKEN is missing"),
    "an empty token": ({"RECONVERGE_ARGOCD_TOKEN": "  "}, "RECONVERGE_ARGOCD_TOKEN is missing"),
    "only the one before it": (
        {"RECONVERGE_ARGOCD_TOKEN_PREVIOUS": PREVIOUS},
        "RECONVERGE_ARGOCD_TOKEN is missing",
    ),
    "a token that can be guessed": (
        {"RECONVERGE_ARGOCD_TOKEN": "x" * 31},
        "RECONVERGE_ARGOCD_TOKEN is no bearer token",
    ),
    "a token before it that can be guessed": (
        {**BOTH, "RECONVERGE_ARGOCD_TOKEN_PREVIOUS": "old"},
        "RECONVERGE_ARGOCD_TOKEN_PREVIOUS is no bearer token",
    ),
    "a reference that was not resolved": (
        {"RECONVERGE_ARGOCD_TOKEN": "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/t)"},
        "a Key Vault reference must have been resolved",
    ),
    "a token beyond ASCII": ({"RECONVERGE_ARGOCD_TOKEN": "\xe9" * 40}, "is no bearer token"),
}


@pytest.mark.parametrize(("environment", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_nothing_is_accepted_without_a_token_to_hold_it_to(
    environment: dict[str, str], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    for authorization in (None, "Bearer", "Bearer  ", "Bearer $reconverge-token", *environment.values()):
        answer, messages = send(authorization, body=encoded(), environment=environment)
        assert (answer.status, messages) == (503, [])
        assert words in said(answer)["detail"]
        assert not any(value in answer.body for value in environment.values() if value.strip())
    assert {record.message for record in caplog.records} == {"argocd.unconfigured"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize("environment", [BOTH, {}], ids=["with tokens", "without"])
def test_anything_but_post_is_told_what_sends_it_whoever_asks(
    method: str, environment: dict[str, str]
) -> None:
    answer, messages = send(None, method=method, body=encoded(), environment=environment)
    assert (answer.status, messages) == (405, [])
    assert answer.headers["Allow"] == "POST"
    assert "no webhook block" in said(answer)["detail"]


def test_every_token_is_compared_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac_compare(one, other)

    hmac_compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", compare)
    for authorization in (f"Bearer {PRESENT}", f"Bearer {PREVIOUS}", "Bearer x", ""):
        compared.clear()
        is_accepted(authorization, (PRESENT, PREVIOUS))
        assert len(compared) == 2
        assert {len(one) for pair in compared for one in pair} == {32}


HEADERS = st.text(st.characters(), max_size=80) | st.text(st.characters(), max_size=80).map("Bearer ".__add__)


@given(HEADERS)
def test_no_header_raises_and_none_but_the_token_is_accepted(authorization: str) -> None:
    assert not is_accepted(authorization, (PRESENT, PREVIOUS))
    assert send(authorization, body=encoded())[0].status == 401


TOKENS = st.text("abcXYZ019-._~+/", min_size=32, max_size=64)


@given(TOKENS, st.none() | TOKENS)
def test_any_usable_token_is_accepted_by_itself_and_during_its_replacement(
    token: str, previous: str | None
) -> None:
    tokens = settings.argocd_tokens(
        {"RECONVERGE_ARGOCD_TOKEN": token, "RECONVERGE_ARGOCD_TOKEN_PREVIOUS": previous or ""}
    )
    assert is_accepted(f"Bearer {token}", tokens)
    assert is_accepted(f"Bearer {previous}", tokens) is (previous is not None)


def test_a_token_is_in_no_error() -> None:
    with pytest.raises(Misconfigured) as raised:
        settings.argocd_tokens({"RECONVERGE_ARGOCD_TOKEN": "hunter2"})
    assert "hunter2" not in str(raised.value)
