"""What is told of an Application as it changes, by our manifests and Argo CD's rules, and what is lost."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from sandbox.argo_notifications import NOTIFIED, Notifications
from sandbox.argo_notifications_config import Config, shipped
from sandbox.dials import Dials
from sandbox.listening import free_socket, port_of
from shared import argocd_webhook
from tests.sandbox.argo.samples import FAILED, MULTI_SOURCE, NEVER_SYNCED, application, ended, running
from tests.unit.clocks import START, VirtualClock

TOKEN = "c1f0" * 16
SECRET = {"reconverge-token": TOKEN, "reconverge-function-key": "the-key"}
SYNC_FAILED, DEGRADED = "reconverge-sync-failed", "reconverge-degraded"
CONDITION, UNKNOWN = "reconverge-condition", "reconverge-sync-unknown"
CALM: dict[str, Any] = {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}


class Webhook:
    """Ours, or whatever `answers` says first."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.received: list[tuple[str, Mapping[str, str], str]] = []
        self.said: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append((request.method, request.headers, body.decode()))
        if self.answers:
            return web.Response(status=self.answers.pop(0))
        answer, _ = argocd_webhook.answer(request.method, request.headers, body, lambda: (TOKEN,))
        self.said.append(answer.body)
        return web.Response(status=answer.status, text=answer.body, headers=answer.headers)

    @property
    def triggers(self) -> list[str]:
        return [json.loads(body)["trigger"] for _, _, body in self.received]


class Stage:
    """One Application in the hands of the controller; what is to be remembered is kept with it."""

    def __init__(self, url: str, webhook: Webhook) -> None:
        self.url = url
        self.webhook = webhook
        self.clock = VirtualClock()
        self.dials = Dials(notification_time_scale=0)
        self.annotations: dict[str, str] = {}
        self.configure(shipped(url))

    def configure(self, data: Mapping[str, str], secret: Mapping[str, str] = SECRET) -> None:
        self._notifications = Notifications(
            Config.read(data, secret), self.dials, self.clock, ssl.create_default_context()
        )

    async def see(self, *applications: Mapping[str, Any]) -> list[str]:
        """The triggers that were told of them, one after the other."""
        before = len(self.webhook.received)
        for one in applications:
            seen = {**one, "metadata": {**one["metadata"], "annotations": dict(self.annotations)}}
            for name, value in ((await self._notifications.reconciled(seen)) or {}).items():
                if value is None:
                    del self.annotations[name]
                else:
                    self.annotations[name] = value
            self.clock.advance(timedelta(minutes=1))
        return self.webhook.triggers[before:]

    @property
    def remembered(self) -> dict[str, int]:
        held: dict[str, int] = json.loads(self.annotations.get(NOTIFIED, "{}"))
        return held


def play(scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def played() -> None:
        webhook = Webhook()
        app = web.Application()
        app.router.add_route("*", "/api/argocd", webhook.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        listener = free_socket()
        await web.SockSite(runner, listener).start()
        try:
            await scene(Stage(f"http://127.0.0.1:{port_of(listener)}/api/argocd", webhook))
        finally:
            await runner.cleanup()

    asyncio.run(played())


def calm(name: str) -> dict[str, Any]:
    """The sample with nothing to tell of but its operations."""
    return application(name, **CALM, conditions=[])


def test_a_failed_operation_is_told_once_with_token_key_and_type() -> None:
    async def scene(stage: Stage) -> None:
        failed = ended(calm(FAILED), "Failed", "02:00")
        assert await stage.see(failed, failed) == [SYNC_FAILED]
        ((method, headers, body),) = stage.webhook.received
        assert method == "POST"
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert headers["x-functions-key"] == "the-key"
        assert headers["Content-Type"] == "application/json"
        assert json.loads(body)["startedAt"] == "2026-11-26T02:00:00Z"
        assert json.loads(*stage.webhook.said)["application"] == "argocd/dev-foundation-vault-bootstrap"
        ((key, at),) = stage.remembered.items()
        # printf '%s' '<when>' | openssl sha1 -binary | base64, in the alphabet for addresses
        assert key == f"2026-11-26T02:00:00Z:{SYNC_FAILED}:[0].scLS2j9Lkn1MH3Mz-v5_VdTbT7E:reconverge:"
        assert at == START.timestamp()

    play(scene)


@pytest.mark.parametrize("name", [FAILED, NEVER_SYNCED, MULTI_SOURCE])
def test_each_failure_is_told_though_the_revision_is_the_same_or_none(name: str) -> None:
    async def scene(stage: Stage) -> None:
        first, second = (ended(calm(name), "Failed", at) for at in ("02:00", "03:00"))
        assert await stage.see(first, running(first, "03:00"), second, second) == [SYNC_FAILED, SYNC_FAILED]
        # The controller may miss that an operation was running.
        assert await stage.see(ended(first, "Error", "04:00")) == [SYNC_FAILED]
        assert await stage.see(ended(first, "Succeeded", "05:00")) == []

    play(scene)


def test_a_failure_is_not_told_before_the_application_was_looked_at_again() -> None:
    async def scene(stage: Stage) -> None:
        failed = ended(calm(FAILED), "Failed", "02:00")
        early = {**failed, "status": {**failed["status"], "reconciledAt": "2026-11-26T02:00:29Z"}}
        observed = {**failed, "status": {**early["status"], "observedAt": "2026-11-26T02:00:30Z"}}
        assert await stage.see(early) == []
        assert await stage.see(observed) == [SYNC_FAILED]

    play(scene)


def error(message: str, since: str, kind: str = "ComparisonError") -> dict[str, str]:
    return {"type": kind, "message": message, "lastTransitionTime": since}


def test_an_error_is_told_anew_when_its_text_changes_or_when_it_comes_back() -> None:
    async def scene(stage: Stage) -> None:
        def with_conditions(*conditions: dict[str, str]) -> dict[str, Any]:
            return application(NEVER_SYNCED, **CALM, conditions=list(conditions))

        first = error("not our ref", "2026-11-26T01:00:00Z")
        warning = error("seen twice", "2026-11-26T01:10:00Z", "RepeatedResourceWarning")
        assert await stage.see(with_conditions(warning)) == []
        assert await stage.see(with_conditions(first), with_conditions(first, warning)) == [CONDITION]
        assert await stage.see(with_conditions(error("EOF", "2026-11-26T01:20:00Z"))) == [CONDITION]
        assert await stage.see(with_conditions(), with_conditions(error("EOF", "2026-11-26T02:00:00Z"))) == [
            CONDITION
        ]

    play(scene)


@pytest.mark.parametrize(
    ("trigger", "bad"),
    [(DEGRADED, {"health": {"status": "Degraded"}}), (UNKNOWN, {"sync": {"status": "Unknown"}})],
)
def test_a_state_is_told_whenever_it_is_entered_also_where_nothing_was_ever_synced(
    trigger: str, bad: dict[str, Any]
) -> None:
    async def scene(stage: Stage) -> None:
        good, ill = calm(NEVER_SYNCED), application(NEVER_SYNCED, **{**CALM, **bad}, conditions=[])
        assert await stage.see(good, ill, ill) == [trigger]
        assert await stage.see(good) == []
        assert stage.annotations == {}
        assert await stage.see(ill, good, ill) == [trigger, trigger]

    play(scene)


ILL = application(FAILED, health={"status": "Degraded"}, operationState={}, conditions=[])
BROKEN = ended(calm(FAILED), "Failed", "02:00")
TRIES: dict[str, tuple[list[int], int]] = {
    "an answer that says accepted is the last": ([202], 1),
    "a server that fails is asked again": ([503, 500, 202], 3),
    "one that asks for patience, too": ([429, 202], 2),
    "four times at most": ([503, 503, 503, 503], 4),
    "one that cannot do it is not": ([501], 1),
    "one that refuses is not": ([401], 1),
}


@pytest.mark.parametrize(("answers", "tries"), TRIES.values(), ids=TRIES)
def test_tries(answers: list[int], tries: int) -> None:
    async def scene(stage: Stage) -> None:
        stage.webhook.answers = [*answers]
        await stage.see(BROKEN)
        assert stage.webhook.answers == []
        assert len(stage.webhook.received) == tries
        assert len({body for _, _, body in stage.webhook.received}) == 1

    play(scene)


LOST = {"refused": [401], "failed four times": [503] * 4}


@pytest.mark.parametrize("answers", LOST.values(), ids=LOST)
def test_what_is_told_once_per_operation_is_lost_when_nobody_took_it(answers: list[int]) -> None:
    async def scene(stage: Stage) -> None:
        stage.webhook.answers = [*answers]
        await stage.see(BROKEN)
        assert len(stage.remembered) == 1
        assert await stage.see(BROKEN, BROKEN) == []
        assert await stage.see(ended(BROKEN, "Failed", "03:00")) == [SYNC_FAILED]

    play(scene)


@pytest.mark.parametrize("answers", LOST.values(), ids=LOST)
def test_a_state_is_told_again_until_somebody_took_it(answers: list[int]) -> None:
    async def scene(stage: Stage) -> None:
        stage.webhook.answers = [*answers]
        await stage.see(ILL)
        assert stage.remembered == {}
        assert await stage.see(ILL, ILL) == [DEGRADED]

    play(scene)


def test_pauses_grow_from_one_to_four_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async def scene(stage: Stage) -> None:
        stage.dials.turn({"notification_time_scale": 1.0})
        with free_socket() as nobody:
            stage.configure(shipped(f"http://127.0.0.1:{port_of(nobody)}/"))
        monkeypatch.setattr(asyncio, "sleep", pause)
        await stage.see(BROKEN)
        assert stage.webhook.received == []
        assert paused == [1.0, 2.0, 4.0]
        assert len(stage.remembered) == 1

    play(scene)


def test_a_reference_that_the_secret_lacks_is_named_by_the_webhook() -> None:
    async def scene(stage: Stage) -> None:
        stage.configure(shipped(stage.url), {"reconverge-function-key": "the-key"})
        await stage.see(ILL)
        assert "argocd-notifications-secret has no key reconverge-token" in stage.webhook.said[0]
        stage.configure(shipped(stage.url))
        assert await stage.see(ILL) == [DEGRADED]

    play(scene)


def test_a_template_without_a_block_for_the_service_goes_by_get_and_is_told_so() -> None:
    async def scene(stage: Stage) -> None:
        data = shipped(stage.url)
        data["template.reconverge-degraded"] = "message: Application {{ .app.metadata.name }} is degraded."
        stage.configure(data)
        with pytest.raises(json.JSONDecodeError):
            await stage.see(ILL)
        ((method, _, body),) = stage.webhook.received
        assert (method, body) == ("GET", "Application dev-foundation-vault-bootstrap is degraded.")
        assert "no webhook block" in stage.webhook.said[0]
        assert stage.remembered == {}

    play(scene)


def test_a_type_of_content_is_sent_only_where_a_header_says_so() -> None:
    async def scene(stage: Stage) -> None:
        data = shipped(stage.url)
        typed = "  - name: Content-Type\n    value: application/json\n"
        assert typed in data["service.webhook.reconverge"]
        data["service.webhook.reconverge"] = data["service.webhook.reconverge"].replace(typed, "")
        stage.configure(data)
        await stage.see(ILL)
        ((_, headers, _),) = stage.webhook.received
        assert "Content-Type" not in headers

    play(scene)


def test_only_the_selected_applications_are_told_of() -> None:
    async def scene(stage: Stage) -> None:
        data = shipped(stage.url)
        data["subscriptions"] = data["subscriptions"].replace(
            "- recipients", "- selector: platform=ameide\n  recipients"
        )
        stage.configure(data)
        assert await stage.see(ILL) == []
        labelled = {**ILL, "metadata": {**ILL["metadata"], "labels": {"platform": "ameide"}}}
        assert await stage.see(labelled) == [DEGRADED]

    play(scene)


def test_a_hundred_messages_are_remembered_and_the_oldest_forgotten() -> None:
    async def scene(stage: Stage) -> None:
        times = [f"{hour:02}:{minute:02}" for hour in (1, 2) for minute in range(51)]
        told = await stage.see(*(ended(calm(FAILED), "Failed", at) for at in times))
        assert told == [SYNC_FAILED] * 102
        assert len(stage.remembered) == 100
        assert await stage.see(ended(calm(FAILED), "Failed", times[2])) == []
        assert await stage.see(ended(calm(FAILED), "Failed", times[1])) == [SYNC_FAILED]

    play(scene)


def test_an_annotation_that_cannot_be_read_is_as_good_as_none() -> None:
    async def scene(stage: Stage) -> None:
        stage.annotations = {NOTIFIED: "{"}
        assert await stage.see(ILL) == [DEGRADED]
        assert len(stage.remembered) == 1

    play(scene)
